/** Clusters in levels, each beside the whole: its share, and where it differs. Arrow keys move and fold, Enter opens. */

import { type KeyboardEvent, type ReactNode, useMemo, useRef, useState } from "react";

import type { Report, Stats } from "../api/insights";
import { Link, go } from "../app/router";
import { count, percent } from "../format/format";
import { Deviating } from "./Deviations";
import { toCluster } from "./addresses";
import { measures, treeRows } from "./figures";

interface Props {
  project: string;
  report: Report;
  overall: Partial<Stats>;
  closed: ReadonlySet<string>;
  setClosed: (closed: ReadonlySet<string>) => void;
}

export function ClusterTree({ project, report, overall, closed, setClosed }: Props): ReactNode {
  const rows = useMemo(() => treeRows(report.clusters, closed), [report.clusters, closed]);
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const chosen = Math.min(at, rows.length - 1);
  const fold = (id: string, close: boolean): void => {
    const next = new Set(closed);
    if (close) next.add(id);
    else next.delete(id);
    setClosed(next);
  };
  const move = (to: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    setAt(next);
    (list.current?.children[next] as HTMLElement | undefined)?.focus();
  };
  const pressed = (event: KeyboardEvent): void => {
    const row = rows[chosen];
    if (!row || event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === "ArrowDown" || event.key === "j") move(chosen + 1);
    else if (event.key === "ArrowUp" || event.key === "k") move(chosen - 1);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(rows.length - 1);
    else if (event.key === "ArrowRight" || event.key === "l") row.children > 0 && !row.open ? fold(row.cluster.id, false) : move(chosen + 1);
    else if (event.key === "ArrowLeft" || event.key === "h") row.open ? fold(row.cluster.id, true) : move(rows.findIndex((one) => one.cluster.id === row.cluster.parent));
    else if (event.key === "Enter" && event.target === list.current?.children[chosen]) go(toCluster(project, report.id, row.cluster.id));
    else return;
    event.preventDefault();
  };
  return (
    <>
      <p className="legend-line faint small">
        Bars lean to the right where a cluster has more than all traces together, to the left where it has less; red is more errors, time or cost.
      </p>
      <ul className="clusters" role="tree" aria-label="Clusters of traces" ref={list} onKeyDown={pressed}>
        {rows.map(({ cluster, depth, children, open }, index) => (
          <li
            key={cluster.id}
            role="treeitem"
            aria-level={depth + 1}
            aria-expanded={children > 0 ? open : undefined}
            aria-selected={index === chosen}
            tabIndex={index === chosen ? 0 : -1}
            className="cluster-row"
            onFocus={() => setAt(index)}
          >
            <span className="cluster-name" style={{ paddingLeft: depth * 20 }}>
              {children > 0 ? (
                <span className="twist" aria-hidden="true" onClick={() => fold(cluster.id, open)}>
                  {open ? "▾" : "▸"}
                </span>
              ) : (
                <span className="twist" aria-hidden="true" />
              )}
              <Link to={toCluster(project, report.id, cluster.id)} tabIndex={-1} className={depth === 0 ? "strong two-lines" : "two-lines cluster-link"} title={cluster.description}>
                {cluster.name}
              </Link>
            </span>
            <span className="share-cell" title={`${count(cluster.runs)} traces`}>
              <span className="share-track" aria-hidden="true">
                <span className="share-bar" style={{ width: `${Math.max(0.5, cluster.stats.share * 100)}%` }} />
              </span>
              <span className="share-text">{percent(cluster.stats.share)}</span>
              <span className="faint small share-count">
                {count(cluster.runs)}
                <span className="unseen"> traces</span>
              </span>
            </span>
            <span className="measures">
              {measures(cluster.stats, overall).map((measure) => (
                <Deviating key={measure.key} measure={measure} />
              ))}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
