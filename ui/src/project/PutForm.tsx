/** Runs into a queue or a dataset, one that is there or a new one. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";

import { ask } from "../api/http";
import type { Added, Places } from "../api/project";
import { counted } from "./choice";

export function PutForm({ kind, runs, done }: { kind: "queue" | "dataset"; runs: string[]; done: (said: string) => void }): ReactNode {
  const cache = useQueryClient();
  const places = useQuery({ queryKey: ["places"], queryFn: ({ signal }) => ask<Places>("/bulk/places", { signal }) });
  const [to, setTo] = useState("");
  const [name, setName] = useState("");
  const put = useMutation({
    mutationFn: () => ask<Added>(`/bulk/${kind}`, { body: to ? { runs, to } : { runs, name } }),
    onSuccess: (added) => {
      void cache.invalidateQueries({ queryKey: ["places"] });
      done(`${counted(added.added, kind === "queue" ? "item" : "example")} in ${added.name}.`);
    },
  });
  const known = places.data?.[kind === "queue" ? "queues" : "datasets"] ?? [];
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    put.mutate();
  };
  return (
    <form className="put" onSubmit={submit}>
      {known.length > 0 && (
        <label>
          {kind === "queue" ? "Queue" : "Dataset"}
          <select value={to} onChange={(event) => setTo(event.target.value)} autoFocus>
            <option value="">a new one …</option>
            {known.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
      )}
      {to === "" && (
        <label>
          Name of the new {kind}
          <input value={name} onChange={(event) => setName(event.target.value)} required />
        </label>
      )}
      {kind === "dataset" && <p className="faint">Each run's inputs, outputs and files become an example.</p>}
      {put.isError && (
        <p className="bad" role="alert">
          {put.error.message}
        </p>
      )}
      <button type="submit" className="button primary" disabled={put.isPending || places.isPending}>
        Add {counted(runs.length, "run")}
      </button>
    </form>
  );
}
