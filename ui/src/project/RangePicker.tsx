/** Which span of time: a preset, or from and until in the viewer's own zone. */

import { type ReactNode, useState } from "react";

import { useParams } from "../app/router";
import { Popover } from "../parts/Popover";
import { PRESETS, type Range } from "./range";

export function RangePicker({ range }: { range: Range }): ReactNode {
  const [, setParams] = useParams();
  return (
    <Popover label={`◷ ${range.label}`} title="Span of time">
      {(close) => (
        <div className="ranges">
          {PRESETS.map((preset) => (
            <button
              key={preset.key}
              type="button"
              className="choice"
              aria-pressed={preset.key === range.preset}
              onClick={() => {
                setParams({ range: preset.key, since: null, until: null });
                close();
              }}
            >
              {preset.label}
            </button>
          ))}
          <Custom range={range} close={close} />
        </div>
      )}
    </Popover>
  );
}

function Custom({ range, close }: { range: Range; close: () => void }): ReactNode {
  const [, setParams] = useParams();
  const [from, setFrom] = useState(local(range.since ?? Date.now() * 1000 - 86_400e6));
  const [until, setUntil] = useState(local(range.until ?? Date.now() * 1000));
  const [since, end] = [new Date(from).getTime() * 1000, new Date(until).getTime() * 1000];
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        setParams({ since: String(since), until: String(end), range: null });
        close();
      }}
    >
      <label>
        From <input type="datetime-local" value={from} onChange={(event) => setFrom(event.target.value)} />
      </label>
      <label>
        Until <input type="datetime-local" value={until} onChange={(event) => setUntil(event.target.value)} />
      </label>
      <p className="faint small">{Intl.DateTimeFormat().resolvedOptions().timeZone}</p>
      <button type="submit" className="button primary" disabled={!(end > since)}>
        Show
      </button>
    </form>
  );
}

function local(at: number): string {
  const date = new Date(at / 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
