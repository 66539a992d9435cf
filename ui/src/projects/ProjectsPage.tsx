/** All projects of the workspace, with what they did lately. */

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useRef } from "react";

import { ask } from "../api/http";
import type { ProjectRow } from "../api/types";
import { useKeys } from "../app/keys";
import { Link, toProject, useParams } from "../app/router";
import { ago, count, dollars, exactly, percent, seconds } from "../format/format";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { type Column, VirtualTable } from "../parts/VirtualTable";
import { Welcome } from "../welcome/Welcome";
import { Spark } from "./Spark";

const WINDOWS = [
  ["day", "24 hours"],
  ["week", "7 days"],
  ["month", "30 days"],
] as const;

const COLUMNS: readonly Column<ProjectRow>[] = [
  {
    key: "name", title: "Project", width: "minmax(150px, 2fr)", sort: (row) => row.name.toLowerCase(),
    cell: (row) => <Link to={toProject(row.id)} className="strong clipped" title={row.description ?? row.name}>{row.name}</Link>,
  },
  { key: "spark", title: "Volume", width: "minmax(90px, 1fr)", cell: (row) => <Spark values={row.spark} label={`${row.runs} traces`} /> },
  { key: "runs", title: "Traces", width: "84px", end: true, sort: (row) => row.runs, cell: (row) => count(row.runs) },
  { key: "errorRate", title: "Errors", width: "76px", end: true, sort: (row) => row.errorRate ?? null, cell: (row) => <span className={row.errorRate ? "bad" : ""}>{percent(row.errorRate)}</span> },
  { key: "p50", title: "p50", width: "88px", end: true, sort: (row) => row.p50 ?? null, cell: (row) => seconds(row.p50) },
  { key: "p99", title: "p99", width: "88px", end: true, sort: (row) => row.p99 ?? null, cell: (row) => seconds(row.p99) },
  { key: "tokens", title: "Tokens", width: "84px", end: true, sort: (row) => row.tokens ?? null, cell: (row) => count(row.tokens) },
  { key: "cost", title: "Cost", width: "84px", end: true, sort: (row) => row.cost ?? null, cell: (row) => dollars(row.cost) },
  { key: "last", title: "Last trace", width: "104px", end: true, sort: (row) => row.last ?? null, cell: (row) => <span className="faint" title={row.last ? exactly(row.last) : ""}>{ago(row.last)}</span> },
];

const UNASKED = "default";

export function ProjectsPage(): ReactNode {
  const [params, setParams] = useParams();
  const window_ = params.get("window") ?? "week";
  const search = params.get("q") ?? "";
  const sorted = { key: params.get("sort") ?? "last", descending: params.get("order") !== "up" };
  const box = useRef<HTMLInputElement>(null);
  useKeys(useMemo(() => ({ "/": () => box.current?.focus() }), []));
  const found = useQuery({
    queryKey: ["projects", window_],
    queryFn: ({ signal }) => ask<{ projects: ProjectRow[]; more: boolean }>(`/projects?window=${encodeURIComponent(window_)}`, { signal }),
    refetchInterval: 15_000,
  });
  const rows = useMemo(() => arranged(found.data?.projects ?? [], search, sorted.key, sorted.descending), [found.data, search, sorted.key, sorted.descending]);
  if (found.isError && !found.data) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading projects" />;
  if (found.data.projects.every((project) => !project.last)) return <Welcome />;
  return (
    <div className="page">
      <header className="page-head">
        <h1>Projects</h1>
        <input ref={box} type="search" placeholder="Find a project  ( / )" aria-label="Find a project" value={search} onChange={(event) => setParams({ q: event.target.value }, { replace: true })} />
        <div className="segments" role="group" aria-label="Window">
          {WINDOWS.map(([key, label]) => (
            <button key={key} type="button" aria-pressed={key === window_} onClick={() => setParams({ window: key === "week" ? null : key })}>
              {label}
            </button>
          ))}
        </div>
      </header>
      {found.data.more && <p className="banner">There are more projects than are listed here.</p>}
      {rows.length === 0 ? (
        <Empty title="No project is called so" />
      ) : (
        <VirtualTable
          label="Projects"
          rows={rows}
          columns={COLUMNS}
          idOf={(row) => row.id}
          to={(row) => toProject(row.id)}
          height={44}
          sorted={sorted}
          onSort={(key) => setParams({ sort: key, order: sorted.key === key && sorted.descending ? "up" : null })}
        />
      )}
    </div>
  );
}

/** Those whose name has the words, in order; what has no such figure comes last. Every workspace is born with a project
 * `default`: as long as nothing was recorded there it is no news, and is listed only when it is looked for. */
export function arranged(projects: readonly ProjectRow[], search: string, key: string, descending: boolean): ProjectRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const sort = COLUMNS.find((column) => column.key === key)?.sort ?? (() => null);
  const found = projects.filter((project) => words.every((word) => project.name.toLowerCase().includes(word)) && (words.length > 0 || project.name !== UNASKED || project.last));
  return found.sort((a, b) => {
    const [left, right] = [sort(a), sort(b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    const order = left < right ? -1 : left > right ? 1 : 0;
    return descending ? -order : order;
  });
}
