/** Reports of a project, newest first; a new one. Without any, what a report is, and a button that starts one. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { ask } from "../api/http";
import type { ReportRow } from "../api/insights";
import { useMe } from "../app/me";
import { Link, go } from "../app/router";
import { ago, count, exactly, moment } from "../format/format";
import { Empty, Failure, Waiting, Wrong } from "../parts/Notice";
import { Status } from "../parts/Status";
import { NewReport, type Wanted } from "./NewReport";
import { toReport } from "./addresses";

export function ReportList({ project }: { project: string }): ReactNode {
  const cache = useQueryClient();
  const mayWrite = useMe().may.includes("write");
  const [asking, setAsking] = useState(false);
  const found = useQuery({
    queryKey: ["reports", project],
    queryFn: ({ signal }) => ask<{ reports: ReportRow[]; more: boolean }>(`/projects/${project}/insights`, { signal }),
    refetchInterval: (query) => (query.state.data?.reports.some(isUnderWay) ? 2000 : false),
  });
  const start = useMutation({
    mutationFn: (wanted: Wanted) => ask<ReportRow>(`/projects/${project}/insights`, { body: wanted }),
    onSuccess: (made) => {
      void cache.invalidateQueries({ queryKey: ["reports", project] });
      go(toReport(project, made.id));
    },
  });
  if (found.isError && !found.data) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading reports" />;
  const { reports, more } = found.data;
  const form = asking && <NewReport project={project} start={start} close={() => setAsking(false)} />;
  return (
    <div className="insights-scroll">
      {reports.length === 0 ? (
        <>
          {!asking && (
            <Empty title="What are these traces about?">
              <p>A report puts traces that are alike together in clusters, gives each a name, and tells which of them fail more, take longer, cost more or are judged worse than the rest. It is made here, without a language model, and takes from seconds to some minutes.</p>
              {mayWrite ? (
                <>
                  <div className="row">
                    <button type="button" className="button primary" disabled={start.isPending} onClick={() => start.mutate({})}>
                      Report on the last 7 days
                    </button>
                    <button type="button" className="button" onClick={() => setAsking(true)}>
                      Choose what to look at
                    </button>
                  </div>
                  <Wrong error={start.error} />
                </>
              ) : (
                <p>Whoever may write can start one.</p>
              )}
            </Empty>
          )}
          {form}
        </>
      ) : (
        <>
          <div className="insights-bar">
            <h2>Reports</h2>
            <span className="grow" />
            {mayWrite && !asking && (
              <button type="button" className="button primary" onClick={() => setAsking(true)}>
                New report
              </button>
            )}
          </div>
          {form}
          <ul className="reports" aria-label="Reports">
            {reports.map((report) => (
              <Row key={report.id} project={project} report={report} />
            ))}
          </ul>
          {more && <p className="faint">The newest {reports.length} are listed.</p>}
        </>
      )}
    </div>
  );
}

export const isUnderWay = (report: Pick<ReportRow, "status">): boolean => report.status === "queued" || report.status === "running";

function Row({ project, report }: { project: string; report: ReportRow }): ReactNode {
  const { progress } = report;
  const top = Object.entries(report.top ?? {}).sort((a, b) => b[1] - a[1]);
  return (
    <li>
      <Link to={toReport(project, report.id)} className="report-row">
        <Status status={isUnderWay(report) ? "pending" : report.status} />
        <span className="report-name">
          <span className="strong clipped">{report.name}</span>
          <span className="faint small clipped">
            {report.status === "success"
              ? top.slice(0, 4).map(([name]) => name).join(" · ") || "no traces"
              : report.status === "error"
                ? (report.error ?? "failed")
                : report.status === "queued"
                  ? "waits for its turn"
                  : `${progress.stage}${progress.of ? ` ${count(progress.done)} of ${count(progress.of)}` : ""}`}
          </span>
        </span>
        <span className="faint small report-figures">
          {report.runs !== null && <span>{count(report.runs)} traces</span>}
          {report.scheduled && <span>on schedule</span>}
          <span title={exactly(report.created)}>{ago(report.created)}</span>
        </span>
      </Link>
    </li>
  );
}

/** "3 May, 10:00 – 10 May, 10:00", as far as it is bounded. */
export function windowText(asked: ReportRow["asked"]): string {
  const { since, until } = asked;
  return `${since ? moment(since) : "the beginning"} – ${until ? moment(until) : "now"}`;
}
