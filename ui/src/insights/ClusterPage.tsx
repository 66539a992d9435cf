/** One cluster: its name, which can be changed in place, its figures beside the whole, what is in it, and its traces. */

import { keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";

import { ask } from "../api/http";
import type { Cluster, MemberRow, Report } from "../api/insights";
import { useKeys } from "../app/keys";
import { useMe } from "../app/me";
import { Link, go, toTrace, useParams } from "../app/router";
import { count, percent } from "../format/format";
import { Failure, Waiting } from "../parts/Notice";
import { type Column, VirtualTable } from "../parts/VirtualTable";
import { columnsOf } from "../project/columns";
import { Deviating } from "./Deviations";
import { SendTo } from "./SendTo";
import { toCluster, toFiltered, toReport, toReports } from "./addresses";
import { largestFirst, measures, upwards } from "./figures";

const PAGE = 100;
const SORTS: Record<string, string> = { start: "start_time", latency: "latency", tokens: "tokens", cost: "cost", closeness: "closeness" };

export function ClusterPage({ project, report, cluster }: { project: string; report: Report; cluster: Cluster }): ReactNode {
  const above = upwards(report.clusters, cluster.id).slice(1).reverse();
  const below = report.clusters.filter((one) => one.parent === cluster.id).sort(largestFirst);
  useKeys(useMemo(() => ({ Escape: () => go(toReport(project, report.id)) }), [project, report.id]));
  return (
    <div className="cluster-page">
      <header className="report-head">
        <nav className="crumbs" aria-label="Where this cluster is">
          <Link to={toReports(project)}>Reports</Link>
          <span aria-hidden="true">/</span>
          <Link to={toReport(project, report.id)}>{report.name}</Link>
          <span aria-hidden="true">/</span>
          {above.map((one) => (
            <span key={one.id} className="crumb">
              <Link to={toCluster(project, report.id, one.id)}>{one.name}</Link> <span aria-hidden="true">/</span>
            </span>
          ))}
        </nav>
        <div className="insights-bar">
          <Named project={project} report={report} cluster={cluster} />
          <span className="grow" />
          <Link to={toFiltered(project, cluster.id)} className="button" title="As a filter of the project's traces">
            In the table
          </Link>
          <SendTo project={project} report={report.id} cluster={cluster} />
        </div>
        <p className="cluster-said">{cluster.description}</p>
        <div className="cluster-figures">
          <span className="measure">
            <span className="measure-value">
              <span className="measure-label">share </span>
              {percent(cluster.stats.share)} <span className="faint small">{count(cluster.runs)} traces</span>
            </span>
            <span className="share-track" aria-hidden="true">
              <span className="share-bar" style={{ width: `${Math.max(0.5, cluster.stats.share * 100)}%` }} />
            </span>
          </span>
          {measures(cluster.stats, report.report?.overall ?? {}, 6).map((measure) => (
            <Deviating key={measure.key} measure={measure} />
          ))}
        </div>
        {below.length > 0 && (
          <ul className="chips" aria-label="Clusters in it">
            {below.map((one) => (
              <li key={one.id}>
                <Link to={toCluster(project, report.id, one.id)} className="chip link-chip">
                  <span className="clipped">{one.name}</span> <span className="faint small">{percent(one.stats.share)}</span>
                </Link>
              </li>
            ))}
          </ul>
        )}
      </header>
      <Members project={project} report={report.id} cluster={cluster.id} />
    </div>
  );
}

/** The name as a heading; a click, or r, makes it a field. */
function Named({ project, report, cluster }: { project: string; report: Report; cluster: Cluster }): ReactNode {
  const cache = useQueryClient();
  const mayWrite = useMe().may.includes("write");
  const [text, setText] = useState<string | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const rename = useMutation({
    mutationFn: (name: string) => ask<Cluster>(`/projects/${project}/insights/${report.id}/clusters/${cluster.id}`, { method: "PATCH", body: { name } }),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ["report", report.id] });
      setText(null);
    },
  });
  const isOpen = text !== null;
  useKeys(useMemo(() => ({ r: () => mayWrite && setText(cluster.name) }), [mayWrite, cluster.name]));
  useEffect(() => setText(null), [cluster.id]);
  if (!isOpen) {
    return (
      <h2 className="cluster-title">
        {cluster.name}{" "}
        {mayWrite && (
          <button ref={button} type="button" className="linklike small" onClick={() => setText(cluster.name)} title="Rename ( r )">
            Rename
          </button>
        )}
      </h2>
    );
  }
  return (
    <form
      className="rename"
      onSubmit={(event) => {
        event.preventDefault();
        const name = text.trim();
        if (name === cluster.name) setText(null);
        else if (name) rename.mutate(name);
      }}
    >
      <input
        autoFocus
        aria-label="Name of the cluster"
        value={text}
        maxLength={255}
        onFocus={(event) => event.target.select()}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.preventDefault();
          setText(null);
        }}
      />
      <button type="submit" className="button primary" disabled={rename.isPending || !text.trim()}>
        Keep
      </button>
      <button type="button" className="button" onClick={() => setText(null)}>
        Cancel
      </button>
      {rename.isError && <p role="alert" className="bad small">{rename.error.message}</p>}
    </form>
  );
}

const CLOSENESS: Column<MemberRow> = {
  key: "closeness", title: "Fits", width: "64px", end: true, sort: (run) => run.closeness,
  cell: (run) => <span className="faint" title="How near its text is to the middle of the cluster, at most 1">{run.closeness === null ? "–" : run.closeness.toFixed(2)}</span>,
};

/** The columns of runs, some of which the server can sort by. */
const COLUMNS: readonly Column<MemberRow>[] = [
  ...columnsOf(["status", "name", "input", "output", "start", "latency", "tokens", "cost"]).map((column): Column<MemberRow> => {
    const cell = column.key === "name" ? (run: MemberRow): ReactNode => (run.gone ? <span className="faint">deleted since</span> : column.cell(run)) : column.cell;
    return { ...column, cell, ...(column.key in SORTS ? { sort: () => null } : {}) };
  }),
  CLOSENESS,
];

function Members({ project, report, cluster }: { project: string; report: string; cluster: string }): ReactNode {
  const [params, setParams] = useParams();
  const key = params.get("sort") ?? "closeness";
  const order = params.get("order") === "up" ? "up" : "down";
  const found = useInfiniteQuery({
    queryKey: ["members", report, cluster, key, order],
    queryFn: ({ pageParam, signal }) =>
      ask<{ runs: MemberRow[]; next: number | null }>(`/projects/${project}/insights/${report}/runs?cluster=${cluster}&sort=${SORTS[key] ?? "closeness"}&order=${order}&offset=${pageParam}&limit=${PAGE}`, { signal }),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = found;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.runs) ?? [], [found.data]);
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading traces" />;
  return (
    <VirtualTable<MemberRow>
      label="Traces of the cluster"
      rows={rows}
      columns={COLUMNS}
      idOf={(run) => run.id}
      to={(run) => toTrace(run.trace, run.id)}
      onEnd={more}
      sorted={{ key, descending: order === "down" }}
      onSort={(next) => setParams({ sort: next, order: next === key && order === "down" ? "up" : null })}
      footer={isFetchingNextPage ? <p className="more" role="status">Reading more…</p> : null}
    />
  );
}
