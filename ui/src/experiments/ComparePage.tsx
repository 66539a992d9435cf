/** Experiments side by side: a row an example, a column an experiment, what got worse first. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useState } from "react";

import type { Compared, ComparedColumn, Dataset } from "../api/datasets";
import { ask } from "../api/http";
import { Link, changed, useParams } from "../app/router";
import { toComparison, useHome } from "../datasets/home";
import { dollars, exactly, score, seconds } from "../format/format";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { type Column, VirtualTable } from "../parts/VirtualTable";
import { FIGURES, type Judged, SCORE, type Show, type Total, fitting, judged, lowerIsBetter, ordered, preferences, totals } from "./comparison";

const SHOWS: readonly [Show, string][] = [["all", "All"], ["regressed", "Regressed"], ["improved", "Improved"]];
const NARROWEST = 150;
/** Of a cell's width, what its latency and cost take. */
const FIGURES_WIDTH = 132;

export function ComparePage({ dataset }: { dataset: Dataset }): ReactNode {
  const home = useHome();
  const [params] = useParams();
  const experiments = (params.get("with") ?? "").split(",").filter(Boolean);
  const pairwise = params.get("pairwise");
  const found = useQuery({
    queryKey: ["comparison", home.base, experiments, pairwise],
    queryFn: ({ signal }) => ask<Compared>(`${home.base}/comparison`, { body: { experiments, pairwise }, signal }),
    enabled: experiments.length > 0,
    placeholderData: keepPreviousData,
    structuralSharing: false,
    staleTime: 60_000,
  });
  if (experiments.length === 0) {
    return (
      <Empty title="No experiments are chosen">
        <Link to={`${home.here}?tab=experiments`}>Choose some</Link>
      </Empty>
    );
  }
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Comparing experiments" />;
  return <SideBySide compared={found.data} dataset={dataset} pairwise={pairwise} />;
}

function SideBySide({ compared, dataset, pairwise }: { compared: Compared; dataset: Dataset; pairwise: string | null }): ReactNode {
  const home = useHome();
  const [params, setParams] = useParams();
  const single = compared.columns.length === 1;
  const stated = params.get("by") ?? "";
  const keys = [...compared.keys.map(({ key }) => SCORE + key), ...FIGURES];
  const by = keys.includes(stated) ? stated : keys[0]!;
  const show = SHOWS.find(([one]) => one === params.get("show"))?.[0] ?? "all";
  const rows = useMemo(() => judged(compared, by), [compared, by]);
  const shown = useMemo(() => ordered(compared, rows, show), [compared, rows, show]);
  const sums = useMemo(() => totals(compared, rows), [compared, rows]);
  const counts: Record<Show, number> = { all: rows.length, regressed: rows.filter((row) => row.regressed).length, improved: rows.filter((row) => row.improved).length };
  const [table, setTable] = useState<HTMLDivElement | null>(null);
  const width = useWidth(table);
  const room = Math.max(NARROWEST, (1.2 * width) / (1 + 1.2 * compared.columns.length)) - FIGURES_WIDTH;
  const columns = useMemo(() => columnsOf(compared, by, home.toTrace, room), [compared, by, home, room]);
  const toExample = (row: Judged): string => location.pathname + changed(new URLSearchParams(location.search), { example: compared.examples.id[row.at]!, version: String(compared.examples.asOf[row.at]!) });
  return (
    <>
      <Sums compared={compared} sums={sums} baseline={dataset.baseline} pairwise={pairwise} />
      {pairwise && <Preferences compared={compared} />}
      <div className="run-tools">
        <label>
          By{" "}
          <select value={by} onChange={(event) => setParams({ by: event.target.value })}>
            {keys.map((key) => (
              <option key={key} value={key}>
                {nameOf(key)}
                {lowerIsBetter(compared, key) ? " (less is better)" : ""}
              </option>
            ))}
          </select>
        </label>
        {!single && (
          <div className="segments" role="group" aria-label="Examples to show">
            {SHOWS.map(([key, label]) => (
              <button key={key} type="button" aria-pressed={key === show} onClick={() => setParams({ show: key === "all" ? null : key })}>
                {label} {counts[key]}
              </button>
            ))}
          </div>
        )}
        {compared.total > compared.examples.id.length && <span className="faint">The first {compared.examples.id.length.toLocaleString("en")} of {compared.total.toLocaleString("en")} examples.</span>}
      </div>
      {compared.examples.id.length === 0 ? (
        <Empty title="Nothing is answered yet">
          <p>Answers come as the experiment runs.</p>
        </Empty>
      ) : shown.length === 0 ? (
        <Empty title={`No example ${show}`}>
          <button type="button" className="button" onClick={() => setParams({ show: null })}>
            Show all
          </button>
        </Empty>
      ) : (
        <div className={`compare compare-${compared.columns.length}`} ref={setTable}>
          <VirtualTable<Judged> label="Comparison" rows={shown} columns={columns} idOf={(row) => String(row.at)} to={toExample} height={84} />
        </div>
      )}
    </>
  );
}

/** In pixels, in steps of some: rows are not drawn anew at each. */
function useWidth(element: HTMLElement | null): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!element) return undefined;
    const rows = (): number => element.querySelector(".table-head")?.clientWidth ?? element.clientWidth;
    const watch = new ResizeObserver(() => setWidth(Math.floor(rows() / 20) * 20));
    watch.observe(element);
    return () => watch.disconnect();
  }, [element]);
  return width;
}

const nameOf = (key: string): string => (key.startsWith(SCORE) ? key.slice(SCORE.length) : key);

function columnsOf(compared: Compared, by: string, toTrace: (trace: string, run?: string) => string, room: number): Column<Judged>[] {
  const { input, reference } = compared.examples;
  return [
    {
      key: "example", title: "Example", width: "minmax(150px, 1fr)",
      cell: ({ at }) => (
        <div className="answer">
          <span className="answer-text strong" title={input[at] ?? ""}>
            {input[at] || "(empty)"}
          </span>
          {reference[at] !== null && (
            <span className="clipped faint" title={`Reference: ${reference[at]}`}>
              → {reference[at]}
            </span>
          )}
        </div>
      ),
    },
    ...compared.columns.map((column, place): Column<Judged> => ({
      key: column.id,
      title: column.number === null ? column.name : `${column.number} · ${column.name}`,
      width: "minmax(150px, 1.2fr)",
      cell: (row) => <Answer column={column} row={row} change={row.changes[place] ?? null} keys={compared.keys.map(({ key }) => key)} by={by} toTrace={toTrace} room={room} />,
    })),
  ];
}

function Answer({ column, row: { at }, change, keys, by, toTrace, room }: { column: ComparedColumn; row: Judged; change: number | null; keys: readonly string[]; by: string; toTrace: (trace: string, run?: string) => string; room: number }): ReactNode {
  const [run, trace] = [column.run[at], column.trace[at]];
  if (!run || !trace) return <span className="faint">no answer</span>;
  const error = column.error[at];
  const text = error ?? column.output[at];
  const first = nameOf(by);
  const told = [...keys].sort((a, b) => Number(b === first) - Number(a === first)).flatMap((key): [string, string][] => {
    const value = column.scores[key]?.[at] ?? null;
    const label = column.labels[key]?.[at] ?? null;
    return value === null && label === null ? [] : [[key, value === null ? label! : score(value)]];
  });
  const tags = fitting(told.map(([key, value]) => `${key} ${value}`), room - (change ? 18 : 0));
  return (
    <Link to={toTrace(trace, run)} className="answer">
      <span className="unseen">Trace of {column.name}: </span>
      <span className={error === null || error === undefined ? "answer-text" : "answer-text bad"} title={text ?? ""}>
        {text ?? <span className="faint">no output yet</span>}
      </span>
      <span className="answer-figures">
        <Change change={change} />
        {told.slice(0, tags).map(([key, value]) => (
          <span key={key} className="tag" title={`${key} ${value}`}>
            {key} {value}
          </span>
        ))}
        {told.length > tags && <span className="faint" title={told.slice(tags).map(([key, value]) => `${key} ${value}`).join("\n")}>+{told.length - tags}</span>}
        <span className="faint answer-cost">
          {seconds(column.latency[at])}
          {column.cost[at] !== null && ` · ${dollars(column.cost[at])}`}
          {column.runs[at]! > 1 && ` · ${column.runs[at]} runs`}
        </span>
      </span>
    </Link>
  );
}

/** Never colour alone: an arrow, and a word for who does not see it. */
function Change({ change }: { change: number | null }): ReactNode {
  if (change === null || change === 0) return null;
  return (
    <span className={change > 0 ? "change better" : "change worse"} role="img" aria-label={change > 0 ? "better" : "worse"} title={change > 0 ? "better than the first" : "worse than the first"}>
      {change > 0 ? "▲" : "▼"}
    </span>
  );
}

function Sums({ compared, sums, baseline, pairwise }: { compared: Compared; sums: readonly Total[]; baseline: string | null; pairwise: string | null }): ReactNode {
  const home = useHome();
  const ids = compared.columns.map((column) => column.id);
  const single = ids.length === 1;
  return (
    <div className="sums" role="region" aria-label="Totals" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Experiment</th>
            {compared.keys.map(({ key }) => (
              <th key={key} scope="col" title={key}>
                <span className="clipped">{key}</span>
              </th>
            ))}
            <th scope="col">Answered</th>
            <th scope="col">Errors</th>
            <th scope="col">Latency</th>
            <th scope="col">Cost</th>
            {!single && <th scope="col">Better, worse</th>}
          </tr>
        </thead>
        <tbody>
          {compared.columns.map((column, place) => {
            const sum = sums[place]!;
            return (
              <tr key={column.id}>
                <th scope="row">
                  <span className="named">
                    <span className="clipped" title={`${column.name}, ${exactly(column.start)}`}>
                      {column.number === null ? "" : `${column.number} · `}
                      {column.name}
                    </span>
                    {column.id === baseline && <span className="tag baseline">baseline</span>}
                    {!single &&
                      (place === 0 ? (
                        <span className="faint small">compared against</span>
                      ) : (
                        <Link className="small" to={toComparison(home, [column.id, ...ids.filter((id) => id !== column.id)], pairwise ?? undefined)}>
                          compare against this
                        </Link>
                      ))}
                  </span>
                </th>
                {compared.keys.map(({ key, lower }) => {
                  const first = sums[0]!.scores[key] ?? null;
                  const own = sum.scores[key] ?? null;
                  const labels = Object.entries(sum.labels[key] ?? {});
                  const moved = place > 0 && first !== null && own !== null ? Number((own - first).toFixed(2)) : 0;
                  return (
                    <td key={key} title={labels.map(([label, times]) => `${label}: ${times}`).join("\n")}>
                      {own === null && labels.length ? labels.sort((a, b) => b[1] - a[1]).slice(0, 2).map(([label, times]) => `${label} ${times}`).join(", ") : score(own)}
                      {moved !== 0 && <span className={moved > 0 !== lower ? "change better" : "change worse"}> {moved > 0 ? "+" : "−"}{score(Math.abs(moved))}</span>}
                    </td>
                  );
                })}
                <td>{sum.answered.toLocaleString("en")}</td>
                <td className={sum.errors ? "bad" : ""}>{sum.errors}</td>
                <td>{seconds(sum.latency)}</td>
                <td>{dollars(sum.cost)}</td>
                {!single && (
                  <td>
                    {place === 0 ? (
                      "–"
                    ) : (
                      <>
                        <span className="change better" title="improved">▲ {sum.improved}</span> <span className="change worse" title="regressed">▼ {sum.regressed}</span>
                      </>
                    )}
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Preferences({ compared }: { compared: Compared }): ReactNode {
  const found = preferences(compared);
  if (found.length === 0) return <p className="faint">Nothing was said in this comparison yet.</p>;
  return (
    <ul className="preferences" aria-label="Preferences">
      {found.map(({ key, wins, ties }) => (
        <li key={key}>
          <strong>{key}</strong>
          {compared.columns.map((column, place) => (
            <span key={column.id}>
              {column.name} preferred <b>{wins[place]}</b>
            </span>
          ))}
          <span className="faint">
            ties <b>{ties}</b>
          </span>
        </li>
      ))}
    </ul>
  );
}
