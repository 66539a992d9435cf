/** The experiments over a dataset, the newest first: what each came to, which is the baseline, and which to compare. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";

import type { Dataset, ExperimentList, ExperimentRow, Pairwise } from "../api/datasets";
import { ask } from "../api/http";
import { useMe } from "../app/me";
import { Link, go } from "../app/router";
import { type Home, toComparison, useHome } from "../datasets/home";
import { ago, count, dollars, exactly, percent, score, seconds } from "../format/format";
import { Copy } from "../parts/Copy";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { type Column, VirtualTable } from "../parts/VirtualTable";
import { inOrder } from "./comparison";

const MOST = 4;
const KEYS = 8;

export function useExperiments(): ReturnType<typeof useQuery<ExperimentList>> {
  const { base } = useHome();
  return useQuery({ queryKey: ["experiments", base], queryFn: ({ signal }) => ask<ExperimentList>(`${base}/experiments`, { signal }), refetchInterval: 15_000 });
}

export function ExperimentsTab({ dataset }: { dataset: Dataset }): ReactNode {
  const home = useHome();
  const me = useMe();
  const cache = useQueryClient();
  const found = useExperiments();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [search, setSearch] = useState("");
  const mark = useMutation({
    mutationFn: (experiment: string | null) => ask<{ baseline: string | null }>(`${home.base}/baseline`, { method: "PUT", body: { experiment } }),
    onSuccess: ({ baseline }) => void cache.setQueryData<Dataset>(["dataset", home.base], (now) => (now ? { ...now, baseline } : now)),
  });
  const experiments = found.data?.experiments;
  const rows = useMemo(() => experiments?.filter((one) => one.name.toLowerCase().includes(search.trim().toLowerCase())) ?? [], [experiments, search]);
  const keys = useMemo(() => [...new Set(experiments?.flatMap((one) => [...Object.keys(one.feedback), ...Object.keys(one.summary)]) ?? [])].sort(), [experiments]);
  if (found.isError && !found.data) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading experiments" />;
  if (found.data.experiments.length === 0) return <First dataset={dataset} />;
  const toggle = (id: string): void => setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
  const may = !home.shared && me.may.includes("write");
  const columns: Column<ExperimentRow>[] = [
    {
      key: "choose", title: "", width: "28px",
      cell: (row) => (
        <button type="button" role="checkbox" className="check" aria-checked={chosen.includes(row.id)} aria-label={`Compare ${row.name}`} disabled={!chosen.includes(row.id) && chosen.length >= MOST} onClick={() => toggle(row.id)}>
          {chosen.includes(row.id) ? "✓" : ""}
        </button>
      ),
    },
    { key: "number", title: "No.", width: "44px", end: true, cell: (row) => <span className="faint">{row.number ?? "–"}</span> },
    {
      key: "name", title: "Experiment", width: "minmax(150px, 2fr)",
      cell: (row) => (
        <span className="named">
          <Link to={toComparison(home, [row.id])} className="strong clipped" title={row.description ?? row.name}>
            {row.name}
          </Link>
          {row.id === dataset.baseline && <span className="tag baseline">baseline</span>}
        </span>
      ),
    },
    { key: "start", title: "Began", width: "92px", cell: (row) => <span className="faint" title={exactly(row.start)}>{ago(row.start)}</span> },
    { key: "runs", title: "Runs", width: "74px", end: true, cell: (row) => (row.expected !== null && row.expected > row.runs ? `${count(row.runs)} of ${count(row.expected)}` : count(row.runs)) },
    { key: "errors", title: "Errors", width: "62px", end: true, cell: (row) => <span className={row.errorRate ? "bad" : ""}>{percent(row.errorRate)}</span> },
    { key: "p50", title: "p50", width: "76px", end: true, cell: (row) => seconds(row.p50) },
    { key: "cost", title: "Cost", width: "76px", end: true, cell: (row) => dollars(row.cost) },
    ...keys.slice(0, KEYS).map((key): Column<ExperimentRow> => ({ key: `score ${key}`, title: key, width: "minmax(64px, 0.6fr)", end: true, cell: (row) => <span title={key}>{score(row.feedback[key] ?? row.summary[key])}</span> })),
    ...(may
      ? [{
          key: "baseline", title: "", width: "104px", end: true,
          cell: (row: ExperimentRow) => (
            <button type="button" className="linklike small" disabled={mark.isPending} onClick={() => mark.mutate(row.id === dataset.baseline ? null : row.id)}>
              {row.id === dataset.baseline ? "Not baseline" : "Make baseline"}
            </button>
          ),
        }]
      : []),
  ];
  const compare = (): void => go(toComparison(home, inOrder(found.data!.experiments.filter((one) => chosen.includes(one.id)), dataset.baseline)));
  return (
    <>
      <div className="run-tools">
        <input type="search" aria-label="Find an experiment" placeholder="Find an experiment" value={search} onChange={(event) => setSearch(event.target.value)} />
        <button type="button" className={`button${chosen.length >= 2 ? " primary" : ""}`} disabled={chosen.length < 2} onClick={compare}>
          Compare{chosen.length ? ` ${chosen.length}` : ""}
        </button>
        {chosen.length < 2 && <span className="faint">Choose 2 to {MOST} to see them side by side.</span>}
        {mark.isError && <span role="alert" className="bad">{mark.error.message}</span>}
      </div>
      {found.data.more && <p className="banner">There are more experiments than are listed here.</p>}
      {keys.length > KEYS && <p className="faint">{keys.length - KEYS} more feedback keys are shown in a comparison.</p>}
      {rows.length === 0 ? <Empty title="No experiment is called so" /> : <VirtualTable<ExperimentRow> label="Experiments" rows={rows} columns={columns} idOf={(row) => row.id} to={(row) => toComparison(home, [row.id])} height={44} />}
      {found.data.comparisons.length > 0 && <Comparisons comparisons={found.data.comparisons} home={home} />}
    </>
  );
}

function Comparisons({ comparisons, home }: { comparisons: readonly Pairwise[]; home: Home }): ReactNode {
  return (
    <section className="pairwise" aria-label="Pairwise comparisons">
      <h2>Pairwise comparisons</h2>
      <ul>
        {comparisons.map((one) => (
          <li key={one.id}>
            {one.experiments.length ? (
              <Link to={toComparison(home, one.experiments.slice(0, MOST).map((experiment) => experiment.id), one.id)} className="strong clipped" title={one.name ?? ""}>
                {one.name || "(no name)"}
              </Link>
            ) : (
              <span className="clipped">{one.name || "(no name)"}</span>
            )}
            <span className="faint" title={exactly(one.created)}>
              {ago(one.created)}
            </span>
            {Object.entries(one.preferred).map(([key, points]) => (
              <span key={key} className="preferred">
                <strong>{key}</strong>{" "}
                {one.experiments.map((experiment, at) => (
                  <span key={experiment.id}>
                    {at > 0 && " : "}
                    {experiment.name} <b>{score(points[experiment.id] ?? 0)}</b>
                  </span>
                ))}
              </span>
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The program that makes a first experiment. */
export function firstExperiment(url: string, needsKey: boolean, dataset: string): string {
  const key = needsKey ? "" : ', api_key="anything"';
  return [
    "from langsmith import Client",
    "",
    `client = Client(api_url=${JSON.stringify(url)}${key})`,
    "",
    "def target(inputs: dict) -> dict:",
    '    return {"answer": "…"}  # your program',
    "",
    "def exact(outputs: dict, reference_outputs: dict) -> bool:",
    "    return outputs == reference_outputs",
    "",
    `client.evaluate(target, data=${JSON.stringify(dataset)}, evaluators=[exact])`,
  ].join("\n");
}

function First({ dataset }: { dataset: Dataset }): ReactNode {
  const me = useMe();
  const { shared } = useHome();
  if (shared) return <Empty title="No experiments yet" />;
  const program = firstExperiment(me.url, me.auth === "keys", dataset.name);
  return (
    <div className="first">
      <h2>No experiments yet</h2>
      <p className="faint">An experiment runs a program over every example and scores what it says.</p>
      <section className="card" aria-label="In Python">
        <header>
          <h3>In Python</h3>
          <Copy text={program} label="Copy the program">
            Copy
          </Copy>
        </header>
        <pre tabIndex={0}>{program}</pre>
      </section>
    </div>
  );
}
