/** Runs of a project in a table: filtered, searched, live. All of its state is in the address. */

import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback, useDeferredValue, useMemo, useRef, useState } from "react";

import { Refused, ask } from "../api/http";
import type { After, Figures, RunPage, RunRow } from "../api/types";
import { useKeys } from "../app/keys";
import { toTrace, useParams } from "../app/router";
import { FilterBar } from "../filters/FilterBar";
import { count, dollars, percent, score, seconds } from "../format/format";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { Popover } from "../parts/Popover";
import { SearchForm } from "../parts/SearchForm";
import { type Choosing, VirtualTable } from "../parts/VirtualTable";
import { BulkBar } from "./BulkBar";
import type { Scope } from "./ProjectPage";
import { Views } from "./Views";
import { NOTHING, toggled, toggledAll } from "./choice";
import { ALL, chosenColumns, columnsOf, keepColumns } from "./columns";

const PAGE = 100;

export function RunsTab({ scope }: { scope: Scope }): ReactNode {
  const { project, asked } = scope;
  const [params, setParams] = useParams();
  const live = params.get("live") === "1";
  const filterBox = useRef<HTMLInputElement>(null);
  const searchBox = useRef<HTMLInputElement>(null);
  const keys = chosenColumns(params.get("cols"));
  const columns = useMemo(() => columnsOf(keys), [keys.join()]); // eslint-disable-line
  useKeys(
    useMemo(
      () => ({
        f: () => filterBox.current?.focus(),
        "/": () => searchBox.current?.focus(),
        t: () => setParams({ live: live ? null : "1" }),
      }),
      [live, setParams],
    ),
  );
  const values = useValues(project);
  const found = useInfiniteQuery({
    queryKey: ["runs", project, asked],
    queryFn: ({ pageParam, signal }) => ask<RunPage>(`/projects/${project}/runs`, { body: { ...asked, limit: PAGE, after: pageParam }, signal }),
    initialPageParam: null as After | null,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: live ? 2000 : false,
    placeholderData: keepPreviousData,
    ...(live ? { maxPages: 1 } : {}),
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = found;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !live) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, live]);
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.runs) ?? [], [found.data]);
  const [choice, setChoice] = useState(NOTHING);
  const order = useMemo(() => rows.map((run) => run.id), [rows]);
  const chosen = useMemo(() => rows.filter((run) => choice.ids.has(run.id)), [rows, choice]);
  const choosing: Choosing = {
    has: (id) => choice.ids.has(id),
    count: chosen.length,
    toggle: (index, range) => setChoice((now) => toggled(now, order, index, range)),
    toggleAll: () => setChoice((now) => toggledAll(now, order)),
  };
  const refusal = found.error instanceof Refused && found.error.status === 400 ? found.error : null;
  return (
    <>
      <div className="run-tools">
        <FilterBar value={asked.filter ?? ""} change={(filter) => setParams({ filter })} values={values} refusal={refusal} box={filterBox} />
        <SearchForm label="Search the text of runs" placeholder="Search all text  ( / )" asked={asked.search ?? ""} ask={(q) => setParams({ q })} box={searchBox} />
        <button type="button" className={`button${live ? " on" : ""}`} aria-pressed={live} onClick={() => setParams({ live: live ? null : "1" })} title="Live tail ( t )">
          <span className={live ? "pulse" : "pulse off"} aria-hidden="true" /> Live
        </button>
        <Views project={project} columns={keys} />
        <Columns keys={keys} values={values} change={(next) => {
          keepColumns(next);
          setParams({ cols: next.join(",") }, { replace: true });
        }} />
      </div>
      <Summary scope={scope} live={live} />
      {chosen.length > 0 && <BulkBar project={project} chosen={chosen} roots={asked.roots !== false} clear={() => setChoice(NOTHING)} />}
      {found.isError && !refusal ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : refusal ? null : !found.data ? (
        <Waiting what="Reading runs" />
      ) : rows.length === 0 ? (
        <Empty title="No runs here">
          <p>Nothing matches in this span of time.</p>
          {(asked.filter || asked.search) && (
            <button type="button" className="button" onClick={() => setParams({ filter: null, q: null })}>
              Clear filter and search
            </button>
          )}{" "}
          {scope.range.preset !== "all" && (
            <button type="button" className="button" onClick={() => setParams({ range: "all", since: null, until: null })}>
              Look at all time
            </button>
          )}
        </Empty>
      ) : (
        <VirtualTable<RunRow> label="Runs" rows={rows} columns={columns} choosing={choosing} nameOf={(run) => run.name || "(no name)"} idOf={(run) => run.id} to={(run) => toTrace(run.trace, run.id)} onEnd={more} footer={isFetchingNextPage ? <p className="more" role="status">Reading more…</p> : null} />
      )}
    </>
  );
}

export function useValues(project: string): Record<string, string[]> {
  const found = useQuery({ queryKey: ["values", project], queryFn: ({ signal }) => ask<Record<string, string[]>>(`/projects/${project}/values`, { signal }), staleTime: 60_000 });
  return found.data ?? NO_VALUES;
}

const NO_VALUES: Record<string, string[]> = {};

function Summary({ scope, live }: { scope: Scope; live: boolean }): ReactNode {
  const asked = useDeferredValue(scope.asked);
  const found = useQuery({
    queryKey: ["figures", scope.project, asked],
    queryFn: ({ signal }) => ask<Figures>(`/projects/${scope.project}/figures`, { body: asked, signal }),
    refetchInterval: live ? 5000 : false,
    placeholderData: keepPreviousData,
  });
  const stats = found.data;
  const facts: [string, string, boolean?][] = stats
    ? [
        [asked.roots ? "traces" : "runs", count(stats.runs)],
        ["errors", percent(stats.errorRate), Boolean(stats.errorRate)],
        ["p50", seconds(stats.p50)],
        ["p99", seconds(stats.p99)],
        ["tokens", count(stats.tokens)],
        ["cost", dollars(stats.cost)],
        ...Object.entries(stats.feedback ?? {}).filter(([, value]) => value !== null).slice(0, 4).map(([key, value]): [string, string] => [key, score(value)]),
      ]
    : [];
  return (
    <dl className="summary" aria-label="Figures">
      {facts.map(([name, value, bad]) => (
        <div key={name}>
          <dt className="clipped">{name}</dt>
          <dd className={bad ? "bad" : ""}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Columns({ keys, values, change }: { keys: string[]; values: Record<string, string[]>; change: (keys: string[]) => void }): ReactNode {
  const metadata = Object.keys(values).filter((key) => key.startsWith("metadata."));
  const all = [...ALL.map((column) => [column.key, column.title || "Status"] as const), ...metadata.map((key) => [key, key.slice(9)] as const)];
  return (
    <Popover label="Columns" title="Columns">
      {() => (
        <ul className="choices">
          {all.map(([key, title]) => (
            <li key={key}>
              <label>
                <input type="checkbox" checked={keys.includes(key)} onChange={() => change(keys.includes(key) ? keys.filter((one) => one !== key) : [...keys, key])} />
                <span className="clipped">{title}</span>
              </label>
            </li>
          ))}
        </ul>
      )}
    </Popover>
  );
}
