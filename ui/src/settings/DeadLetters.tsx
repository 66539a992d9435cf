/** What was acknowledged and the run store refused: why, what is in it; replayed, exported, discarded. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { ask, text } from "../api/http";
import type { Letter, Outcome } from "../api/settings";
import { ago, bytes, exactly } from "../format/format";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { JsonTree } from "../payload/JsonTree";
import { Sure } from "../parts/Sure";
import { told } from "./words";

const STATES = ["waiting", "replayed", "all"] as const;
/** As many as the server takes at once. */
const MOST = 100;

export function DeadLetters(): ReactNode {
  const [state, setState] = useState<(typeof STATES)[number]>("waiting");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [open, setOpen] = useState<string | null>(null);
  const [said, say] = useState<string | null>(null);
  const cache = useQueryClient();
  const found = useQuery({ queryKey: ["letters", state], queryFn: ({ signal }) => ask<Letter[]>(`/dead-letters?state=${state}&limit=1000`, { signal }) });
  const done = (text: string): void => {
    say(text);
    setChosen(new Set());
    setOpen(null);
    void cache.invalidateQueries({ queryKey: ["letters"] });
  };
  const letters = found.data ?? [];
  const ids = letters.filter((letter) => chosen.has(letter.id)).map((letter) => letter.id);
  const toggle = (id: string): void =>
    setChosen((now) => {
      const next = new Set(now);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  return (
    <>
      <p className="faint">Records that were acknowledged and that the run store would not take wait here. Once the reason is gone, replaying sends them in again: they fill in what nobody has stated since.</p>
      <div className="row bar-row">
        <div className="segments" role="group" aria-label="Which letters">
          {STATES.map((one) => (
            <button key={one} type="button" aria-pressed={one === state} onClick={() => setState(one)}>
              {one}
            </button>
          ))}
        </div>
        {ids.length > 0 && <Acts ids={ids} done={done} />}
        <span role="status">{said}</span>
      </div>
      {found.isError ? (
        <Failure error={found.error} retry={() => void found.refetch()} />
      ) : !found.data ? (
        <Waiting what="Reading letters" />
      ) : letters.length === 0 ? (
        <Empty title={state === "all" ? "There are no dead letters" : `No dead letter is ${state}`}>
          <p>Everything that was acknowledged is stored.</p>
        </Empty>
      ) : (
        <div className="wide" tabIndex={0} role="group" aria-label="Table of dead letters">
          <table className="list letters">
            <thead>
              <tr>
                <th scope="col">
                  <input
                    type="checkbox"
                    aria-label={`Choose all ${letters.length}`}
                    checked={ids.length === letters.length}
                    onChange={() => setChosen(ids.length === letters.length ? new Set() : new Set(letters.map((letter) => letter.id)))}
                  />
                </th>
                <th scope="col">Of</th>
                <th scope="col">Reason</th>
                <th scope="col">Came</th>
                <th scope="col" className="end">
                  Size
                </th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {letters.map((letter) => (
                <Row key={letter.id} letter={letter} chosen={chosen.has(letter.id)} toggle={() => toggle(letter.id)} open={open === letter.id} show={() => setOpen(open === letter.id ? null : letter.id)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Row({ letter, chosen, toggle, open, show }: { letter: Letter; chosen: boolean; toggle: () => void; open: boolean; show: () => void }): ReactNode {
  return (
    <>
      <tr>
        <td>
          <input type="checkbox" aria-label={`Choose ${letter.kind} ${letter.subject_id ?? letter.id}`} checked={chosen} onChange={toggle} />
        </td>
        <th scope="row">
          <button type="button" className="linklike" aria-expanded={open} onClick={show}>
            {letter.kind} <code>{(letter.subject_id ?? letter.id).slice(0, 8)}</code>
          </button>
        </th>
        <td className="reason">{letter.reason.slice(0, 400)}</td>
        <td title={exactly(letter.created_at)}>{ago(letter.created_at)}</td>
        <td className="end">{bytes(letter.size)}</td>
        <td>{letter.replayed_at === null ? "waiting" : "replayed"}</td>
      </tr>
      {open && (
        <tr>
          <td colSpan={6}>
            <Contents id={letter.id} />
          </td>
        </tr>
      )}
    </>
  );
}

interface Whole extends Letter {
  contents: unknown;
  record: string | null;
}

function Contents({ id }: { id: string }): ReactNode {
  const found = useQuery({ queryKey: ["letter", id], queryFn: ({ signal }) => ask<Whole>(`/dead-letters/${id}`, { signal }) });
  if (found.isError) return <p role="alert">{found.error.message}</p>;
  if (!found.data) return <Waiting />;
  return found.data.contents === null ? (
    <>
      <p className="faint">Nobody can read this record. As base64:</p>
      <pre className="plain" tabIndex={0}>{found.data.record?.slice(0, 20_000)}</pre>
    </>
  ) : (
    <JsonTree value={found.data.contents} label="What is in the letter" />
  );
}

function Acts({ ids, done }: { ids: string[]; done: (said: string) => void }): ReactNode {
  const replay = useMutation({ mutationFn: () => inParts(ids, (some) => ask<Outcome[]>("/dead-letters/replay", { body: { ids: some } })), onSuccess: (parts) => done(told(parts.flat())) });
  const discard = useMutation({
    mutationFn: () => inParts(ids, (some) => ask<{ discarded: number }>("/dead-letters/discard", { body: { ids: some } })),
    onSuccess: (parts) => done(`${parts.reduce((sum, part) => sum + part.discarded, 0)} discarded.`),
  });
  const save = useMutation({
    mutationFn: () => inParts(ids, async (some) => Promise.all(some.map((id) => text(`/dead-letters/${id}`)))),
    onSuccess: (parts) => {
      // As the server wrote it, so that numbers that no float holds stay; a line each.
      const lines = parts.flat().map((letter) => `${letter.replaceAll(/[\r\n]/g, " ")}\n`);
      const address = URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" }));
      const link = document.createElement("a");
      link.href = address;
      link.download = "dead-letters.jsonl";
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
    },
  });
  const error = replay.error ?? save.error;
  return (
    <>
      <button type="button" className="button small primary" disabled={replay.isPending} onClick={() => replay.mutate()}>
        Replay {ids.length}
      </button>
      <button type="button" className="button small" disabled={save.isPending} onClick={() => save.mutate()}>
        Export JSONL
      </button>
      <Sure act="Discard" of={`${ids.length} letters`} sure={`Discard ${ids.length} for good`} busy={discard.isPending} error={discard.error} go={() => discard.mutate()} />
      {error && (
        <span className="bad" role="alert">
          {error.message}
        </span>
      )}
    </>
  );
}

/** One request after the other, of as many as one takes. */
async function inParts<T>(ids: readonly string[], send: (some: string[]) => Promise<T>): Promise<T[]> {
  const parts: T[] = [];
  for (let at = 0; at < ids.length; at += MOST) parts.push(await send(ids.slice(at, at + MOST)));
  return parts;
}
