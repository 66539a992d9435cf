/** What a dataset is called, what it is about, and its end. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import type { Dataset, DatasetRow } from "../api/datasets";
import { ask } from "../api/http";
import { go } from "../app/router";
import { count } from "../format/format";
import { Wrong } from "../parts/Notice";
import { Popover } from "../parts/Popover";
import { Sure } from "../parts/Sure";
import { useHome } from "./home";

export function Manage({ dataset }: { dataset: Dataset }): ReactNode {
  return (
    <Popover label="Edit" title="Edit the dataset">
      {(close) => <Form dataset={dataset} close={close} />}
    </Popover>
  );
}

function Form({ dataset, close }: { dataset: Dataset; close: () => void }): ReactNode {
  const { base } = useHome();
  const cache = useQueryClient();
  const [name, setName] = useState(dataset.name);
  const [description, setDescription] = useState(dataset.description ?? "");
  const change = useMutation({
    mutationFn: () => ask<DatasetRow>(base, { method: "PATCH", body: { name, description } }),
    onSuccess: (row) => {
      void cache.invalidateQueries({ queryKey: ["datasets"] });
      close();
      cache.setQueryData<Dataset>(["dataset", base], (now) => (now ? { ...now, name: row.name, description: row.description } : now));
    },
  });
  const remove = useMutation({
    mutationFn: () => ask(base, { method: "DELETE" }),
    onSuccess: () => {
      go("/ui/datasets", { replace: true });
      cache.removeQueries({ queryKey: ["dataset", base] });
      void cache.invalidateQueries({ queryKey: ["datasets"] });
    },
  });
  return (
    <div className="share">
      <form
        className="share"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <label className="field">
          Name
          <input autoFocus required value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        <label className="field">
          Description
          <textarea rows={3} value={description} onChange={(event) => setDescription(event.target.value)} />
        </label>
        <div className="row">
          <button type="submit" className="button primary" disabled={change.isPending || !name.trim()}>
            Keep
          </button>
        </div>
        <Wrong error={change.error} />
      </form>
      <div className="ending">
        <p className="faint small">Its {count(dataset.examples)} examples go with all their versions. Experiments over it stay, as projects.</p>
        <Sure act="Delete" of="the dataset" sure={`Delete “${dataset.name.slice(0, 40)}” for good`} busy={remove.isPending} error={remove.error} go={() => remove.mutate()} />
      </div>
    </div>
  );
}
