/** Asks for an API key, and gives it to the server, which keeps it for this browser where no script can read it. */

import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { ask } from "../api/http";

export function SignIn({ done, reason }: { done: () => void; reason: string | null }): ReactNode {
  const [key, setKey] = useState("");
  const sign = useMutation({ mutationFn: () => ask("/sign-in", { body: { key } }), onSuccess: done });
  const forget = useMutation({ mutationFn: () => ask("/sign-in", { method: "DELETE" }), onSuccess: () => location.reload() });
  return (
    <main className="signin">
      <form
        className="card"
        onSubmit={(event) => {
          event.preventDefault();
          sign.mutate();
        }}
      >
        <h1>Stenograph</h1>
        <p className="faint">{reason ?? "Sign in with an API key of your workspace that may read."}</p>
        <label htmlFor="key">API key</label>
        <input id="key" type="password" autoComplete="current-password" autoFocus required value={key} onChange={(event) => setKey(event.target.value)} placeholder="sk_steno_…" />
        {sign.isError && (
          <p className="bad" role="alert">
            {sign.error.message}
          </p>
        )}
        <button type="submit" className="button primary" disabled={sign.isPending}>
          Sign in
        </button>
        {reason && (
          <button type="button" className="button quiet" disabled={forget.isPending} onClick={() => forget.mutate()}>
            Forget the former sign-in
          </button>
        )}
        <p className="faint small">
          Members come in by the link that an admin made for them. An operator makes a key by <code>stenograph keys create</code>.
        </p>
      </form>
    </main>
  );
}
