/** One example, whole: read, changed, deleted, and looked at as it was before. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import type { ExampleDetail } from "../api/datasets";
import { ask } from "../api/http";
import type { RunDetail } from "../api/types";
import { useMe } from "../app/me";
import { go, useParams } from "../app/router";
import { bytes, exactly } from "../format/format";
import { Copy } from "../parts/Copy";
import { Failure, Waiting } from "../parts/Notice";
import { JsonTree } from "../payload/JsonTree";
import { PayloadView } from "../payload/PayloadView";
import { parse } from "../payload/jsonRows";
import { ExampleEditor } from "./ExampleEditor";
import { Sheet } from "./Sheet";
import { useHome } from "./home";
import { spread } from "./json";

export function ExampleSheet({ id, close }: { id: string; close: () => void }): ReactNode {
  const { base } = useHome();
  const [params] = useParams();
  const version = params.get("version");
  const query = version ? `?as_of=${encodeURIComponent(version)}` : "";
  const path = `${base}/examples/${encodeURIComponent(id)}`;
  const found = useQuery({ queryKey: ["example", path, query], queryFn: ({ signal }) => ask<ExampleDetail>(path + query, { signal }) });
  return (
    <Sheet title="Example" close={close}>
      <header className="sheet-head">
        <h2>
          Example <code>{id.slice(0, 8)}</code>
        </h2>
        <Copy text={id} label="Copy the id">
          Copy id
        </Copy>
        <button type="button" className="button small" onClick={close}>
          Close
        </button>
      </header>
      {found.isError ? <Failure error={found.error} retry={() => void found.refetch()} /> : found.data ? <Whole example={found.data} path={path} query={query} close={close} /> : <Waiting what="Reading the example" />}
    </Sheet>
  );
}

function Whole({ example, path, query, close }: { example: ExampleDetail; path: string; query: string; close: () => void }): ReactNode {
  const { inputs, outputs, metadata } = example.payloads;
  const { shared } = useHome();
  return (
    <>
      <p className="run-line">
        <span>changed {exactly(example.changed)}</span>
        {example.splits.map((split) => (
          <span key={split} className="tag">
            {split}
          </span>
        ))}
      </p>
      {!shared && <Acts example={example} path={path} query={query} close={close} />}
      {inputs && <PayloadView title="Inputs" name="inputs" payload={inputs} base={path} query={query} />}
      {outputs ? <PayloadView title="Reference outputs" name="outputs" payload={outputs} base={path} query={query} /> : <p className="faint">There are no reference outputs.</p>}
      {metadata?.text && (
        <section className="payload" aria-label="Metadata">
          <header>
            <h3>Metadata</h3>
            <Copy text={metadata.text} />
          </header>
          <JsonTree value={parse(metadata.text)} label="Metadata" />
        </section>
      )}
      {example.files.length > 0 && (
        <section className="payload" aria-label="Files">
          <h3>Files</h3>
          <ul className="files">
            {example.files.map((file) => (
              <li key={file.name}>
                <a href={file.url} download>
                  {file.name}
                </a>{" "}
                <span className="faint">
                  {file.type}, {bytes(file.size)}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Acts({ example, path, query, close }: { example: ExampleDetail; path: string; query: string; close: () => void }): ReactNode {
  const me = useMe();
  const cache = useQueryClient();
  const [params, setParams] = useParams();
  const [editing, setEditing] = useState(false);
  const [sure, setSure] = useState(false);
  const { inputs, outputs, metadata } = example.payloads;
  const remove = useMutation({
    mutationFn: () => ask(path, { method: "DELETE" }),
    onSuccess: () => {
      close();
      for (const key of ["examples", "dataset", "datasets", "versions", "diff"]) void cache.invalidateQueries({ queryKey: [key] });
    },
  });
  const toSource = useMutation({ mutationFn: () => ask<RunDetail>(`/runs/${example.source}`), onSuccess: (run) => go(`/ui/traces/${run.trace}?run=${run.id}`) });
  const whole = inputs?.text !== null && outputs?.text !== null && metadata?.text !== null;
  const before = (example.versions ?? []).filter((one) => one !== example.changed);
  return (
    <>
      <div className="row acts">
        {me.may.includes("write") && !query && (
          <>
            <button type="button" className="button small" disabled={!whole} title={whole ? undefined : "Too large to be edited here"} onClick={() => setEditing(true)}>
              Edit
            </button>
            {sure ? (
              <>
                <button type="button" className="button small danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
                  Delete it from the newest version
                </button>
                <button type="button" className="button small" onClick={() => setSure(false)}>
                  Keep it
                </button>
              </>
            ) : (
              <button type="button" className="button small danger" onClick={() => setSure(true)}>
                Delete
              </button>
            )}
          </>
        )}
        {query && (
          <button type="button" className="button small" onClick={() => setParams({ version: null })}>
            To the newest version
          </button>
        )}
        {example.source && (
          <button type="button" className="button small" disabled={toSource.isPending} onClick={() => toSource.mutate()}>
            Open the run it came from
          </button>
        )}
        {before.length > 0 && (
          <select aria-label="Versions of this example" value="" onChange={(event) => setParams({ version: event.target.value })}>
            <option value="">
              {before.length} other {before.length === 1 ? "version" : "versions"}
            </option>
            {before.slice(0, 200).map((asOf) => (
              <option key={asOf} value={String(asOf)} disabled={String(asOf) === params.get("version")}>
                {exactly(asOf)}
              </option>
            ))}
          </select>
        )}
      </div>
      {(remove.error ?? toSource.error) && <p role="alert" className="bad">{(remove.error ?? toSource.error)!.message}</p>}
      {editing && (
        <ExampleEditor
          title="Edit the example"
          start={{ inputs: spread(inputs?.text ?? "{}"), outputs: spread(outputs?.text ?? ""), metadata: spread(metadata?.text ?? "{}") }}
          keepsOutputs={outputs !== null}
          save={async (texts) => {
            await ask(path, { method: "PATCH", body: texts });
          }}
          close={() => setEditing(false)}
        />
      )}
    </>
  );
}
