/** The traces of a cluster into a dataset or an annotation queue, one that is there or a new one. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { ask } from "../api/http";
import type { Cluster, Targets } from "../api/insights";
import { useMe } from "../app/me";
import { Link } from "../app/router";
import { count } from "../format/format";
import { Waiting, Wrong } from "../parts/Notice";
import { Popover } from "../parts/Popover";

type Kind = "dataset" | "annotation-queue";
const NEW = "";

export function SendTo({ project, report, cluster }: { project: string; report: string; cluster: Cluster }): ReactNode {
  if (!useMe().may.includes("write")) return null;
  return (
    <div className="row">
      {(["annotation-queue", "dataset"] as const).map((kind) => (
        <Popover key={kind} label={kind === "dataset" ? "To a dataset" : "To a queue"} title={kind === "dataset" ? "Add to a dataset" : "Add to an annotation queue"}>
          {() => <Choose kind={kind} project={project} report={report} cluster={cluster} />}
        </Popover>
      ))}
    </div>
  );
}

function Choose({ kind, project, report, cluster }: { kind: Kind; project: string; report: string; cluster: Cluster }): ReactNode {
  const cache = useQueryClient();
  const [chosen, choose] = useState(NEW);
  const [name, setName] = useState(cluster.name);
  const targets = useQuery({ queryKey: ["targets"], queryFn: ({ signal }) => ask<Targets>("/insights/targets", { signal }), staleTime: 0 });
  const send = useMutation({
    mutationFn: () => ask<{ id: string; count: number }>(`/projects/${project}/insights/${report}/${kind}`, { body: { ...(chosen === NEW ? { name } : { id: chosen }), cluster: cluster.id } }),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ["targets"] });
      void cache.invalidateQueries({ queryKey: [kind === "dataset" ? "datasets" : "queues"] });
    },
  });
  if (targets.isError) return <p role="alert" className="bad">{targets.error.message}</p>;
  if (!targets.data) return <Waiting />;
  const found = kind === "dataset" ? targets.data.datasets : targets.data.queues;
  const what = kind === "dataset" ? "dataset" : "queue";
  if (send.data) {
    return (
      <div className="share" role="status">
        <p>
          {count(send.data.count)} {send.data.count === 1 ? "trace is" : "traces are"} in the {what}.
        </p>
        <Link to={kind === "dataset" ? `/ui/datasets/${send.data.id}` : `/ui/queues/${send.data.id}`} className="button">
          Open the {what}
        </Link>
      </div>
    );
  }
  return (
    <form
      className="share"
      onSubmit={(event) => {
        event.preventDefault();
        send.mutate();
      }}
    >
      <p>
        {count(cluster.runs)} {cluster.runs === 1 ? "trace" : "traces"} of “{cluster.name}”{kind === "dataset" ? ", each as an example of its inputs and outputs" : ", for people to judge"}.
      </p>
      <label className="field">
        <span>Into</span>
        <select autoFocus value={chosen} onChange={(event) => choose(event.target.value)}>
          <option value={NEW}>a new {what}</option>
          {found.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
      </label>
      {chosen === NEW && (
        <label className="field">
          <span>Called</span>
          <input value={name} maxLength={255} onChange={(event) => setName(event.target.value)} />
        </label>
      )}
      <button type="submit" className="button primary" disabled={send.isPending || (chosen === NEW && !name.trim())}>
        {send.isPending ? "Adding…" : "Add them"}
      </button>
      <Wrong error={send.error} />
    </form>
  );
}
