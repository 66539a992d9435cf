/** Where this workspace's chats ask models: secrets by name. A value goes in and never comes out. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useId, useState } from "react";

import { ask } from "../api/http";
import type { Endpoints, Secret } from "../api/settings";
import { useMe } from "../app/me";
import { ago, exactly } from "../format/format";
import { Failure, Waiting, Wrong } from "../parts/Notice";
import { Sure } from "../parts/Sure";

export function ModelServers(): ReactNode {
  const mayWrite = useMe().may.includes("write");
  const cache = useQueryClient();
  const found = useQuery({ queryKey: ["endpoints"], queryFn: ({ signal }) => ask<Endpoints>("/endpoints", { signal }) });
  const done = (): void => void cache.invalidateQueries({ queryKey: ["endpoints"] });
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading secrets" />;
  const { by, model, problem, secrets, known } = found.data;
  return (
    <>
      <p className="banner" role="status">
        {problem !== null
          ? `No model can be asked: ${problem}`
          : `Chats of this workspace ask the model server that ${by === "secrets" ? "the secrets below name" : "the settings of this server name"}${model ? `, ${model} where nothing else is said` : ""}.`}
      </p>
      <p className="faint">
        {known[0]} and {known[1]} (or {known[2]} and {known[3]}) say where and with which key. Other secrets are for the tools of agents. Values are kept sealed, and no answer has one.
      </p>
      {mayWrite && <SetSecret known={known} done={done} />}
      {secrets.length === 0 ? (
        <p className="faint">This workspace has no secrets.</p>
      ) : (
        <div className="wide" tabIndex={0} role="group" aria-label="Table of secrets">
          <table className="list">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Value</th>
                <th scope="col">Set</th>
                {mayWrite && (
                  <th scope="col">
                    <span className="unseen">What to do</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {secrets.map((secret) => (
                <Row key={secret.id} secret={secret} mayWrite={mayWrite} done={done} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Row({ secret, mayWrite, done }: { secret: Secret; mayWrite: boolean; done: () => void }): ReactNode {
  const gone = useMutation({ mutationFn: () => ask(`/secrets/${secret.id}`, { method: "DELETE" }), onSuccess: done });
  return (
    <tr>
      <th scope="row">
        <code className="clipped" title={secret.description ?? secret.name}>
          {secret.name}
        </code>
      </th>
      <td className="faint">not shown</td>
      <td title={exactly(secret.updated)}>{ago(secret.updated)}</td>
      {mayWrite && (
        <td className="acts">
          <Sure act="Delete" of={secret.name} sure="Delete for good" busy={gone.isPending} error={gone.error} go={() => gone.mutate()} />
        </td>
      )}
    </tr>
  );
}

function SetSecret({ known, done }: { known: readonly string[]; done: () => void }): ReactNode {
  const id = useId();
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const put = useMutation({
    mutationFn: () => ask<Secret>("/secrets", { method: "PUT", body: { name: name.trim(), value } }),
    onSuccess: () => {
      setName("");
      setValue("");
      done();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    put.mutate();
  };
  return (
    <form className="fields" aria-label="Set a secret" onSubmit={submit}>
      <label>
        Name
        <input className="mono" list={id} value={name} required autoComplete="off" onChange={(event) => setName(event.target.value)} />
        <datalist id={id}>
          {known.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      </label>
      <label>
        Value
        <input type="password" value={value} required autoComplete="new-password" onChange={(event) => setValue(event.target.value)} />
      </label>
      <button type="submit" className="button primary" disabled={put.isPending}>
        Set
      </button>
      <Wrong error={put.error} />
    </form>
  );
}
