/** What was said and measured of a run, and a place to say something. One's own can be changed and taken back. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useId, useState } from "react";

import type { FeedbackKey, Said } from "../api/feedback";
import { ask } from "../api/http";
import type { Judgement, RunDetail } from "../api/types";
import { useMe } from "../app/me";
import { exactly, score } from "../format/format";
import { FormEnd } from "../parts/FormEnd";
import { Wrong } from "../parts/Notice";
import { JsonTree } from "../payload/JsonTree";
import { type Draft, EMPTY, bounds, draftOf, meant } from "./drafts";

export function FeedbackTab({ run, base, shared }: { run: RunDetail; base: string; shared: boolean }): ReactNode {
  const me = useMe();
  const mayGive = !shared && run.project !== null && me.may.includes("write");
  const [giving, setGiving] = useState(false);
  const [editing, setEditing] = useState<string | null>(null);
  const cache = useQueryClient();
  const changed = (): void => {
    setGiving(false);
    setEditing(null);
    void cache.invalidateQueries({ queryKey: ["run", base, run.id] });
    void cache.invalidateQueries({ queryKey: ["feedback-keys"] });
    void cache.invalidateQueries({ queryKey: ["runs"] });
  };
  const measured = run.feedback.filter((item) => item.measured);
  const said = run.feedback.filter((item) => !item.measured);
  const list = (items: readonly Judgement[], label: string): ReactNode => (
    <ul className="judgements" aria-label={label}>
      {items.map((item) =>
        editing === item.id ? (
          <li key={item.id}>
            <Form run={run} item={item} done={changed} leave={() => setEditing(null)} />
          </li>
        ) : (
          <One key={item.id} item={item} edit={mayGive && item.mine ? () => setEditing(item.id) : null} done={changed} />
        ),
      )}
    </ul>
  );
  return (
    <>
      {mayGive &&
        (giving ? (
          <Form run={run} item={null} done={changed} leave={() => setGiving(false)} />
        ) : (
          <p>
            <button type="button" className="button" onClick={() => setGiving(true)}>
              Give feedback
            </button>
          </p>
        ))}
      {run.feedback.length === 0 && !giving && <p className="faint">Nobody has judged this run yet.</p>}
      {said.length > 0 && measured.length > 0 && <h3>Said by people</h3>}
      {said.length > 0 && list(said, "Said by people")}
      {said.length > 0 && measured.length > 0 && <h3>Measured</h3>}
      {measured.length > 0 && list(measured, "Measured")}
    </>
  );
}

/** What was said, to be read alone. */
export function Judgements({ items, label }: { items: readonly Judgement[]; label: string }): ReactNode {
  return (
    <ul className="judgements" aria-label={label}>
      {items.map((item) => (
        <One key={item.id} item={item} edit={null} done={() => undefined} />
      ))}
    </ul>
  );
}

function One({ item, edit, done }: { item: Judgement; edit: (() => void) | null; done: () => void }): ReactNode {
  const [sure, setSure] = useState(false);
  const gone = useMutation({ mutationFn: () => ask(`/judgements/${item.id}`, { method: "DELETE" }), onSuccess: done });
  return (
    <li>
      <strong>{item.key}</strong>
      {item.score !== null && <span className="score">{score(item.score)}</span>}
      {item.error && <span className="mark-error">failed</span>}
      {item.value !== null && item.value !== undefined && <span className="tag">{typeof item.value === "string" ? item.value : JSON.stringify(item.value)}</span>}
      <span className="faint">
        {item.by ?? item.source ? `${item.by ?? item.source}, ` : ""}
        {exactly(item.at)}
      </span>
      {edit && (
        <span className="judgement-acts">
          {sure ? (
            <>
              <button type="button" className="button small danger" autoFocus disabled={gone.isPending} onClick={() => gone.mutate()}>
                Delete for good
              </button>
              <button type="button" className="button small" onClick={() => setSure(false)}>
                Keep
              </button>
            </>
          ) : (
            <>
              <button type="button" className="button small" onClick={edit} aria-label={`Edit ${item.key}`}>
                Edit
              </button>
              <button type="button" className="button small" onClick={() => setSure(true)} aria-label={`Delete ${item.key}`}>
                Delete
              </button>
            </>
          )}
        </span>
      )}
      {item.comment && <p className="verbatim">{item.comment}</p>}
      {item.correction !== null && item.correction !== undefined && <JsonTree value={item.correction} label="Correction" />}
      <Wrong error={gone.error} />
    </li>
  );
}

function useKeysOf(project: string | null): FeedbackKey[] {
  const found = useQuery({
    queryKey: ["feedback-keys", project],
    queryFn: ({ signal }) => ask<{ keys: FeedbackKey[] }>(`/feedback-keys?project=${project}`, { signal }),
    enabled: project !== null,
    staleTime: 60_000,
  });
  return found.data?.keys ?? NONE;
}

const NONE: FeedbackKey[] = [];

function Form({ run, item, done, leave }: { run: RunDetail; item: Judgement | null; done: () => void; leave: () => void }): ReactNode {
  const keys = useKeysOf(run.project);
  const [draft, setDraft] = useState<Draft>(() => (item ? draftOf(item) : EMPTY));
  const [wrong, setWrong] = useState<string | null>(null);
  const id = useId();
  const known = keys.find((one) => one.key === draft.key.trim());
  const send = useMutation({
    mutationFn: (said: Said) => (item ? ask(`/judgements/${item.id}`, { method: "PATCH", body: said }) : ask(`/runs/${run.id}/feedback`, { body: { key: draft.key.trim(), ...said } })),
    onSuccess: done,
  });
  const change = (part: Partial<Draft>): void => {
    setWrong(null);
    setDraft((now) => ({ ...now, ...part }));
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const said = meant(draft, known);
    if (typeof said === "string") setWrong(said);
    else send.mutate(said);
  };
  const told = wrong ?? (send.isError ? send.error.message : null);
  return (
    <form
      className="judge"
      aria-label={item ? `Edit ${item.key}` : "Give feedback"}
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === "Escape") leave();
      }}
    >
      {item ? (
        <strong>{item.key}</strong>
      ) : (
        <label>
          Key
          <input list={`${id}-keys`} value={draft.key} onChange={(event) => change({ key: event.target.value })} placeholder="helpful, correctness …" autoFocus autoComplete="off" />
          <datalist id={`${id}-keys`}>
            {keys.map((one) => (
              <option key={one.key} value={one.key} />
            ))}
          </datalist>
        </label>
      )}
      {known?.type === "categorical" && known.categories?.length ? (
        <label>
          Choice
          <select value={draft.score} onChange={(event) => change({ score: event.target.value })}>
            <option value="">none</option>
            {known.categories.map((one) => (
              <option key={one.value} value={String(one.value)}>
                {one.label ?? one.value}
              </option>
            ))}
          </select>
        </label>
      ) : (
        <>
          {known?.type !== "freeform" && (
            <label className="narrow">
              Score
              <input inputMode="decimal" value={draft.score} onChange={(event) => change({ score: event.target.value })} placeholder={bounds(known)} autoFocus={item !== null} />
            </label>
          )}
          <label>
            Label
            <input value={draft.value} onChange={(event) => change({ value: event.target.value })} />
          </label>
        </>
      )}
      <label className="whole">
        Comment
        <textarea rows={2} value={draft.comment} onChange={(event) => change({ comment: event.target.value })} />
      </label>
      <FormEnd act="Save" busy={send.isPending} error={told} leave={leave} />
    </form>
  );
}
