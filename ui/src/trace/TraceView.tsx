/** One trace: the tree at the left, the chosen run at the right. Serves its owner and those who hold a link. */

import { type ReactNode, useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";

import type { TraceColumns } from "../api/types";
import { useKeys } from "../app/keys";
import { useParams } from "../app/router";
import { count, dollars, exactly, micros } from "../format/format";
import { Status } from "../parts/Status";
import { RunDetailPane } from "./RunDetailPane";
import { type Moves, TraceTree } from "./TraceTree";
import { above, collapsedAtFirst, criticalPath, find, idOf, layOut, nameOf, nextError, parents, rowsOf, statusOf } from "./tree";

interface Props {
  columns: TraceColumns;
  /** Where runs are read: /runs, or the same of a link. */
  base: string;
  actions?: ReactNode;
  shared?: boolean;
}

export function TraceView({ columns, base, actions, shared = false }: Props): ReactNode {
  const trace = useMemo(() => layOut(columns), [columns]);
  const critical = useMemo(() => criticalPath(trace), [trace]);
  const [params, setParams] = useParams();
  const stated = params.get("run");
  const root = useMemo(() => Math.max(0, find(trace, columns.trace)), [trace, columns.trace]);
  const chosen = useMemo(() => {
    const found = stated ? find(trace, stated) : root;
    return found < 0 ? root : found;
  }, [trace, stated, root]);
  const [collapsed, setCollapsed] = useState<ReadonlySet<number>>(() => collapsedAtFirst(trace));
  const [search, setSearch] = useState("");
  const [pane, setPane] = useState<"tree" | "detail">("tree");
  const wanted = useDeferredValue(search);
  const shown = useMemo(() => rowsOf(trace, collapsed, wanted), [trace, collapsed, wanted]);
  const tree = useRef<Moves>(null);
  const box = useRef<HTMLInputElement>(null);
  const detail = useRef<HTMLDivElement>(null);

  const reveal = useCallback(
    (run: number) => {
      const way = above(trace, run);
      setCollapsed((now) => (way.some((up) => now.has(up)) ? new Set([...now].filter((one) => !way.includes(one))) : now));
    },
    [trace],
  );
  const choose = useCallback(
    (run: number) => {
      reveal(run);
      setParams({ run: run === root ? null : idOf(trace, run) }, { replace: true });
    },
    [reveal, root, setParams, trace],
  );
  useEffect(() => reveal(chosen), [chosen, reveal]);
  useEffect(() => {
    if (window.matchMedia("(min-width: 800px)").matches) tree.current?.focus();
  }, []);
  const toggle = useCallback((run: number) => {
    setCollapsed((now) => {
      const next = new Set(now);
      if (!next.delete(run)) next.add(run);
      return next;
    });
  }, []);

  const toError = (step: 1 | -1): void => {
    const run = nextError(trace, chosen, step);
    if (run >= 0) choose(run);
  };
  const acts: Record<string, () => void> = {
    e: () => toError(1),
    E: () => toError(-1),
    "/": () => box.current?.focus(),
    "[": () => setCollapsed(parents(trace)),
    "]": () => setCollapsed(new Set()),
    d: () => {
      setPane("detail");
      detail.current?.focus();
    },
  };
  const onKey = (key: string): boolean => {
    const act = acts[key];
    act?.();
    return act !== undefined;
  };
  useKeys(useMemo(() => ({ "/": () => box.current?.focus(), t: () => tree.current?.focus() }), []));
  const errors = trace.failed.reduce((sum, one) => sum + one, 0);

  return (
    <div className={`trace show-${pane}`}>
      <header className="trace-head">
        <div className="trace-title">
          <Status status={statusOf(trace, root)} />
          <h1 title={nameOf(trace, root)}>{nameOf(trace, root) || "(no name)"}</h1>
        </div>
        <dl className="facts">
          <Fact name="began" value={exactly(columns.epoch)} />
          <Fact name="took" value={micros(columns.took[root]! < 0 ? null : columns.took[root])} />
          <Fact name="runs" value={count(trace.size) + (columns.more ? "+" : "")} />
          {trace.tokens[root]! > 0 && <Fact name="tokens" value={count(trace.tokens[root])} />}
          {trace.cost[root]! > 0 && <Fact name="cost" value={dollars(trace.cost[root])} />}
        </dl>
        <div className="trace-actions">{actions}</div>
      </header>
      {columns.more && <p className="banner">This trace has more runs than are shown: only the first {count(trace.size)} are.</p>}
      <div className="trace-body">
        <section className="trace-left" aria-label="Tree">
          <div className="tree-bar">
            <input
              ref={box}
              type="search"
              value={search}
              placeholder="Find by name, type or status  ( / )"
              aria-label="Find runs in the trace"
              onChange={(event) => setSearch(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === "Escape" && search) {
                  setSearch("");
                  event.preventDefault();
                } else if (event.key === "ArrowDown" || event.key === "Enter" || event.key === "Escape") {
                  const first = shown.isMatch ? shown.rows.find((run) => shown.isMatch?.[run] === 1) : undefined;
                  if (first !== undefined && event.key !== "Escape") choose(first);
                  tree.current?.focus();
                  event.preventDefault();
                }
              }}
            />
            <span className="faint" role="status">
              {shown.matches !== null && `${count(shown.matches)} found`}
            </span>
            {errors > 0 && (
              <button type="button" className="button small danger" onClick={() => toError(1)} title="Next error (e)">
                {count(errors)} {errors === 1 ? "error" : "errors"} ↓
              </button>
            )}
            <button type="button" className="button small" onClick={() => setCollapsed(collapsed.size ? new Set() : parents(trace))} title="Open or close all ( ] and [ )">
              {collapsed.size ? "Open all" : "Close all"}
            </button>
          </div>
          <TraceTree trace={trace} shown={shown} collapsed={wanted ? NONE : collapsed} critical={critical} chosen={chosen} choose={choose} toggle={toggle} onKey={onKey} handle={tree} />
        </section>
        <section className="trace-right" aria-label="Run" ref={detail} tabIndex={-1}>
          <RunDetailPane key={chosen} id={idOf(trace, chosen)} base={base} shared={shared} />
        </section>
      </div>
      <nav className="pane-switch" aria-label="Parts of the trace">
        <button type="button" aria-pressed={pane === "tree"} onClick={() => setPane("tree")}>
          Tree
        </button>
        <button type="button" aria-pressed={pane === "detail"} onClick={() => setPane("detail")}>
          {nameOf(trace, chosen) || "Run"}
        </button>
      </nav>
    </div>
  );
}

const NONE: ReadonlySet<number> = new Set();

function Fact({ name, value }: { name: string; value: string }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
