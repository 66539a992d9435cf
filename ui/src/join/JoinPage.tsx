/** Where a link of an invitation leads: says what it is, and lets in whoever presses the button. Looking uses nothing up. */

import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";

import { Refused, ask } from "../api/http";
import type { Invitation } from "../api/members";
import { minute } from "../format/format";
import { Failure, Waiting, Wrong } from "../parts/Notice";
import { aboutRole } from "../settings/words";

function useToken(): string {
  const [token, setToken] = useState(() => location.hash.slice(1));
  useEffect(() => {
    const changed = (): void => setToken(location.hash.slice(1));
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return token;
}

export default function JoinPage(): ReactNode {
  const token = useToken();
  const look = useQuery({
    queryKey: ["join", token],
    queryFn: ({ signal }) => ask<Invitation>("/join/look", { body: { token }, signal }),
    staleTime: Infinity,
  });
  useEffect(() => {
    document.title = "Join · Stenograph";
  }, []);
  if (look.error instanceof Refused && look.error.status === 404) return <NoWay reason={look.error.message} />;
  if (look.isError) return <Failure error={look.error} retry={() => void look.refetch()} />;
  if (!look.data) return <Waiting />;
  return <Welcome key={token} token={token} found={look.data} />;
}

function Welcome({ token, found }: { token: string; found: Invitation }): ReactNode {
  const join = useMutation({ mutationFn: () => ask("/join", { body: { token } }), onSuccess: () => location.replace("/ui/") });
  if (join.error instanceof Refused && join.error.status === 404) return <NoWay reason={join.error.message} />;
  return (
    <main className="signin">
      <form
        className="card"
        onSubmit={(event) => {
          event.preventDefault();
          join.mutate();
        }}
      >
        <h1>{found.back ? `Welcome back, ${found.name}` : `Join ${found.workspace}`}</h1>
        {found.back ? (
          <p>
            This link signs you in to the workspace <strong>{found.workspace}</strong> on this browser.
          </p>
        ) : (
          <p>
            {found.by ?? "An admin"} invites you, <strong>{found.name}</strong>, to the workspace <strong>{found.workspace}</strong>.
          </p>
        )}
        <p>
          Your role is <strong>{found.role}</strong>: {aboutRole(found.role)}.
        </p>
        {found.problem ? (
          <>
            <p className="banner">{found.problem}</p>
            <a className="button primary" href="/ui/">
              Come in
            </a>
          </>
        ) : (
          <>
            <Wrong error={join.error} />
            <button type="submit" className="button primary" disabled={join.isPending || join.isSuccess} autoFocus>
              {found.back ? "Sign in" : "Join"}
            </button>
            <p className="faint small">The link works once, until {minute(found.until)}. This browser then stays signed in for 30 days from your last visit.</p>
          </>
        )}
      </form>
    </main>
  );
}

function NoWay({ reason }: { reason: string }): ReactNode {
  return (
    <main className="signin">
      <div className="card">
        <h1>This link leads nowhere</h1>
        <p role="alert">{reason}</p>
        <p>
          <a href="/ui/">To Stenograph</a>, if you are in already.
        </p>
      </div>
    </main>
  );
}
