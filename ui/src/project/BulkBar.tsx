/** What can be done to the chosen runs. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { ask, file } from "../api/http";
import type { RunRow } from "../api/types";
import { useMe } from "../app/me";
import { Popover } from "../parts/Popover";
import { PutForm } from "./PutForm";
import { counted, tracesOf } from "./choice";

/** As many as the server takes in one request. */
export const MOST = 1000;

interface Props {
  project: string;
  chosen: readonly RunRow[];
  /** Whether the rows are traces, or runs of any depth. */
  roots: boolean;
  clear: () => void;
}

export function BulkBar({ project, chosen, roots, clear }: Props): ReactNode {
  const me = useMe();
  const [said, say] = useState<string | null>(null);
  const runs = chosen.map((run) => run.id);
  const mayWrite = me.may.includes("write");
  const tooMany = chosen.length > MOST;
  return (
    <div className="bulk" role="toolbar" aria-label="Chosen runs">
      <strong>{counted(chosen.length, roots ? "trace" : "run")} chosen</strong>
      {tooMany ? (
        <span className="bad">At most {MOST.toLocaleString("en")} at once.</span>
      ) : (
        <>
          <Export runs={runs} say={say} />
          {mayWrite && <Put key="queue" kind="queue" runs={runs} say={say} />}
          {mayWrite && <Put key="dataset" kind="dataset" runs={runs} say={say} />}
          {mayWrite && <Delete project={project} chosen={chosen} roots={roots} clear={clear} />}
        </>
      )}
      <button type="button" className="button small quiet" onClick={clear}>
        Clear
      </button>
      <span className="faint" role="status">
        {said}
      </span>
    </div>
  );
}

function Export({ runs, say }: { runs: string[]; say: (text: string) => void }): ReactNode {
  const save = useMutation({
    mutationFn: () => file("/bulk/export", { runs }),
    onSuccess: (blob) => {
      const address = URL.createObjectURL(blob);
      const link = document.createElement("a");
      link.href = address;
      link.download = "runs.jsonl";
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      say("Exported.");
    },
    onError: (error) => say(error.message),
  });
  return (
    <button type="button" className="button small" disabled={save.isPending} onClick={() => save.mutate()}>
      Export JSONL
    </button>
  );
}

function Put({ kind, runs, say }: { kind: "queue" | "dataset"; runs: string[]; say: (text: string) => void }): ReactNode {
  const label = kind === "queue" ? "Add to queue" : "Add to dataset";
  return (
    <Popover label={label} title={label} align="left">
      {(close) => (
        <PutForm
          kind={kind}
          runs={runs}
          done={(text) => {
            say(text);
            close();
          }}
        />
      )}
    </Popover>
  );
}

function Delete({ project, chosen, roots, clear }: Props): ReactNode {
  const cache = useQueryClient();
  const traces = tracesOf(chosen);
  const gone = useMutation({
    mutationFn: () => ask<{ deleted: number }>("/bulk/delete", { body: { project, traces } }),
    onSuccess: () => {
      clear();
      for (const key of ["runs", "figures", "series", "threads", "projects"]) void cache.invalidateQueries({ queryKey: [key] });
    },
  });
  return (
    <Popover label="Delete" title="Delete" align="left">
      {(close) => (
        <div className="put">
          <p>
            Delete {counted(traces.length, "trace")}
            {roots ? "" : `, to which the chosen ${counted(chosen.length, "run")} belong${chosen.length === 1 ? "s" : ""}`}, with all runs, feedback and files? They cannot be brought back.
          </p>
          {gone.isError && (
            <p className="bad" role="alert">
              {gone.error.message}
            </p>
          )}
          <div className="row">
            <button type="button" className="button danger" disabled={gone.isPending} onClick={() => gone.mutate()}>
              Delete {counted(traces.length, "trace")}
            </button>
            <button type="button" className="button" autoFocus onClick={close}>
              Keep
            </button>
          </div>
        </div>
      )}
    </Popover>
  );
}
