/** JSON that opens and closes; of thousands of rows those in sight are in the document. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useMemo, useRef, useState } from "react";

import { Exact, type JsonRow, brief, isBranch, jsonRows } from "./jsonRows";

const LINE = 22;
const LONG = 300;

export function JsonTree({ value, label }: { value: unknown; label: string }): ReactNode {
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => jsonRows(value, toggled), [value, toggled]);
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => LINE, overscan: 10 });
  const toggle = (path: string): void => {
    const next = new Set(toggled);
    if (!next.delete(path)) next.add(path);
    setToggled(next);
  };
  return (
    <div className="json" ref={box} role="group" aria-label={`${label} as JSON`} tabIndex={0}>
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map((item) => (
          <div key={rows[item.index]!.path} ref={virtual.measureElement} data-index={item.index} className="json-row" style={{ transform: `translateY(${item.start}px)`, paddingLeft: 8 + 16 * Math.min(40, rows[item.index]!.depth) }}>
            <Line row={rows[item.index]!} toggle={toggle} />
          </div>
        ))}
      </div>
    </div>
  );
}

function Line({ row, toggle }: { row: JsonRow; toggle: (path: string) => void }): ReactNode {
  const name = row.name === null ? null : <span className="json-name">{row.name}: </span>;
  if (row.size) {
    return (
      <button type="button" className="json-branch" aria-expanded={row.open} onClick={() => toggle(row.path)}>
        <span className="twist" aria-hidden="true">
          {row.open ? "▾" : "▸"}
        </span>
        {name}
        <span className="faint">{row.open ? (Array.isArray(row.value) ? `[ ${row.size} ]` : `{ ${row.size} }`) : brief(row.value)}</span>
      </button>
    );
  }
  return (
    <span className="json-leaf">
      {name}
      <Leaf value={row.value} />
    </span>
  );
}

function Leaf({ value }: { value: unknown }): ReactNode {
  const [whole, setWhole] = useState(false);
  if (typeof value === "string") {
    const long = value.length > LONG && !whole;
    return (
      <>
        <span className="json-text">{long ? `${value.slice(0, LONG)}…` : value || '""'}</span>
        {value.length > LONG && (
          <button type="button" className="linklike" onClick={() => setWhole(!whole)}>
            {whole ? "less" : `all ${value.length.toLocaleString("en")} characters`}
          </button>
        )}
      </>
    );
  }
  if (isBranch(value)) return <span className="faint">{brief(value)}</span>;
  return <span className={value === null ? "faint" : value instanceof Exact || typeof value === "number" ? "json-number" : "json-flag"}>{brief(value)}</span>;
}
