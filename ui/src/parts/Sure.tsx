/** A button for what cannot be taken back: asks once more in its place. */

import { type ReactNode, useState } from "react";

import { Wrong } from "./Notice";

interface Props {
  act: string;
  of: string;
  sure: string;
  busy: boolean;
  error: Error | null;
  go: () => void;
}

export function Sure({ act, of, sure, busy, error, go }: Props): ReactNode {
  const [asked, setAsked] = useState(false);
  return (
    <>
      {asked ? (
        <span className="acts-row">
          <button type="button" className="button small danger" autoFocus disabled={busy} onClick={go}>
            {sure}
          </button>
          <button type="button" className="button small" onClick={() => setAsked(false)}>
            Keep
          </button>
        </span>
      ) : (
        <button type="button" className="button small" aria-label={`${act} ${of}`} onClick={() => setAsked(true)}>
          {act}
        </button>
      )}
      <Wrong error={error} />
    </>
  );
}
