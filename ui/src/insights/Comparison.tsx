/** What has changed since an earlier report of the project: clusters that are new, gone, grown and shrunk. */

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { ask } from "../api/http";
import type { Change, Report, Side } from "../api/insights";
import { Link, useParams } from "../app/router";
import { count, percent } from "../format/format";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { toCluster } from "./addresses";
import { byKind } from "./figures";

const TITLES: Record<Change["kind"], string> = { new: "New", gone: "Gone", grown: "Grown", shrunk: "Shrunk", same: "As before" };

export function Comparison({ project, report }: { project: string; report: Report }): ReactNode {
  const [params, setParams] = useParams();
  const wanted = params.get("with");
  const before = report.earlier.find((one) => one.id === wanted) ?? report.earlier[0];
  const [all, setAll] = useState(false);
  const found = useQuery({
    queryKey: ["changes", report.id, before?.id],
    queryFn: ({ signal }) => ask<{ changes: Change[] }>(`/projects/${project}/insights/${report.id}/diff?with=${before!.id}`, { signal }),
    enabled: before !== undefined,
    staleTime: 60_000,
  });
  if (!before) {
    return (
      <Empty title="There is no earlier report to compare with">
        <p>Make another one in some days: what is new, gone, grown and shrunk stands here then.</p>
      </Empty>
    );
  }
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Comparing" />;
  const groups = byKind(found.data.changes);
  const widest = Math.max(0.01, ...found.data.changes.map((change) => Math.max(change.before?.share ?? 0, change.after?.share ?? 0)));
  return (
    <section className="comparison" aria-label="Changes">
      <label className="compare-with">
        <span className="faint">Compared with</span>
        <select value={before.id} onChange={(event) => setParams({ with: event.target.value })}>
          {report.earlier.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
      </label>
      {groups.map(([kind, changes]) => (
        <section key={kind} aria-label={TITLES[kind]}>
          <h3>
            {TITLES[kind]} <span className="tab-count">{changes.length}</span>
          </h3>
          {kind === "same" && !all ? (
            <button type="button" className="button small" onClick={() => setAll(true)}>
              Show {count(changes.length)}
            </button>
          ) : (
            <ul className="changes">
              {changes.map((change) => (
                <Row key={`${change.before?.id ?? ""} ${change.after?.id ?? ""}`} project={project} report={report.id} before={before.id} change={change} widest={widest} />
              ))}
            </ul>
          )}
        </section>
      ))}
    </section>
  );
}

function Row({ project, report, before, change, widest }: { project: string; report: string; before: string; change: Change; widest: number }): ReactNode {
  const shown = change.after ?? change.before!;
  return (
    <li>
      <Link to={change.after ? toCluster(project, report, shown.id) : toCluster(project, before, shown.id)} className="two-lines cluster-link" title={shown.name}>
        {shown.name}
        {change.before && change.after && change.before.name !== change.after.name && <span className="faint small"> was: {change.before.name}</span>}
      </Link>
      <span className="change-bars">
        <Bar side={change.before} widest={widest} then />
        <Bar side={change.after} widest={widest} />
      </span>
      <span className="change-text">
        <span className="faint">{change.before ? percent(change.before.share) : "–"}</span> <span aria-hidden="true">→</span>
        <span className="unseen">then</span> {change.after ? percent(change.after.share) : "–"}
      </span>
    </li>
  );
}

function Bar({ side, widest, then = false }: { side: Side | null; widest: number; then?: boolean }): ReactNode {
  return (
    <span className="share-track" aria-hidden="true">
      <span className={then ? "share-bar then" : "share-bar"} style={{ width: side ? `${Math.max(0.5, (side.share / widest) * 100)}%` : 0 }} />
    </span>
  );
}
