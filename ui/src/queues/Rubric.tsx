/** The keys to judge by, one of them current: digits choose under it, j and k move. */

import { type ReactNode, type Ref, useEffect, useImperativeHandle, useRef, useState } from "react";

import type { RubricKey } from "../api/queues";
import { type Choice, type Draft, type Drafts, EMPTY, type Note, choicesOf, chosen, digitScore, missing, range, step, visible, wrong } from "./answers";

export interface RubricHandle {
  digit: (digit: number) => void;
  move: (by: number) => void;
  /** To the comment of the current key, or to the note where there is none. */
  comment: () => void;
  /** To the field of the current key, or to the correction. */
  write: () => void;
  /** Whether all that is required is there; says what is missing, and goes there. */
  ready: () => boolean;
}

interface Props {
  ref: Ref<RubricHandle>;
  rubric: readonly RubricKey[];
  pairwise: boolean;
  drafts: Drafts;
  setDrafts: (drafts: Drafts) => void;
  note: Note;
  setNote: (note: Note) => void;
  asksNote: boolean;
  locked: boolean;
}

export function Rubric({ ref, rubric, pairwise, drafts, setDrafts, note, setNote, asksNote, locked }: Props): ReactNode {
  const shown = visible(rubric, drafts);
  const [at, setAt] = useState(0);
  const [commented, setCommented] = useState<ReadonlySet<string>>(() => new Set());
  const [said, say] = useState<string | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const wanted = useRef<string | null>(null);
  const current = Math.min(at, shown.length - 1);
  const key = shown[current];
  useEffect(() => {
    if (wanted.current === null) return;
    const field = box.current?.querySelector<HTMLElement>(wanted.current);
    wanted.current = null;
    field?.focus();
  });
  useEffect(() => say(null), [drafts]);

  const put = (of: RubricKey, draft: Draft): void => setDrafts({ ...drafts, [of.key]: draft });
  const focusOn = (selector: string): void => {
    wanted.current = selector;
    box.current?.querySelector<HTMLElement>(selector)?.focus();
  };
  const select = (index: number): void => {
    const next = Math.max(0, Math.min(shown.length - 1, index));
    setAt(next);
    box.current?.querySelectorAll("[data-key]")[next]?.scrollIntoView({ block: "nearest" });
  };
  const choose = (of: RubricKey, choice: Choice): void => {
    if (!locked) put(of, chosen(drafts[of.key] ?? EMPTY, of, choice));
  };
  useImperativeHandle(ref, () => ({
    digit: (digit) => {
      if (!key || locked) return;
      const choice = choicesOf(key, pairwise).find((one) => one.digit === String(digit));
      if (choice) choose(key, choice);
      else if (key.config?.type === "continuous" && !pairwise) {
        const score = digitScore(key.config, digit);
        if (score !== null) put(key, { ...(drafts[key.key] ?? EMPTY), score });
      }
    },
    move: (by) => select(current + by),
    comment: () => {
      if (locked) return;
      if (!key) return focusOn("[data-field='note']");
      setCommented(new Set(commented).add(key.key));
      wanted.current = `[data-key='${current}'] [data-field='comment']`;
    },
    write: () => {
      if (!locked) focusOn(key?.config?.type === "freeform" || key?.config?.type === "continuous" ? `[data-key='${current}'] [data-field='value']` : "[data-field='correction']");
    },
    ready: () => {
      const gap = missing(rubric, drafts)[0];
      const off = shown.find((one) => wrong(one.config, drafts[one.key]?.score ?? null) !== null);
      const first = gap ?? off;
      if (!first) return true;
      say(gap ? `“${first.key}” needs an answer.` : `“${first.key}” has to be ${wrong(first.config, drafts[first.key]?.score ?? null)}.`);
      select(shown.indexOf(first));
      return false;
    },
  }));
  return (
    <div className="rubric" ref={box}>
      {rubric.length === 0 && <p className="faint small">This queue has no keys to judge by: a note is all it takes. Whoever may write can add keys to it.</p>}
      {shown.map((one, index) => (
        <section key={one.key} data-key={index} className={index === current ? "rubric-key current" : "rubric-key"} aria-label={one.key} aria-current={index === current ? "step" : undefined} onPointerDown={() => setAt(index)} onFocus={() => setAt(index)}>
          <h3>
            {one.key}
            {one.required && <span className="faint"> required</span>}
          </h3>
          {one.description && <p className="small soft verbatim">{one.description}</p>}
          <Field of={one} pairwise={pairwise} draft={drafts[one.key] ?? EMPTY} put={(draft) => put(one, draft)} choose={(choice) => choose(one, choice)} locked={locked} />
          {commented.has(one.key) || drafts[one.key]?.comment ? (
            <textarea data-field="comment" rows={2} aria-label={`Comment on ${one.key}`} placeholder="Comment" disabled={locked} value={drafts[one.key]?.comment ?? ""} onChange={(event) => put(one, { ...(drafts[one.key] ?? EMPTY), comment: event.target.value })} />
          ) : (
            !locked && (
              <button
                type="button"
                className="linklike small"
                onClick={() => {
                  setCommented(new Set(commented).add(one.key));
                  wanted.current = `[data-key='${index}'] [data-field='comment']`;
                }}
              >
                Comment
              </button>
            )
          )}
        </section>
      ))}
      {asksNote && (
        <details className="rubric-note" open={rubric.length === 0 || Boolean(note.comment || note.correction)}>
          <summary>Note and correction</summary>
          <textarea data-field="note" rows={2} aria-label="Note" placeholder="A note on the whole" disabled={locked} value={note.comment} onChange={(event) => setNote({ ...note, comment: event.target.value })} />
          <textarea data-field="correction" rows={3} aria-label="Correction" placeholder="What it should have said: a text, or a JSON object" disabled={locked} value={note.correction} onChange={(event) => setNote({ ...note, correction: event.target.value })} />
        </details>
      )}
      {said && (
        <p role="alert" className="bad">
          {said}
        </p>
      )}
    </div>
  );
}

interface FieldProps {
  of: RubricKey;
  pairwise: boolean;
  draft: Draft;
  put: (draft: Draft) => void;
  choose: (choice: Choice) => void;
  locked: boolean;
}

function Field({ of, pairwise, draft, put, choose, locked }: FieldProps): ReactNode {
  const choices = choicesOf(of, pairwise);
  if (choices.length > 0) {
    const isChosen = (choice: Choice): boolean => (choice.preference !== null ? draft.preference === choice.preference : draft.labels.includes(choice.label) || (draft.labels.length === 0 && draft.score !== null && draft.score === choice.score));
    return (
      <div className="choices-row" role="group" aria-label={`Choices for ${of.key}`}>
        {choices.map((choice) => (
          <button key={choice.label} type="button" data-choice className="choice-button" aria-pressed={isChosen(choice)} disabled={locked} onClick={() => choose(choice)} title={choice.help ?? undefined}>
            {choice.digit && <kbd aria-hidden="true">{choice.digit}</kbd>}
            <span>{choice.label}</span>
            {choice.help && <span className="small faint choice-help">{choice.help}</span>}
          </button>
        ))}
      </div>
    );
  }
  if (of.config?.type === "continuous") {
    const bounds = range(of.config);
    const off = wrong(of.config, draft.score);
    const typed = (text: string): void => put({ ...draft, score: text.trim() === "" || !Number.isFinite(Number(text)) ? null : Number(text) });
    return (
      <div className="number-row">
        {bounds && <input type="range" aria-label={`${of.key}, as a slider`} min={bounds[0]} max={bounds[1]} step={step(bounds)} disabled={locked} value={draft.score ?? bounds[0]} onChange={(event) => typed(event.target.value)} />}
        <input type="number" data-field="value" aria-label={of.key} step="any" className={off ? "wrong" : ""} disabled={locked} value={draft.score ?? ""} placeholder={bounds ? `${bounds[0]} to ${bounds[1]}` : "a number"} onChange={(event) => typed(event.target.value)} />
      </div>
    );
  }
  return <textarea data-field="value" rows={3} aria-label={of.key} placeholder="Write ( e ), leave with Escape" disabled={locked} value={draft.text} onChange={(event) => put({ ...draft, text: event.target.value })} />;
}
