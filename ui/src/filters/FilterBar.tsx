/** The filter: its conditions to see and take away, and the expression itself to edit, with completion. */

import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useId, useMemo, useRef, useState } from "react";

import { type Refused } from "../api/http";
import { complete, conditions, saying, without } from "./language";

interface Props {
  value: string;
  change: (value: string) => void;
  values: Readonly<Record<string, readonly string[]>>;
  refusal: Refused | null;
  box: RefObject<HTMLInputElement | null>;
}

export function FilterBar({ value, change, values, refusal, box }: Props): ReactNode {
  const [text, setText] = useState(value);
  const [cursor, setCursor] = useState(value.length);
  const [open, setOpen] = useState(false);
  const [chosen, choose] = useState(-1);
  const next = useRef<number | null>(null);
  const id = useId();
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (next.current === null) return;
    box.current?.setSelectionRange(next.current, next.current);
    next.current = null;
  }, [text, box]);
  const suggestions = useMemo(() => (open ? complete(text, cursor, values) : []), [open, text, cursor, values]);
  const shown = conditions(value);

  const take = (at: number): void => {
    const one = suggestions[at];
    if (!one) return;
    const changed = text.slice(0, one.from) + one.insert + text.slice(cursor);
    next.current = one.from + one.cursor;
    setText(changed);
    setCursor(one.from + one.cursor);
    choose(-1);
    setOpen(true);
    box.current?.focus();
  };
  const apply = (): void => {
    setOpen(false);
    if (text.trim() !== value) change(text.trim());
  };
  const pressed = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key === "ArrowDown" && suggestions.length) choose((chosen + 1) % suggestions.length);
    else if (event.key === "ArrowUp" && suggestions.length) choose((chosen - 1 + suggestions.length) % suggestions.length);
    else if (event.key === "Tab" && open && suggestions.length && text) take(Math.max(0, chosen));
    else if (event.key === "Enter") {
      if (chosen >= 0) take(chosen);
      else apply();
    } else if (event.key === "Escape") {
      if (open) setOpen(false);
      else setText(value);
    } else return;
    event.preventDefault();
  };
  return (
    <div className="filter">
      <div className="filter-box">
        <span aria-hidden="true" className="faint filter-mark">
          ƒ
        </span>
        <input
          ref={box}
          className={refusal ? "mono wrong" : "mono"}
          role="combobox"
          aria-label="Filter"
          aria-expanded={suggestions.length > 0}
          aria-controls={id}
          aria-autocomplete="list"
          aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
          aria-invalid={refusal !== null}
          spellCheck={false}
          autoComplete="off"
          placeholder='Filter, such as  eq(status, "error")   ( f )'
          value={text}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onChange={(event) => {
            setText(event.target.value);
            setCursor(event.target.selectionStart ?? event.target.value.length);
            setOpen(true);
            choose(-1);
          }}
          onSelect={(event) => setCursor(event.currentTarget.selectionStart ?? 0)}
          onKeyDown={pressed}
        />
        {text !== value && (
          <button type="button" className="button small primary" onMouseDown={(event) => event.preventDefault()} onClick={apply}>
            Apply
          </button>
        )}
        {value && (
          <button type="button" className="button small" onClick={() => change("")}>
            Clear
          </button>
        )}
        {suggestions.length > 0 && (
          <ul className="suggestions" id={id} role="listbox" aria-label="Suggestions">
            {suggestions.map((one, at) => (
              <li
                key={`${one.label}-${at}`}
                id={`${id}-${at}`}
                role="option"
                aria-selected={at === chosen}
                ref={(element) => {
                  if (at === chosen) element?.scrollIntoView({ block: "nearest" });
                }}
                onMouseDown={(event) => {
                  event.preventDefault();
                  take(at);
                }}
              >
                <span className="clipped">{one.label}</span>
                <span className="faint">{one.help}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
      {refusal && (
        <p className="bad" role="alert">
          {refusal.message}
          {refusal.position !== null && <code> {`${value.slice(Math.max(0, refusal.position - 12), refusal.position)}▸${value.slice(refusal.position, refusal.position + 24)}`}</code>}
        </p>
      )}
      {shown && shown.length > 0 && !refusal && (
        <ul className="chips" aria-label="Conditions">
          {shown.map((condition, at) => (
            <li key={`${condition}-${at}`} className="chip">
              <span className="clipped" title={condition}>
                {saying(condition)}
              </span>
              <button type="button" aria-label={`Take away: ${saying(condition)}`} onClick={() => change(without(value, at))}>
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
