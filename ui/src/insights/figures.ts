/** What clusters come to beside the whole, and which of them are seen. Pure. */

import type { Change, Cluster, Report, Stats } from "../api/insights";
import { dollars, percent, score, seconds } from "../format/format";

/** How far a figure is from that of all traces: `size` is within -1 and 1, 0 as usual. */
export interface Deviation {
  text: string;
  size: number;
  bad: boolean;
}

export interface Measure {
  key: string;
  label: string;
  value: string;
  deviation: Deviation | null;
}

const within = (value: number): number => Math.round(Math.max(-1, Math.min(1, value)) * 1000) / 1000;
const signed = (text: string, value: number): string => (value < 0 ? `−${text}` : `+${text}`);

/** Of shares, in percentage points: a quarter of all is the whole bar. */
export function ofRate(here: number, whole: number): Deviation | null {
  const points = (here - whole) * 100;
  if (Math.abs(points) < 0.05) return null;
  return { text: signed(`${Math.abs(points).toFixed(Math.abs(points) < 10 ? 1 : 0)} pts`, points), size: within(points / 25), bad: points > 0 };
}

/** Of amounts, as a ratio: four times as much, or a quarter, is the whole bar. */
export function ofAmount(here: number | undefined, whole: number | undefined): Deviation | null {
  if (!here || !whole) return null;
  const ratio = here / whole;
  if (Math.abs(Math.log2(ratio)) < 0.015) return null;
  return { text: `×${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0)}`, size: within(Math.log2(ratio) / 2), bad: ratio > 1 };
}

/** Of scores: one standard deviation of all scores is the whole bar. Whether high is good only people know. */
export function ofScore(here: number, whole: { avg: number; stdev: number } | undefined): Deviation | null {
  if (!whole) return null;
  const difference = here - whole.avg;
  if (Math.abs(difference) < 0.005) return null;
  return { text: signed(Math.abs(difference).toFixed(2), difference), size: within(difference / (whole.stdev || Math.abs(whole.avg) || 1)), bad: false };
}

/** Of a cluster: errors, time and cost first, then up to `most` keys of feedback. What no trace has is left out. */
export function measures(stats: Stats, overall: Partial<Stats>, most = 2): Measure[] {
  const found: Measure[] = [{ key: "errors", label: "errors", value: percent(stats.error_rate), deviation: ofRate(stats.error_rate, overall.error_rate ?? 0) }];
  if (overall.latency_p50 !== undefined) found.push({ key: "latency", label: "p50", value: seconds(stats.latency_p50), deviation: ofAmount(stats.latency_p50, overall.latency_p50) });
  if (overall.cost_p50 !== undefined) found.push({ key: "cost", label: "cost", value: dollars(stats.cost_p50), deviation: ofAmount(stats.cost_p50, overall.cost_p50) });
  for (const key of Object.keys(overall.feedback_stats ?? {}).slice(0, most)) {
    const mine = stats.feedback_stats?.[key];
    found.push({ key: `feedback.${key}`, label: key, value: score(mine?.avg), deviation: mine ? ofScore(mine.avg, overall.feedback_stats?.[key]) : null });
  }
  return found;
}

export interface TreeRow {
  cluster: Cluster;
  depth: number;
  children: number;
  open: boolean;
}

/** The rows of the tree: the largest first, nothing below what is closed. */
export function treeRows(clusters: readonly Cluster[], closed: ReadonlySet<string>): TreeRow[] {
  const below = new Map<string | null, Cluster[]>();
  const known = new Set(clusters.map((cluster) => cluster.id));
  for (const cluster of clusters) {
    const parent = cluster.parent !== null && known.has(cluster.parent) ? cluster.parent : null;
    below.set(parent, [...(below.get(parent) ?? []), cluster]);
  }
  for (const list of below.values()) list.sort(largestFirst);
  const rows: TreeRow[] = [];
  const walk = (parent: string | null, depth: number): void => {
    for (const cluster of below.get(parent) ?? []) {
      const children = below.get(cluster.id)?.length ?? 0;
      const open = children > 0 && !closed.has(cluster.id);
      rows.push({ cluster, depth, children, open });
      if (open) walk(cluster.id, depth + 1);
    }
  };
  walk(null, 0);
  return rows;
}

export const largestFirst = (one: Cluster, other: Cluster): number => other.runs - one.runs || (one.name < other.name ? -1 : 1);

/** From a cluster up to the top level, itself first. */
export function upwards(clusters: readonly Cluster[], id: string): Cluster[] {
  const by = new Map(clusters.map((cluster) => [cluster.id, cluster]));
  const found: Cluster[] = [];
  for (let at = by.get(id); at && !found.includes(at); at = at.parent === null ? undefined : by.get(at.parent)) found.push(at);
  return found;
}

/** The finest clusters as the map numbers them, each with the place of its top-level cluster among those. */
export function numbered(clusters: readonly Cluster[]): { cluster: Cluster; number: number; top: number; topName: string }[] {
  const tops = clusters.filter((cluster) => cluster.parent === null).sort(largestFirst);
  return clusters
    .filter((cluster) => cluster.level === 0)
    .sort(largestFirst)
    .map((cluster, at) => {
      const top = upwards(clusters, cluster.id).at(-1) ?? cluster;
      return { cluster, number: at + 1, top: tops.indexOf(top), topName: top.name };
    });
}

/** A text with its references to highlighted traces (#1) apart. */
export function withReferences(point: string, ranks: ReadonlySet<number>): (string | number)[] {
  return point
    .split(/(#\d{1,4})/)
    .filter(Boolean)
    .map((part) => (/^#\d+$/.test(part) && ranks.has(Number(part.slice(1))) ? Number(part.slice(1)) : part));
}

const STAGES: [string, string][] = [
  ["select", "Choose traces"],
  ["read", "Read them"],
  ["embed", "Compare their texts"],
  ["cluster", "Put like with like"],
  ["name", "Find names"],
  ["describe", "Test what differs"],
];

export interface Stage {
  key: string;
  label: string;
  state: "done" | "now" | "waits";
  share: number | null;
}

/** The stages of a report under way. One that is not known here stands where the report is, by its own name. */
export function stages(report: Pick<Report, "status" | "progress">): Stage[] {
  const { stage, done, of } = report.progress;
  const list = STAGES.some(([key]) => key === stage) || !stage || stage === "done" ? STAGES : [...STAGES.slice(0, 2), [stage, stage] as [string, string], ...STAGES.slice(2)];
  const at = stage === "done" ? list.length : report.status === "queued" ? -1 : list.findIndex(([key]) => key === stage);
  return list.map(([key, label], index) => ({
    key,
    label,
    state: index < at ? "done" : index === at ? "now" : "waits",
    share: index === at && of > 0 ? Math.min(1, done / of) : null,
  }));
}

const KINDS = ["new", "gone", "grown", "shrunk", "same"] as const;

/** Changes by kind, in the order in which people ask. */
export function byKind(changes: readonly Change[]): [Change["kind"], Change[]][] {
  return KINDS.map((kind): [Change["kind"], Change[]] => [kind, changes.filter((change) => change.kind === kind)]).filter(([, found]) => found.length > 0);
}

/** "20, 5" as clusters a level; null for nothing; undefined for what is no such list. */
export function levels(text: string): number[] | null | undefined {
  if (!text.trim()) return null;
  const found = text.trim().split(/[\s,;]+/).map(Number);
  return found.every((count) => Number.isInteger(count) && count > 0) ? found : undefined;
}
