/** Tree and waterfall in one: a row a run, its bar beside its name. Driven by keys; only rows in sight are drawn. */

import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useImperativeHandle, useRef } from "react";

import { count, dollars, micros } from "../format/format";
import { Kind } from "../parts/Status";
import { type Shown, type Trace, nameOf, statusOf, typeOf } from "./tree";

const ROW = 30;

export interface Moves {
  focus: () => void;
}

interface Props {
  trace: Trace;
  shown: Shown;
  collapsed: ReadonlySet<number>;
  critical: ReadonlySet<number>;
  chosen: number;
  choose: (run: number) => void;
  toggle: (run: number) => void;
  onKey: (key: string) => boolean;
  handle: RefObject<Moves | null>;
}

export function TraceTree({ trace, shown, collapsed, critical, chosen, choose, toggle, onKey, handle }: Props): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const { rows } = shown;
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 15 });
  const at = rows.indexOf(chosen);
  useImperativeHandle(handle, () => ({ focus: () => box.current?.focus() }), []);
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
  }, [at, virtual]);

  const moveTo = (index: number): void => {
    const run = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (run !== undefined) choose(run);
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const page = Math.floor((box.current?.clientHeight ?? 300) / ROW) - 1;
    const steps: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -rows.length, End: rows.length };
    const step = steps[event.key];
    const branch = chosen >= 0 && trace.family[chosen]! > 1;
    if (step !== undefined) moveTo(Math.max(0, at) + (at < 0 ? 0 : step));
    else if ((event.key === "ArrowRight" || event.key === "l") && branch) {
      if (collapsed.has(chosen)) toggle(chosen);
      else moveTo(at + 1);
    } else if (event.key === "ArrowLeft" || event.key === "h") {
      if (branch && !collapsed.has(chosen)) toggle(chosen);
      else if (chosen >= 0 && trace.parent[chosen]! >= 0) choose(trace.parent[chosen]!);
    } else if ((event.key === " " || event.key === "Enter") && branch) toggle(chosen);
    else if (!onKey(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div ref={box} className="tree" role="tree" aria-label="Runs of the trace" tabIndex={0} aria-activedescendant={at >= 0 ? `run-${chosen}` : undefined} onKeyDown={pressed}>
      <div style={{ height: virtual.getTotalSize(), position: "relative" }} role="presentation">
        {virtual.getVirtualItems().map((item) => {
          const run = rows[item.index]!;
          return (
            <Row
              key={run}
              trace={trace}
              run={run}
              top={item.start}
              chosen={run === chosen}
              collapsed={collapsed.has(run)}
              critical={critical.has(run)}
              match={shown.isMatch ? shown.isMatch[run] === 1 : null}
              choose={choose}
              toggle={toggle}
            />
          );
        })}
      </div>
    </div>
  );
}

interface RowProps {
  trace: Trace;
  run: number;
  top: number;
  chosen: boolean;
  collapsed: boolean;
  critical: boolean;
  match: boolean | null;
  choose: (run: number) => void;
  toggle: (run: number) => void;
}

function Row({ trace, run, top, chosen, collapsed, critical, match, choose, toggle }: RowProps): ReactNode {
  const branch = trace.family[run]! > 1;
  const name = nameOf(trace, run) || "(no name)";
  const status = statusOf(trace, run);
  const below = collapsed ? trace.errors[run]! - trace.failed[run]! : 0;
  const left = (100 * trace.start[run]!) / trace.length;
  const width = (100 * (trace.end[run]! - trace.start[run]!)) / trace.length;
  const took = trace.columns.took[run]!;
  const classes = ["tree-row", chosen ? "chosen" : "", status === "error" ? "failed" : "", match === false ? "beside" : ""].join(" ");
  return (
    <div
      id={`run-${run}`}
      role="treeitem"
      aria-level={trace.depth[run]! + 1}
      aria-selected={chosen}
      aria-expanded={branch ? !collapsed : undefined}
      className={classes}
      style={{ height: ROW, transform: `translateY(${top}px)` }}
      onClick={() => choose(run)}
      onDoubleClick={() => branch && toggle(run)}
    >
      <div className="tree-name" style={{ paddingLeft: 6 + 14 * Math.min(trace.depth[run]!, 24) }}>
        {branch ? (
          <span
            className="twist"
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation();
              toggle(run);
            }}
          >
            {collapsed ? "▸" : "▾"}
          </span>
        ) : (
          <span className="twist" />
        )}
        <Kind type={typeOf(trace, run)} />
        <span className="tree-label" title={name}>
          {name}
        </span>
        <span className="unseen">{status}</span>
        {status === "error" && <span className="mark-error" aria-hidden="true">✕</span>}
        {collapsed && <span className="tree-more">{count(trace.family[run]! - 1)}</span>}
        {below > 0 && <span className="mark-error below" title={`${below} errors below`}>{count(below)} ✕</span>}
        <span className="tree-figures">
          {trace.tokens[run]! > 0 && <span>{count(trace.tokens[run])} tok</span>}
          {trace.cost[run]! > 0 && <span>{dollars(trace.cost[run])}</span>}
        </span>
      </div>
      <div className="tree-time">
        <div className={`bar bar-${typeOf(trace, run)}${critical ? " critical" : ""}${took < 0 ? " running" : ""}`} style={{ left: `${left}%`, width: `max(2px, ${width}%)` }} />
        <span className={`bar-text${left + width >= 70 && left <= 30 ? " inside" : ""}`} style={left + width < 70 ? { left: `calc(${left + width}% + 6px)` } : left > 30 ? { right: `calc(${100 - left}% + 6px)` } : { left: `calc(${left}% + 6px)` }}>
          {took < 0 ? "running" : micros(took)}
        </span>
      </div>
    </div>
  );
}
