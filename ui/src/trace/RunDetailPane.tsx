/** What there is to know of one run. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ReactNode, Suspense, lazy, useState } from "react";

import { ask } from "../api/http";
import type { Attachment, RunDetail, Usage } from "../api/types";
import { useMe } from "../app/me";
import { Link, toProject } from "../app/router";
import { FeedbackTab } from "../feedback/FeedbackTab";
import { bytes, count, dollars, exactly, micros } from "../format/format";
import { Copy } from "../parts/Copy";
import { Failure, Waiting } from "../parts/Notice";
import { Popover } from "../parts/Popover";
import { Kind, Status } from "../parts/Status";
import { JsonTree } from "../payload/JsonTree";
import { PayloadView } from "../payload/PayloadView";
import { asCurl, asPython } from "../payload/copy";
import { parse } from "../payload/jsonRows";
import { PutForm } from "../project/PutForm";

const TABS = ["Content", "Metadata", "Feedback", "Cost", "Events"] as const;
type Tab = (typeof TABS)[number];
let lastTab: Tab = "Content";

export function RunDetailPane({ id, base, shared }: { id: string; base: string; shared: boolean }): ReactNode {
  const run = useQuery({ queryKey: ["run", base, id], queryFn: ({ signal }) => ask<RunDetail>(`${base}/${id}`, { signal }), placeholderData: keepPreviousData });
  if (run.isError) return <Failure error={run.error} retry={() => void run.refetch()} />;
  if (!run.data) return <Waiting what="Reading the run" />;
  return <Detail run={run.data} base={base} shared={shared} />;
}

function Detail({ run, base, shared }: { run: RunDetail; base: string; shared: boolean }): ReactNode {
  const [tab, setTab_] = useState<Tab>(lastTab);
  const setTab = (next: Tab): void => {
    lastTab = next;
    setTab_(next);
  };
  const counts: Partial<Record<Tab, number>> = { Feedback: run.feedback.length };
  const tabs = TABS.filter((one) => one !== "Events" || run.payloads.events);
  const current = tabs.includes(tab) ? tab : "Content";
  return (
    <>
      <header className="run-head">
        <div className="run-title">
          <Status status={run.status} />
          <Kind type={run.type} />
          <h2 title={run.name}>{run.name || "(no name)"}</h2>
          {!shared && <AddButton run={run} />}
          {!shared && <QueueMenu key={run.id} run={run} />}
          {!shared && <CopyMenu run={run} />}
        </div>
        <p className="run-line">
          <span title={exactly(run.start)}>{exactly(run.start)}</span>
          <span>{run.end === null ? "running" : micros(run.end - run.start)}</span>
          {run.firstToken !== null && <span>first token {micros(run.firstToken - run.start)}</span>}
          {run.usage.totalTokens > 0 && <span>{count(run.usage.totalTokens)} tokens</span>}
          {run.usage.totalCost !== null && <span>{dollars(run.usage.totalCost)}</span>}
        </p>
      </header>
      <div className="tabs" role="tablist" aria-label="About the run">
        {tabs.map((one) => (
          <button key={one} type="button" role="tab" id={`tab-${one}`} aria-selected={one === current} aria-controls="about-run" onClick={() => setTab(one)}>
            {one}
            {counts[one] ? <span className="tab-count">{counts[one]}</span> : null}
          </button>
        ))}
      </div>
      <div className="run-body" id="about-run" role="tabpanel" aria-labelledby={`tab-${current}`} tabIndex={0}>
        {current === "Content" && <Content run={run} base={base} />}
        {current === "Metadata" && <Metadata run={run} base={base} shared={shared} />}
        {current === "Feedback" && <FeedbackTab key={run.id} run={run} base={base} shared={shared} />}
        {current === "Cost" && <Cost usage={run.usage} />}
        {current === "Events" && run.payloads.events && <PayloadView title="Events" name="events" payload={run.payloads.events} base={`${base}/${run.id}`} />}
      </div>
    </>
  );
}

const AddToDataset = lazy(() => import("../datasets/AddToDataset").then((room) => ({ default: room.AddToDataset })));

function AddButton({ run }: { run: RunDetail }): ReactNode {
  const me = useMe();
  const [open, setOpen] = useState(false);
  if (!me.may.includes("write")) return null;
  return (
    <>
      <button type="button" className="button" onClick={() => setOpen(true)}>
        Add to dataset
      </button>
      {open && (
        <Suspense>
          <AddToDataset run={run} close={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

function QueueMenu({ run }: { run: RunDetail }): ReactNode {
  const me = useMe();
  const [added, say] = useState<string | null>(null);
  if (!me.may.includes("write")) return null;
  return (
    <Popover label="Add to queue" title="Add to an annotation queue">
      {(close) =>
        added === null ? (
          <PutForm kind="queue" runs={[run.id]} done={say} />
        ) : (
          <div className="share">
            <p role="status">{added}</p>
            <button
              type="button"
              className="button"
              autoFocus
              onClick={() => {
                say(null);
                close();
              }}
            >
              Done
            </button>
          </div>
        )
      }
    </Popover>
  );
}

function CopyMenu({ run }: { run: RunDetail }): ReactNode {
  const me = useMe();
  const needsKey = me.auth === "keys";
  return (
    <Popover label="Copy" title="Copy">
      {() => (
        <div className="menu">
          <Copy text={run.id}>Id</Copy>
          <Copy text={() => `${location.origin}/ui/traces/${run.trace}?run=${run.id}`}>Link</Copy>
          <Copy text={() => asCurl(me.url, run.id, needsKey)}>As curl</Copy>
          <Copy text={() => asPython(me.url, run.id, needsKey)}>As Python</Copy>
        </div>
      )}
    </Popover>
  );
}

export function Content({ run, base }: { run: RunDetail; base: string }): ReactNode {
  const { inputs, outputs } = run.payloads;
  const path = `${base}/${run.id}`;
  return (
    <>
      {run.error !== null && (
        <section className="payload failure" aria-label="Error">
          <header>
            <h3>Error</h3>
            <Copy text={run.error} />
          </header>
          <pre className="plain" tabIndex={0}>{run.error}</pre>
        </section>
      )}
      {inputs && <PayloadView key={`${run.id}i`} title="Inputs" name="inputs" payload={inputs} base={path} />}
      {outputs && <PayloadView key={`${run.id}o`} title="Outputs" name="outputs" payload={outputs} base={path} />}
      {!inputs && !outputs && run.error === null && <p className="faint">Neither inputs nor outputs were recorded.</p>}
      {run.attachments.length > 0 && <Attachments files={run.attachments} />}
    </>
  );
}

function Attachments({ files }: { files: readonly Attachment[] }): ReactNode {
  return (
    <section className="payload" aria-label="Attachments">
      <header>
        <h3>Attachments</h3>
      </header>
      <ul className="files">
        {files.map((file) => (
          <li key={file.name}>
            {/^image\/(png|jpeg|gif|webp|avif)$/.test(file.type) && <img className="picture" src={file.url} alt={file.name} loading="lazy" />}
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
  );
}

function Metadata({ run, base, shared }: { run: RunDetail; base: string; shared: boolean }): ReactNode {
  const extra = run.payloads.extra?.text ? parse(run.payloads.extra.text) : null;
  const { metadata, ...others } = typeof extra === "object" && extra !== null ? (extra as Record<string, unknown>) : {};
  const { properties, rest } = userProperties(others);
  const known: [string, ReactNode][] = [
    ["id", <code key="id">{run.id}</code>],
    ["trace", <code key="trace">{run.trace}</code>],
    ["began", exactly(run.start)],
    ["ended", run.end === null ? "not yet" : exactly(run.end)],
    ["received", exactly(run.received)],
  ];
  if (run.project) known.push(["project", <Link key="p" to={toProject(run.project)}>{run.project}</Link>]);
  if (run.thread && run.project) known.push(["thread", <Link key="t" to={toProject(run.project, `?tab=threads&thread=${encodeURIComponent(run.thread)}`)}>{run.thread}</Link>]);
  if (run.example) known.push(["example", <code key="e">{run.example}</code>]);
  return (
    <>
      <dl className="pairs">
        {known.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {run.tags.length > 0 && (
          <div>
            <dt>tags</dt>
            <dd>
              {run.tags.map((tag) => (
                <span key={tag} className="tag">
                  {tag}
                </span>
              ))}
            </dd>
          </div>
        )}
      </dl>
      {metadata !== undefined && metadata !== null && (
        <section className="payload" aria-label="Metadata">
          <header>
            <h3>Metadata</h3>
            <Copy text={() => JSON.stringify(metadata, null, 2)} />
          </header>
          <JsonTree value={metadata} label="Metadata" />
        </section>
      )}
      {properties && (
        <section className="payload" aria-label="User properties">
          <header>
            <h3>User properties</h3>
          </header>
          <JsonTree value={properties} label="User properties" />
        </section>
      )}
      {Object.keys(rest).length > 0 && (
        <section className="payload" aria-label="Extra">
          <header>
            <h3>Extra</h3>
          </header>
          <JsonTree value={rest} label="Extra" />
        </section>
      )}
      {run.payloads.extra && run.payloads.extra.text === null && <PayloadView title="Extra" name="extra" payload={run.payloads.extra} base={`${base}/${run.id}`} />}
      {!shared && run.payloads.serialized && <PayloadView title="Serialized" name="serialized" payload={run.payloads.serialized} base={`${base}/${run.id}`} />}
    </>
  );
}

/** HoneyHive's user properties, apart from the rest of `extra`. */
function userProperties(extra: Record<string, unknown>): { properties: unknown; rest: Record<string, unknown> } {
  const { honeyhive, ...rest } = extra;
  if (typeof honeyhive !== "object" || honeyhive === null || !("user_properties" in honeyhive)) return { properties: null, rest: extra };
  const { user_properties: properties, ...others } = honeyhive as Record<string, unknown>;
  return { properties, rest: Object.keys(others).length ? { ...rest, honeyhive: others } : rest };
}

function Cost({ usage }: { usage: Usage }): ReactNode {
  if (usage.totalTokens === 0 && usage.totalCost === null) return <p className="faint">No tokens were counted here.</p>;
  const lines: [string, number, number | null, boolean][] = [];
  for (const [side, total, cost, tokens, costs] of [
    ["Input", usage.promptTokens, usage.promptCost, usage.promptTokenDetails, usage.promptCostDetails],
    ["Output", usage.completionTokens, usage.completionCost, usage.completionTokenDetails, usage.completionCostDetails],
  ] as const) {
    lines.push([side, total, cost, false]);
    for (const key of new Set([...Object.keys(tokens), ...Object.keys(costs)])) lines.push([key.replaceAll("_", " "), tokens[key] ?? 0, costs[key] ?? null, true]);
  }
  return (
    <table className="ledger">
      <thead>
        <tr>
          <th scope="col">Bucket</th>
          <th scope="col">Tokens</th>
          <th scope="col">Cost</th>
        </tr>
      </thead>
      <tbody>
        {lines.map(([name, tokens, cost, detail], at) => (
          <tr key={at} className={detail ? "detail" : ""}>
            <th scope="row">{name}</th>
            <td>{tokens.toLocaleString("en")}</td>
            <td>{dollars(cost)}</td>
          </tr>
        ))}
        <tr className="total">
          <th scope="row">Total</th>
          <td>{usage.totalTokens.toLocaleString("en")}</td>
          <td>{dollars(usage.totalCost)}</td>
        </tr>
      </tbody>
    </table>
  );
}
