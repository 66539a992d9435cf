/** One report: what it found in sentences, then its clusters as a tree, as a map, or beside those of an earlier one. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { ask } from "../api/http";
import type { Highlight, Report } from "../api/insights";
import { useMe } from "../app/me";
import { Link, changed, go, toTrace, useParams } from "../app/router";
import { count, exactly, moment } from "../format/format";
import { Empty, Failure, Waiting, Wrong } from "../parts/Notice";
import { Popover } from "../parts/Popover";
import { ClusterMap } from "./ClusterMap";
import { ClusterPage } from "./ClusterPage";
import { ClusterTree } from "./ClusterTree";
import { Comparison } from "./Comparison";
import { Progress } from "./Progress";
import { isUnderWay, windowText } from "./ReportList";
import { toCluster, toReport, toReports } from "./addresses";
import { withReferences } from "./figures";

const VIEWS = [
  ["tree", "Clusters"],
  ["map", "Map"],
  ["changes", "Changes"],
] as const;

export function ReportPage({ project, id }: { project: string; id: string }): ReactNode {
  const [params] = useParams();
  const found = useQuery({
    queryKey: ["report", id],
    queryFn: ({ signal }) => ask<Report>(`/projects/${project}/insights/${id}`, { signal }),
    refetchInterval: (query) => (query.state.data && isUnderWay(query.state.data) ? 700 : false),
    staleTime: 60_000,
  });
  if (found.isError && !found.data) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading the report" />;
  const report = found.data;
  const chosen = params.get("cluster");
  const cluster = chosen === null ? undefined : report.clusters.find((one) => one.id === chosen);
  if (cluster) return <ClusterPage project={project} report={report} cluster={cluster} />;
  return (
    <div className="insights-scroll">
      <Head project={project} report={report} />
      {isUnderWay(report) && <Progress project={project} report={report} />}
      {report.status === "error" && <Ended project={project} report={report} />}
      {report.report && <Content project={project} report={report} found={report.report} />}
    </div>
  );
}

function Head({ project, report }: { project: string; report: Report }): ReactNode {
  return (
    <header className="report-head">
      <nav className="crumbs" aria-label="Where this report is">
        <Link to={toReports(project)}>Reports</Link>
        <span aria-hidden="true">/</span>
      </nav>
      <div className="insights-bar">
        <h2 className="report-title">{report.name}</h2>
        <span className="grow" />
        <Remove project={project} report={report} />
      </div>
      <p className="run-line">
        <span>{windowText(report.asked)}</span>
        {report.runs !== null && <span>{count(report.runs)} traces</span>}
        {report.report && report.runs !== null && report.runs > 0 && <span>{count(report.report.distinct)} different texts</span>}
        {report.asked.sample !== null && <span>{report.asked.sample <= 1 ? `a sample of ${Math.round(report.asked.sample * 100)} %` : `at most ${count(report.asked.sample)}`}</span>}
        {report.asked.filter && <code className="clipped" title={report.asked.filter}>{report.asked.filter}</code>}
        <span title={exactly(report.created)}>made {moment(report.finished ?? report.created)}</span>
      </p>
    </header>
  );
}

function Remove({ project, report }: { project: string; report: Report }): ReactNode {
  const cache = useQueryClient();
  const mayWrite = useMe().may.includes("write");
  const remove = useMutation({
    mutationFn: () => ask(`/projects/${project}/insights/${report.id}`, { method: "DELETE" }),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ["reports", project] });
      go(toReports(project));
    },
  });
  if (!mayWrite) return null;
  return (
    <Popover label="Delete" title="Delete this report">
      {() => (
        <div className="share">
          <p>The report and its clusters go. The traces stay.</p>
          <button type="button" className="button danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
            Delete the report
          </button>
          <Wrong error={remove.error} />
        </div>
      )}
    </Popover>
  );
}

function Ended({ project, report }: { project: string; report: Report }): ReactNode {
  const isCancelled = report.error === "cancelled";
  return (
    <Empty title={isCancelled ? "This report was cancelled" : "This report could not be made"}>
      {!isCancelled && <p>{report.error}</p>}
      <Link to={toReports(project)} className="button">
        All reports
      </Link>
    </Empty>
  );
}

function Content({ project, report, found }: { project: string; report: Report; found: NonNullable<Report["report"]> }): ReactNode {
  const [params] = useParams();
  const view = VIEWS.find(([key]) => key === params.get("view"))?.[0] ?? "tree";
  const [closed, setClosed] = useState<ReadonlySet<string>>(() => new Set());
  if (report.runs === 0) {
    return (
      <Empty title="No trace is in this window">
        <p>Nothing was recorded from {windowText(report.asked)}{report.asked.filter ? " that matches the filter" : ""}.</p>
        <Link to={toReports(project)} className="button">
          Another report
        </Link>
      </Empty>
    );
  }
  const ranks = new Set(found.highlights.map((each) => each.rank));
  return (
    <>
      <section className="findings" aria-label="What was found">
        <div>
          <h3>{found.title}</h3>
          <ul className="points">
            {found.points.map((point) => (
              <li key={point}>
                {withReferences(point, ranks).map((part, at) =>
                  typeof part === "string" ? (
                    part
                  ) : (
                    <Link key={at} to={toTrace(found.highlights.find((each) => each.rank === part)!.run)}>
                      #{part}
                    </Link>
                  ),
                )}
              </li>
            ))}
          </ul>
        </div>
        <div>
          <h3>Traces worth a look</h3>
          <ol className="highlights" aria-label="Highlighted traces">
            {found.highlights.map((each) => (
              <Highlighted key={each.rank} project={project} report={report.id} highlight={each} />
            ))}
          </ol>
        </div>
      </section>
      <nav className="tabs report-views" aria-label="Views of the report">
        {VIEWS.map(([key, label]) => (
          <Link key={key} to={toReport(project, report.id, changed(params, { view: key === "tree" ? null : key }))} aria-current={key === view ? "page" : undefined}>
            {label}
          </Link>
        ))}
      </nav>
      {view === "tree" && <ClusterTree project={project} report={report} overall={found.overall} closed={closed} setClosed={setClosed} />}
      {view === "map" && <ClusterMap project={project} report={report} overall={found.overall} />}
      {view === "changes" && <Comparison project={project} report={report} />}
    </>
  );
}

function Highlighted({ project, report, highlight }: { project: string; report: string; highlight: Highlight }): ReactNode {
  return (
    <li>
      <Link to={toTrace(highlight.run)} className="highlight">
        <span className="rank">#{highlight.rank}</span>
        <span className="highlight-text">
          <span className="strong">{highlight.reason}</span>
          {highlight.summary && <span className="faint small two-lines">{highlight.summary}</span>}
        </span>
      </Link>
      {highlight.cluster && (
        <Link to={toCluster(project, report, highlight.cluster)} className="tag" title={highlight.clusterName ?? ""}>
          {highlight.clusterName}
        </Link>
      )}
    </li>
  );
}
