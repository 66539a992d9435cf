/** What a queue is called, what reviewers are told, and the keys that they judge by. */

import { type ReactNode, useState } from "react";

import type { RubricKey } from "../api/queues";
import { categories } from "./answers";

type Kind = "known" | "choices" | "number" | "text";

interface KeyDraft {
  key: string;
  description: string;
  required: boolean;
  kind: Kind;
  choices: string;
  min: string;
  max: string;
}

export interface QueueSaid {
  name: string;
  description: string;
  instructions: string;
  pairwise: boolean;
  reviewers: number;
  rubric: { key: string; description: string | null; required: boolean; config?: unknown }[];
}

interface Props {
  title: string;
  submit: string;
  /** Of a queue that is there; what cannot be changed is not asked then. */
  before?: { name: string; description: string | null; instructions: string | null; rubric: readonly RubricKey[]; pairwise: boolean };
  pending: boolean;
  error: Error | null;
  save: (said: QueueSaid) => void;
  close: () => void;
}

const FRESH: KeyDraft = { key: "", description: "", required: true, kind: "choices", choices: "good=1, bad=0", min: "0", max: "1" };
const KINDS: [Kind, string][] = [
  ["choices", "choices"],
  ["number", "a number"],
  ["text", "a text"],
  ["known", "as the key is set up already"],
];

export function QueueForm({ title, submit, before, pending, error, save, close }: Props): ReactNode {
  const [name, setName] = useState(before?.name ?? "");
  const [description, setDescription] = useState(before?.description ?? "");
  const [instructions, setInstructions] = useState(before?.instructions ?? "");
  const [pairwise, setPairwise] = useState(before?.pairwise ?? false);
  const [reviewers, setReviewers] = useState("1");
  const [keys, setKeys] = useState<readonly KeyDraft[]>(() => before?.rubric.map((one): KeyDraft => ({ ...FRESH, key: one.key, description: one.description ?? "", required: one.required, kind: "known" })) ?? [{ ...FRESH, key: "correctness" }]);
  const [said, say] = useState<string | null>(null);
  const change = (at: number, part: Partial<KeyDraft>): void => setKeys(keys.map((one, index) => (index === at ? { ...one, ...part } : one)));
  const send = (): void => {
    const rubric: QueueSaid["rubric"] = [];
    for (const key of keys) {
      if (!key.key.trim()) return say("Every key has a name; take away those that you do not need.");
      const config = pairwise ? null : configOf(key);
      if (typeof config === "string") return say(`${key.key}: ${config}`);
      rubric.push({ key: key.key.trim(), description: key.description.trim() || null, required: key.required, ...(config ? { config } : {}) });
    }
    const needed = Number(reviewers);
    if (!Number.isInteger(needed) || needed < 1) return say("How many reviewers an item needs: a whole number.");
    say(null);
    save({ name, description, instructions, pairwise, reviewers: needed, rubric });
  };
  return (
    <form
      className="card queue-form"
      aria-label={title}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label className="field">
        <span>Name</span>
        <input autoFocus required value={name} maxLength={1000} onChange={(event) => setName(event.target.value)} />
      </label>
      <label className="field">
        <span>Description</span>
        <input value={description} onChange={(event) => setDescription(event.target.value)} />
      </label>
      <label className="field wide">
        <span>Instructions for reviewers</span>
        <textarea rows={3} value={instructions} onChange={(event) => setInstructions(event.target.value)} />
      </label>
      {!before && (
        <>
          <label className="field">
            <span>An item is</span>
            <select value={pairwise ? "pair" : "single"} onChange={(event) => setPairwise(event.target.value === "pair")}>
              <option value="single">one run or thread</option>
              <option value="pair">two runs to compare</option>
            </select>
          </label>
          <label className="field">
            <span>Reviewers an item</span>
            <input inputMode="numeric" value={reviewers} onChange={(event) => setReviewers(event.target.value)} />
          </label>
        </>
      )}
      <fieldset className="wide keys">
        <legend>{pairwise ? "What is compared" : "What is judged"}</legend>
        {keys.map((key, at) => (
          <div key={at} className="key-row" role="group" aria-label={`Key ${at + 1}`}>
            <label className="field">
              <span>Key</span>
              <input value={key.key} maxLength={180} onChange={(event) => change(at, { key: event.target.value })} />
            </label>
            {!pairwise && (
              <label className="field">
                <span>Answered by</span>
                <select value={key.kind} onChange={(event) => change(at, { kind: event.target.value as Kind })}>
                  {KINDS.map(([kind, label]) => (
                    <option key={kind} value={kind}>
                      {label}
                    </option>
                  ))}
                </select>
              </label>
            )}
            {!pairwise && key.kind === "choices" && (
              <label className="field spread">
                <span>Choices with their scores</span>
                <input value={key.choices} onChange={(event) => change(at, { choices: event.target.value })} />
              </label>
            )}
            {!pairwise && key.kind === "number" && (
              <div className="spread bounds">
                <label className="field">
                  <span>From</span>
                  <input inputMode="decimal" value={key.min} onChange={(event) => change(at, { min: event.target.value })} />
                </label>
                <label className="field">
                  <span>To</span>
                  <input inputMode="decimal" value={key.max} onChange={(event) => change(at, { max: event.target.value })} />
                </label>
              </div>
            )}
            <label className="field spread">
              <span>What it means</span>
              <input value={key.description} onChange={(event) => change(at, { description: event.target.value })} />
            </label>
            <label className="check">
              <input type="checkbox" checked={key.required} onChange={() => change(at, { required: !key.required })} /> Required
            </label>
            <button type="button" className="button small" onClick={() => setKeys(keys.filter((_, index) => index !== at))} aria-label={`Take away ${key.key || `key ${at + 1}`}`}>
              Take away
            </button>
          </div>
        ))}
        <button type="button" className="button small" onClick={() => setKeys([...keys, FRESH])}>
          Add a key
        </button>
      </fieldset>
      {(said ?? error?.message) && (
        <p role="alert" className="bad wide">
          {said ?? error?.message}
        </p>
      )}
      <div className="row wide">
        <button type="submit" className="button primary" disabled={pending}>
          {submit}
        </button>
        <button type="button" className="button" onClick={close}>
          Not now
        </button>
      </div>
    </form>
  );
}

/** The shape of scores that is asked for: null for what is there already, a text when it makes no sense. */
function configOf(key: KeyDraft): object | string | null {
  if (key.kind === "known") return null;
  if (key.kind === "text") return { type: "freeform" };
  if (key.kind === "number") {
    const [min, max] = [key.min, key.max].map((text) => (text.trim() ? Number(text) : Number.NaN)) as [number, number];
    return max > min ? { type: "continuous", min, max } : "the number goes from a smaller to a larger one";
  }
  const found = categories(key.choices);
  return found ? { type: "categorical", categories: found } : "two choices or more that differ, such as: good=1, bad=0";
}
