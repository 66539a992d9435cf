/** The finest clusters on a plane, as the server laid them out: near is alike, area is share. The list beside it is the
 * same for keyboards and readers. */

import { type ReactNode, useMemo, useState } from "react";

import type { Report, Stats } from "../api/insights";
import { Link, go } from "../app/router";
import { percent } from "../format/format";
import { toCluster } from "./addresses";
import { numbered } from "./figures";

const WIDTH = 1000;
const LINES = 6;

export function ClusterMap({ project, report, overall }: { project: string; report: Report; overall: Partial<Stats> }): ReactNode {
  const [by, setBy] = useState<"theme" | "errors">("theme");
  const [near, setNear] = useState<string | null>(null);
  const list = useMemo(() => numbered(report.clusters), [report.clusters]);
  const spots = useMemo(() => new Map(report.map.map((spot) => [spot.id, spot])), [report.map]);
  const worst = Math.max(0.05, ...list.map(({ cluster }) => cluster.stats.error_rate));
  const colour = (top: number, stats: Stats): string =>
    by === "theme" ? `var(--line-${(top % LINES) + 1})` : `color-mix(in srgb, var(--bad) ${Math.round((stats.error_rate / worst) * 100)}%, var(--line))`;
  return (
    <div className="map-view">
      <div className="map-side">
        <div className="segments" role="group" aria-label="Colour by">
          {(["theme", "errors"] as const).map((key) => (
            <button key={key} type="button" aria-pressed={by === key} onClick={() => setBy(key)}>
              {key === "theme" ? "Themes" : "Errors"}
            </button>
          ))}
        </div>
        <svg className="map" viewBox={`0 0 ${WIDTH} ${WIDTH * report.height}`} role="img" aria-label={`A map of ${list.length} clusters: near is alike, area is share; the list beside it has them all`}>
          {list.map(({ cluster, number, top }) => {
            const spot = spots.get(cluster.id);
            if (!spot) return null;
            const [x, y, r] = [spot.x * WIDTH, spot.y * WIDTH, spot.r * WIDTH];
            return (
              <g
                key={cluster.id}
                className={near === cluster.id ? "spot near" : "spot"}
                onMouseEnter={() => setNear(cluster.id)}
                onMouseLeave={() => setNear(null)}
                onClick={() => go(toCluster(project, report.id, cluster.id))}
              >
                <circle cx={x} cy={y} r={r} style={{ fill: colour(top, cluster.stats), stroke: colour(top, cluster.stats) }} />
                {r > 13 && (
                  <text x={x} y={y} style={{ fontSize: Math.max(15, Math.min(38, r * 0.7)) }}>
                    {number}
                  </text>
                )}
                <title>{`${cluster.name}: ${percent(cluster.stats.share)}, ${percent(cluster.stats.error_rate)} fail`}</title>
              </g>
            );
          })}
        </svg>
        <p className="faint small">Near is alike, area is share. {by === "errors" ? `Red fails most (${percent(worst)}; ${percent(overall.error_rate)} of all).` : "A colour is a theme."}</p>
      </div>
      <ol className="map-list" aria-label="Clusters on the map">
        {list.map(({ cluster, number, top, topName }) => (
          <li key={cluster.id} className={near === cluster.id ? "near" : ""} onMouseEnter={() => setNear(cluster.id)} onMouseLeave={() => setNear(null)}>
            <Link to={toCluster(project, report.id, cluster.id)} onFocus={() => setNear(cluster.id)} onBlur={() => setNear(null)} title={topName === cluster.name ? cluster.name : `${cluster.name}, in ${topName}`}>
              <span className="map-number">
                <span className="map-dot" style={{ background: colour(top, cluster.stats) }} aria-hidden="true" />
                {number}
              </span>
              <span className="clipped">{cluster.name}</span>
              <span className="faint small">{percent(by === "errors" ? cluster.stats.error_rate : cluster.stats.share)}</span>
            </Link>
          </li>
        ))}
      </ol>
    </div>
  );
}
