/** A link for readers without a key: made, copied, and taken back. */

import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { ask } from "../api/http";
import { useMe } from "../app/me";
import { Copy } from "./Copy";
import { Wrong } from "./Notice";
import { Popover } from "./Popover";

interface Props {
  /** What is shared, in the words of a sentence: "trace". */
  what: string;
  /** What a reader of the link sees, and what is about to be shown to anybody. */
  shows: string;
  offers: string;
  token: string | null;
  /** The path of the link's end, after its token. */
  end: string;
  /** The route that makes and takes back, and the method that makes. */
  path: string;
  method: "POST" | "PUT";
  told: (token: string | null) => void;
}

export function ShareLink({ what, shows, offers, token, end, path, method, told }: Props): ReactNode {
  const me = useMe();
  const share = useMutation({ mutationFn: () => ask<{ token: string }>(path, { method }), onSuccess: (made) => told(made.token) });
  const close = useMutation({ mutationFn: () => ask(path, { method: "DELETE" }), onSuccess: () => told(null) });
  if (!me.may.includes("write")) return null;
  const link = token ? `${me.url}/public/${token}/${end}` : null;
  return (
    <Popover label={link ? "Shared" : "Share"} title={`Share this ${what}`}>
      {() =>
        link ? (
          <div className="share">
            <p>Whoever has this link can read {shows}, and nothing else.</p>
            <input readOnly value={link} aria-label={`Link to the ${what}`} onFocus={(event) => event.target.select()} />
            <div className="row">
              <Copy text={link}>Copy link</Copy>
              <button type="button" className="button small danger" disabled={close.isPending} onClick={() => close.mutate()}>
                Stop sharing
              </button>
            </div>
            <Wrong error={close.error} />
          </div>
        ) : (
          <div className="share">
            <p>A link lets anybody read {offers} without a key, until you take it back.</p>
            <button type="button" className="button primary" disabled={share.isPending} onClick={() => share.mutate()}>
              Make a link
            </button>
            <Wrong error={share.error} />
          </div>
        )
      }
    </Popover>
  );
}
