/** A project over time. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback, useMemo } from "react";

import { Refused, ask } from "../api/http";
import type { Bucket, Series } from "../api/types";
import { useParams } from "../app/router";
import { count, dollars, percent, score, seconds } from "../format/format";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { Chart, type Line } from "./Chart";
import type { Scope } from "./ProjectPage";
import { useValues } from "./RunsTab";
import { DAY, fill, originOf, stepsOf, strideOf } from "./range";

const PALETTE = ["--line-1", "--line-2", "--line-3", "--line-4", "--line-5", "--line-6"];

interface Measure {
  label: string;
  of: (bucket: Bucket) => number | null | undefined;
  colour: string;
  calls?: boolean;
}

interface Plan {
  title: string;
  bars?: boolean;
  empty: number | null;
  format: (value: number | null) => string;
  measures: Measure[];
  /** What is drawn for each group. */
  grouped: Measure;
}

const first = (plan: Omit<Plan, "grouped"> & { grouped?: Measure }): Plan => ({ ...plan, grouped: plan.grouped ?? plan.measures[0]! });

const PLANS: readonly Plan[] = [
  first({
    title: "Traces", bars: true, empty: 0, format: count,
    measures: [
      { label: "succeeded", of: (bucket) => bucket.runs - bucket.errors, colour: "--line-1" },
      { label: "failed", of: (bucket) => bucket.errors, colour: "--bad" },
    ],
    grouped: { label: "traces", of: (bucket) => bucket.runs, colour: "--line-1" },
  }),
  first({ title: "Error rate", empty: null, format: percent, measures: [{ label: "failed", of: (bucket) => bucket.errors / Math.max(1, bucket.runs), colour: "--bad" }] }),
  first({
    title: "Latency", empty: null, format: seconds,
    measures: [
      { label: "p50", of: (bucket) => bucket.p50, colour: "--line-1" },
      { label: "p99", of: (bucket) => bucket.p99, colour: "--line-3" },
    ],
  }),
  first({
    title: "First token", empty: null, format: seconds,
    measures: [
      { label: "p50", of: (bucket) => bucket.firstTokenP50, colour: "--line-1", calls: true },
      { label: "p99", of: (bucket) => bucket.firstTokenP99, colour: "--line-3", calls: true },
    ],
  }),
  first({
    title: "Tokens", bars: true, empty: 0, format: count,
    measures: [
      { label: "input", of: (bucket) => bucket.promptTokens, colour: "--line-1", calls: true },
      { label: "output", of: (bucket) => bucket.completionTokens, colour: "--line-2", calls: true },
    ],
    grouped: { label: "tokens", of: (bucket) => bucket.tokens, colour: "--line-1", calls: true },
  }),
  first({ title: "Cost", bars: true, empty: 0, format: dollars, measures: [{ label: "dollars", of: (bucket) => bucket.cost, colour: "--line-2", calls: true }] }),
];

const GROUPS = [
  ["", "No groups"],
  ["name", "By name"],
  ["model", "By model"],
  ["tag", "By tag"],
] as const;

export function ChartsTab({ scope }: { scope: Scope }): ReactNode {
  const [params, setParams] = useParams();
  const group = params.get("group") ?? "";
  const [since, until] = useMemo(() => {
    const end = scope.range.until ?? Date.now() * 1000;
    return [scope.range.since ?? end - 90 * DAY, end];
  }, [scope.range]);
  const stride = strideOf(until - since);
  const origin = originOf(since);
  const values = useValues(scope.project);
  const keys = Object.keys(values).filter((key) => key.startsWith("metadata.") && key !== "metadata.ls_model_name");
  const byMetadata = group.startsWith("metadata.");
  const found = useQuery({
    queryKey: ["series", scope.project, scope.asked, since, until, stride, group],
    queryFn: ({ signal }) =>
      ask<Series>(`/projects/${scope.project}/series`, {
        body: { ...scope.asked, since, until, stride, origin, group: byMetadata ? "metadata" : group || null, path: byMetadata ? group.slice(9) : "" },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
  const pick = useCallback((from: number, to: number) => setParams({ since: String(Math.round(from)), until: String(Math.round(to)), range: null, tab: null }), [setParams]);
  const steps = useMemo(() => stepsOf(since, until, stride, origin), [since, until, stride, origin]);
  const charts = useMemo(() => (found.data ? drawn(found.data, steps, group !== "") : []), [found.data, steps, group]);
  if (found.isError && !found.data) return <Failure error={found.error} {...(found.error instanceof Refused ? {} : { retry: () => void found.refetch() })} />;
  if (!found.data) return <Waiting what="Reading figures" />;
  return (
    <div className="charts-scroll">
      <div className="run-tools">
        <label className="inline">
          <span className="unseen">Groups</span>
          <select value={group} onChange={(event) => setParams({ group: event.target.value })}>
            {GROUPS.map(([key, label]) => (
              <option key={key} value={key}>
                {label}
              </option>
            ))}
            {keys.map((key) => (
              <option key={key} value={key}>
                By {key}
              </option>
            ))}
          </select>
        </label>
        <span className="faint">A click on a chart, or a span dragged over it, shows its traces.</span>
      </div>
      {charts.length === 0 ? (
        <Empty title="Nothing happened in this span of time" />
      ) : (
        <div className="charts">
          {charts.map((chart) => (
            <Chart key={chart.title} {...chart} steps={steps} pick={pick} />
          ))}
        </div>
      )}
    </div>
  );
}

interface Drawn {
  title: string;
  lines: Line[];
  bars: boolean;
  format: (value: number | null) => string;
}

/** The charts that have anything to show. */
function drawn(data: Series, steps: readonly number[], grouped: boolean): Drawn[] {
  const found: Drawn[] = [];
  for (const plan of PLANS) {
    const lines = grouped ? groupLines(plan, data, steps) : plan.measures.map((measure): Line => ({ label: measure.label, colour: measure.colour, values: fill(steps, measure.calls ? data.calls : data.traces, measure.of, plan.empty) }));
    if (lines.some((line) => line.values.some((value) => value))) found.push({ title: plan.title, lines, bars: plan.bars ?? false, format: plan.format });
  }
  const keys = [...new Set(data.feedback.flatMap((bucket) => Object.keys(bucket.averages)))].slice(0, PALETTE.length);
  const lines = keys.map((key, at): Line => ({ label: key, colour: PALETTE[at]!, values: fill(steps, data.feedback, (bucket) => bucket.averages[key], null) }));
  if (lines.some((line) => line.values.some((value) => value !== null))) found.push({ title: "Feedback", lines, bars: false, format: score });
  return found;
}

function groupLines(plan: Plan, data: Series, steps: readonly number[]): Line[] {
  const buckets = plan.grouped.calls ? data.calls : data.traces;
  const sizes = new Map<string, number>();
  for (const bucket of buckets) sizes.set(bucket.group, (sizes.get(bucket.group) ?? 0) + bucket.runs);
  const largest = [...sizes].sort((a, b) => b[1] - a[1]).slice(0, PALETTE.length);
  return largest.map(([group], at) => ({
    label: group || "(none)",
    colour: PALETTE[at]!,
    values: fill(steps, buckets.filter((bucket) => bucket.group === group), plan.grouped.of, plan.empty),
  }));
}
