/** All datasets of the workspace. */

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useRef, useState } from "react";

import type { DatasetRow } from "../api/datasets";
import { ask } from "../api/http";
import { useKeys } from "../app/keys";
import { useMe } from "../app/me";
import { Link, useParams } from "../app/router";
import { ago, count, exactly } from "../format/format";
import { Copy } from "../parts/Copy";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { type Column, VirtualTable } from "../parts/VirtualTable";
import "../style/datasets.css";
import { NewDataset } from "./NewDataset";
import { toDataset } from "./home";

const COLUMNS: readonly Column<DatasetRow>[] = [
  {
    key: "name", title: "Dataset", width: "minmax(140px, 2fr)", sort: (row) => row.name.toLowerCase(),
    cell: (row) => <Link to={toDataset(row.id)} className="strong clipped" title={row.name}>{row.name}</Link>,
  },
  { key: "description", title: "Description", width: "minmax(100px, 2fr)", cell: (row) => <span className="clipped faint" title={row.description ?? ""}>{row.description}</span> },
  { key: "examples", title: "Examples", width: "90px", end: true, sort: (row) => row.examples, cell: (row) => count(row.examples) },
  { key: "experiments", title: "Experiments", width: "100px", end: true, sort: (row) => row.experiments, cell: (row) => count(row.experiments) },
  { key: "changed", title: "Changed", width: "110px", end: true, sort: (row) => row.changed, cell: (row) => <span className="faint" title={exactly(row.changed)}>{ago(row.changed)}</span> },
];

export function DatasetsPage(): ReactNode {
  const me = useMe();
  const [params, setParams] = useParams();
  const search = params.get("q") ?? "";
  const sorted = { key: params.get("sort") ?? "changed", descending: params.get("order") !== "up" };
  const box = useRef<HTMLInputElement>(null);
  const [making, setMaking] = useState(false);
  useKeys(useMemo(() => ({ "/": () => box.current?.focus() }), []));
  const found = useQuery({ queryKey: ["datasets"], queryFn: ({ signal }) => ask<{ datasets: DatasetRow[]; more: boolean }>("/datasets", { signal }), refetchInterval: 15_000 });
  const rows = useMemo(() => arranged(found.data?.datasets ?? [], search, sorted.key, sorted.descending), [found.data, search, sorted.key, sorted.descending]);
  if (found.isError && !found.data) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading datasets" />;
  const create = me.may.includes("write") && (
    <button type="button" className="button primary" onClick={() => setMaking(true)}>
      New dataset
    </button>
  );
  return (
    <div className="page">
      <header className="page-head">
        <h1>Datasets</h1>
        {found.data.datasets.length > 0 && (
          <>
            <input ref={box} type="search" placeholder="Find a dataset  ( / )" aria-label="Find a dataset" value={search} onChange={(event) => setParams({ q: event.target.value }, { replace: true })} />
            {create}
          </>
        )}
      </header>
      {found.data.more && <p className="banner">There are more datasets than are listed here.</p>}
      {found.data.datasets.length === 0 ? (
        <First create={create} />
      ) : rows.length === 0 ? (
        <Empty title="No dataset is called so" />
      ) : (
        <VirtualTable
          label="Datasets"
          rows={rows}
          columns={COLUMNS}
          idOf={(row) => row.id}
          to={(row) => toDataset(row.id)}
          height={44}
          sorted={sorted}
          onSort={(key) => setParams({ sort: key, order: sorted.key === key && sorted.descending ? "up" : null })}
        />
      )}
      {making && <NewDataset close={() => setMaking(false)} />}
    </div>
  );
}

/** The program that makes a first dataset, as the page shows it. */
export function firstProgram(url: string, needsKey: boolean): string {
  const key = needsKey ? "" : ', api_key="anything"';
  return [
    "from langsmith import Client",
    "",
    `client = Client(api_url=${JSON.stringify(url)}${key})`,
    'dataset = client.create_dataset("questions")',
    "client.create_examples(",
    "    dataset_id=dataset.id,",
    "    examples=[",
    '        {"inputs": {"question": "What is 2 + 2?"}, "outputs": {"answer": "4"}},',
    "    ],",
    ")",
  ].join("\n");
}

function First({ create }: { create: ReactNode }): ReactNode {
  const me = useMe();
  const program = firstProgram(me.url, me.auth === "keys");
  return (
    <div className="first">
      <h2>No datasets yet</h2>
      <p className="faint">A dataset is a list of examples: inputs, and what should come out. Experiments run a program over it and score what it says.</p>
      <section className="card" aria-label="In Python">
        <header>
          <h3>In Python</h3>
          <Copy text={program} label="Copy the program">
            Copy
          </Copy>
        </header>
        <pre tabIndex={0}>{program}</pre>
      </section>
      {create && <p>Or here, by hand or from a CSV or JSONL file: {create}</p>}
      <p className="faint">A run becomes an example by “Add to dataset”, beside it in its trace.</p>
    </div>
  );
}

/** Those whose name has the words, in order. */
export function arranged(datasets: readonly DatasetRow[], search: string, key: string, descending: boolean): DatasetRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const sort = COLUMNS.find((column) => column.key === key)?.sort ?? ((row: DatasetRow) => row.changed);
  const found = datasets.filter((dataset) => words.every((word) => dataset.name.toLowerCase().includes(word)));
  return found.sort((a, b) => {
    const [left, right] = [sort(a) ?? 0, sort(b) ?? 0];
    const order = left < right ? -1 : left > right ? 1 : 0;
    return descending ? -order : order;
  });
}
