/** What there is to say instead of content: nothing yet, waiting, gone wrong. */

import type { ReactNode } from "react";

import { Refused } from "../api/http";

export function Failure({ error, retry }: { error: unknown; retry?: () => void }): ReactNode {
  const gone = error instanceof Refused && error.status === 404;
  return (
    <div className="notice" role="alert">
      <h2>{gone ? "Nothing is here" : "That did not work"}</h2>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      {retry && !gone && (
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }): ReactNode {
  return (
    <div className="notice">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Waiting({ what = "Loading" }: { what?: string }): ReactNode {
  return (
    <div className="waiting" role="status">
      <span className="spinner" aria-hidden="true" />
      <span className="unseen">{what}…</span>
    </div>
  );
}

/** Why something that was asked for did not happen, beside what asked for it. */
export function Wrong({ error }: { error: Error | string | null }): ReactNode {
  if (!error) return null;
  return (
    <p role="alert" className="bad whole">
      {typeof error === "string" ? error : error.message}
    </p>
  );
}
