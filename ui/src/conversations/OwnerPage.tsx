/** An agent or a user: docs, and a box to try recall that says why each chunk comes. */

import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";

import type { Doc, FoundChunk, People, Recalled } from "../api/conversations";
import { ask } from "../api/http";
import { Link } from "../app/router";
import { ago, exactly } from "../format/format";
import { Failure, Waiting } from "../parts/Notice";
import { type Mode, marked, why } from "./marks";

export function OwnerPage({ kind, id }: { kind: "agent" | "user"; id: string }): ReactNode {
  const people = useQuery({ queryKey: ["people"], queryFn: ({ signal }) => ask<People>("/people", { signal }) });
  const docs = useQuery({ queryKey: ["docs", kind, id], queryFn: ({ signal }) => ask<{ docs: Doc[]; more: boolean }>(`/owned-docs/${kind}/${id}`, { signal }) });
  if (docs.isError) return <Failure error={docs.error} retry={() => void docs.refetch()} />;
  if (!docs.data || !people.data) return <Waiting what="Reading docs" />;
  const one = people.data[kind === "agent" ? "agents" : "users"].find((person) => person.id === id);
  return (
    <div className="page talk">
      <nav className="crumbs" aria-label="Where this is">
        <Link to="/ui/conversations">Conversations</Link>
        <span aria-hidden="true">/</span>
        <Link to={`/ui/conversations?tab=${kind}s`}>{kind === "agent" ? "Agents" : "Users"}</Link>
        <span aria-hidden="true">/</span>
      </nav>
      <header className="page-head">
        <h1 className="clipped">{one?.name || id}</h1>
      </header>
      <div className="talk-body" role="region" aria-label="About and docs" tabIndex={0}>
        {one?.about && <p className="verbatim faint">{one.about}</p>}
        {docs.data.docs.length > 0 && <TryRecall kind={kind} id={id} />}
        <section aria-label="Docs">
          <h2>Docs</h2>
          {docs.data.docs.length === 0 ? (
            <p className="faint">None. Julep's clients add them with {kind === "agent" ? "agents" : "users"}.docs.create; recall can be tried here then.</p>
          ) : (
            <ul className="docs">
              {docs.data.docs.map((doc) => (
                <li key={doc.id}>
                  <strong>{doc.title}</strong>{" "}
                  <span className="faint" title={exactly(doc.created)}>
                    {doc.chunks === 1 ? "1 chunk" : `${doc.chunks} chunks`}, {ago(doc.created)}
                  </span>
                  <p className="clipped faint">{doc.content}</p>
                </li>
              ))}
            </ul>
          )}
          {docs.data.more && <p className="faint">The newest are shown; recall looks at all.</p>}
        </section>
      </div>
    </div>
  );
}

const MODES: readonly [Mode, string][] = [
  ["text", "By words"],
  ["vector", "By meaning"],
  ["hybrid", "Both"],
];

function TryRecall({ kind, id }: { kind: "agent" | "user"; id: string }): ReactNode {
  const [text, setText] = useState("");
  const [mode, setMode] = useState<Mode>("hybrid");
  const [alpha, setAlpha] = useState(0.7);
  const [variety, setVariety] = useState(0);
  const [limit, setLimit] = useState(10);
  const look = useMutation({
    mutationFn: async () => {
      const asked = { text: text.trim(), mode, alpha, variety, limit };
      return { asked, ...(await ask<Recalled>(`/owned-docs/${kind}/${id}/recall`, { body: asked })) };
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim()) look.mutate();
  };
  return (
    <section className="try" aria-label="Try recall">
      <h2>Try recall</h2>
      <form className="recall" onSubmit={submit}>
        <label className="whole">
          Text
          <input type="search" value={text} maxLength={10_000} placeholder="What somebody might say" onChange={(event) => setText(event.target.value)} />
        </label>
        <div className="segments" role="group" aria-label="Mode">
          {MODES.map(([key, title]) => (
            <button key={key} type="button" aria-pressed={key === mode} onClick={() => setMode(key)}>
              {title}
            </button>
          ))}
        </div>
        {mode === "hybrid" && <Slider name="Weight of meaning (alpha)" value={alpha} change={setAlpha} />}
        {mode !== "text" && <Slider name="Variety (MMR)" value={variety} change={setVariety} />}
        <label className="narrow">
          Limit
          <input type="number" min={1} max={50} value={limit} onChange={(event) => setLimit(Math.max(1, Math.min(50, Math.round(Number(event.target.value)) || 1)))} />
        </label>
        <button type="submit" className="button primary" disabled={!text.trim() || look.isPending}>
          Recall
        </button>
      </form>
      {look.isError && (
        <p className="bad" role="alert">
          {look.error.message}
        </p>
      )}
      {look.data &&
        (look.data.found.length === 0 ? (
          <p className="faint" role="status">
            Nothing comes. {look.data.asked.mode === "text" ? "No chunk has one of these words." : "Perhaps the docs have no vectors yet."}
          </p>
        ) : (
          <ol className="found" aria-label="What was recalled">
            {look.data.found.map((found) => (
              <Found key={`${found.doc} ${found.index}`} found={found} words={look.data.words} mode={look.data.asked.mode} alpha={look.data.asked.alpha} />
            ))}
          </ol>
        ))}
    </section>
  );
}

function Slider({ name, value, change }: { name: string; value: number; change: (value: number) => void }): ReactNode {
  return (
    <label>
      {name}: {value.toFixed(2)}
      <input type="range" min={0} max={1} step={0.05} value={value} onChange={(event) => change(Number(event.target.value))} />
    </label>
  );
}

function Found({ found, words, mode, alpha }: { found: FoundChunk; words: string[]; mode: Mode; alpha: number }): ReactNode {
  return (
    <li>
      <header>
        <strong>{found.title}</strong> <span className="faint">chunk {found.index + 1}</span>
        <span className="score" title="The smaller, the nearer">
          {found.distance.toFixed(3)}
        </span>
      </header>
      <p className="faint">{why(found, mode, alpha)}</p>
      <p className="verbatim">
        {marked(found.content, mode === "vector" && !found.words ? [] : words).map((piece, at) => (piece.hit ? <mark key={at}>{piece.text}</mark> : piece.text))}
      </p>
    </li>
  );
}
