/** The columns that tables of runs may have. Which ones is the viewer's choice, kept in the address and the browser. */

import type { RunRow } from "../api/types";
import { Link, toTrace } from "../app/router";
import { ago, count, dollars, exactly, moment, score, seconds } from "../format/format";
import { Kind, Status } from "../parts/Status";
import type { Column } from "../parts/VirtualTable";

export const ALL: readonly Column<RunRow>[] = [
  { key: "status", title: "", width: "30px", cell: (run) => <Status status={run.status} /> },
  {
    key: "name", title: "Name", width: "minmax(130px, 1.2fr)",
    cell: (run) => (
      <Link to={toTrace(run.trace, run.id)} className="strong clipped" title={run.name}>
        {run.name || "(no name)"}
      </Link>
    ),
  },
  { key: "type", title: "Type", width: "70px", cell: (run) => <Kind type={run.type} /> },
  { key: "input", title: "Input", width: "minmax(140px, 2fr)", cell: (run) => <span className="clipped" title={run.input ?? ""}>{run.input}</span> },
  {
    key: "output", title: "Output", width: "minmax(140px, 2fr)",
    cell: (run) => (run.error !== null ? <span className="clipped bad" title={run.error}>{run.error.split("\n")[0]}</span> : <span className="clipped faint" title={run.output ?? ""}>{run.output}</span>),
  },
  { key: "start", title: "Began", width: "128px", cell: (run) => <span className="faint" title={`${exactly(run.start)}, ${ago(run.start)}`}>{moment(run.start)}</span> },
  { key: "latency", title: "Latency", width: "82px", end: true, cell: (run) => (run.end === null ? <span className="faint">running</span> : seconds((run.end - run.start) / 1e6)) },
  { key: "firstToken", title: "First token", width: "90px", end: true, cell: (run) => (run.firstToken === null ? "–" : seconds((run.firstToken - run.start) / 1e6)) },
  { key: "tokens", title: "Tokens", width: "74px", end: true, cell: (run) => (run.tokens ? count(run.tokens) : "–") },
  { key: "cost", title: "Cost", width: "82px", end: true, cell: (run) => dollars(run.cost) },
  { key: "tags", title: "Tags", width: "minmax(80px, 0.8fr)", cell: (run) => <span className="clipped">{run.tags.map((tag) => <span key={tag} className="tag">{tag}</span>)}</span> },
  { key: "feedback", title: "Feedback", width: "minmax(110px, 1.2fr)", cell: (run) => <span className="clipped">{Object.entries(run.feedback).map(([key, value]) => <span key={key} className="tag" title={key}>{key} {score(value)}</span>)}</span> },
  { key: "thread", title: "Thread", width: "minmax(80px, 0.8fr)", cell: (run) => <span className="clipped faint" title={run.thread ?? ""}>{run.thread}</span> },
  { key: "model", title: "Model", width: "minmax(80px, 0.8fr)", cell: (run) => <span className="clipped faint">{run.metadata["ls_model_name"]}</span> },
  { key: "id", title: "Id", width: "90px", cell: (run) => <code className="clipped" title={run.id}>{run.id.slice(0, 8)}</code> },
];

const FIRST = ["status", "name", "input", "output", "start", "latency", "tokens", "cost"];
const KEPT = "stenograph.columns";

/** The chosen columns by key: those of the address, else those chosen last, else what most people want. */
export function chosenColumns(stated: string | null): string[] {
  const text = stated ?? localStorage.getItem(KEPT);
  const found = text?.split(",").filter((key) => ALL.some((column) => column.key === key) || key.startsWith("metadata.")) ?? [];
  return found.length ? found : FIRST;
}

export function keepColumns(keys: readonly string[]): void {
  localStorage.setItem(KEPT, keys.join(","));
}

/** In the table's own order, metadata after the rest. */
export function columnsOf(keys: readonly string[]): Column<RunRow>[] {
  const known = ALL.filter((column) => keys.includes(column.key));
  const metadata = keys.filter((key) => key.startsWith("metadata.")).map((key): Column<RunRow> => {
    const name = key.slice("metadata.".length);
    return { key, title: name, width: "minmax(80px, 0.8fr)", cell: (run) => <span className="clipped" title={run.metadata[name] ?? ""}>{run.metadata[name]}</span> };
  });
  return [...known, ...metadata];
}
