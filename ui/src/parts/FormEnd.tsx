/** The end of a form: what went wrong, and the two ways out of it. */

import type { ReactNode } from "react";

import { Wrong } from "./Notice";

interface Props {
  act: string;
  acting?: string;
  busy: boolean;
  /** Why it cannot be sent yet is said elsewhere in the form. */
  notYet?: boolean;
  error: Error | string | null;
  leave: () => void;
}

export function FormEnd({ act, acting = "Saving…", busy, notYet = false, error, leave }: Props): ReactNode {
  return (
    <>
      <Wrong error={error} />
      <div className="row end whole">
        <button type="button" className="button" onClick={leave}>
          Cancel
        </button>
        <button type="submit" className="button primary" disabled={busy || notYet}>
          {busy ? acting : act}
        </button>
      </div>
    </>
  );
}
