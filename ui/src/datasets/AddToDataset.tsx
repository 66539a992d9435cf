/** A run made an example: its inputs and outputs, as they are or mended, in a dataset. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import type { DatasetRow, ExamplePart } from "../api/datasets";
import { ask } from "../api/http";
import type { RunDetail } from "../api/types";
import { Link } from "../app/router";
import { bytes } from "../format/format";
import { FormEnd } from "../parts/FormEnd";
import { Failure, Waiting } from "../parts/Notice";
import "../style/datasets.css";
import { JsonFields, type Texts, mistakes } from "./ExampleEditor";
import { Sheet } from "./Sheet";
import { toDataset } from "./home";
import { spread } from "./json";

const KEPT = "stenograph.dataset";

export function AddToDataset({ run, close }: { run: RunDetail; close: () => void }): ReactNode {
  const found = useQuery({ queryKey: ["datasets"], queryFn: ({ signal }) => ask<{ datasets: DatasetRow[] }>("/datasets", { signal }) });
  return (
    <Sheet title="Add to dataset" close={close} middle>
      {found.isError ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : !found.data ? (
        <Waiting what="Reading datasets" />
      ) : found.data.datasets.length === 0 ? (
        <div className="fields">
          <h2>There is no dataset yet</h2>
          <p>
            Make one first: <Link to="/ui/datasets">Datasets</Link>
          </p>
        </div>
      ) : (
        <Fields run={run} datasets={found.data.datasets} close={close} />
      )}
    </Sheet>
  );
}

function Fields({ run, datasets, close }: { run: RunDetail; datasets: readonly DatasetRow[]; close: () => void }): ReactNode {
  const cache = useQueryClient();
  const { inputs, outputs } = run.payloads;
  const kept = localStorage.getItem(KEPT);
  const [dataset, setDataset] = useState(datasets.some((one) => one.id === kept) ? kept! : datasets[0]!.id);
  const [texts, setTexts] = useState<Texts>({ inputs: spread(inputs?.text ?? "{}"), outputs: spread(outputs?.text ?? ""), metadata: "" });
  const [tried, setTried] = useState(false);
  // What is too large to be edited here is taken from the run by the server.
  const large = ([["inputs", inputs], ["outputs", outputs]] as const).flatMap(([part, payload]) => (payload && payload.text === null ? [{ part, size: payload.size }] : []));
  const parts = (["inputs", "outputs", "metadata"] as const).filter((part) => !large.some((one) => one.part === part));
  const wrong = Object.fromEntries(Object.entries(mistakes(texts, false)).filter(([part]) => parts.includes(part as ExamplePart)));
  const add = useMutation({
    mutationFn: () =>
      ask<{ id: string }>(`/datasets/${dataset}/examples`, {
        body: { ...Object.fromEntries(parts.map((part) => [part, part === "outputs" && large.length && !texts.outputs.trim() ? "{}" : texts[part]])), sourceRun: run.id, files: run.attachments.map((file) => file.name), asRecorded: large.length > 0 },
      }),
    onSuccess: () => {
      localStorage.setItem(KEPT, dataset);
      for (const key of ["examples", "dataset", "datasets", "versions", "diff"]) void cache.invalidateQueries({ queryKey: [key] });
    },
  });
  const name = datasets.find((one) => one.id === dataset)?.name;
  if (add.data) {
    return (
      <div className="fields">
        <h2>Added</h2>
        <p role="status">
          The run is an example of <Link to={`${toDataset(dataset)}?example=${add.data.id}`}>{name}</Link> now.
        </p>
        <div className="row end">
          <button type="button" className="button primary" autoFocus onClick={close}>
            Done
          </button>
        </div>
      </div>
    );
  }
  return (
    <form
      className="fields"
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (Object.keys(wrong).length === 0) add.mutate();
      }}
    >
      <h2>Add to dataset</h2>
      <label>
        Dataset
        <select autoFocus value={dataset} onChange={(event) => setDataset(event.target.value)}>
          {datasets.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
      </label>
      <JsonFields texts={texts} change={setTexts} wrong={tried ? wrong : {}} parts={parts} />
      {large.map(({ part, size }) => (
        <p key={part} className="faint">
          The {part} ({bytes(size)}) are taken as they were recorded.
        </p>
      ))}
      {run.attachments.length > 0 && <p className="faint">{run.attachments.length === 1 ? "Its attachment comes along." : `Its ${run.attachments.length} attachments come along.`}</p>}
      <FormEnd act="Add" acting="Adding…" busy={add.isPending} error={add.error} leave={close} />
    </form>
  );
}
