/** Inputs, outputs and metadata of an example as JSON, with what is wrong beside each. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useId, useState } from "react";

import type { ExamplePart } from "../api/datasets";
import { FormEnd } from "../parts/FormEnd";
import { Sheet } from "./Sheet";
import { mistake } from "./json";

export type Texts = Record<ExamplePart, string>;
const TITLES: Record<ExamplePart, string> = { inputs: "Inputs", outputs: "Reference outputs", metadata: "Metadata" };
const PARTS = ["inputs", "outputs", "metadata"] as const;

/** What is wrong with each part; what may be left out may be empty. */
export function mistakes(texts: Texts, keepsOutputs: boolean): Partial<Texts> {
  const found: Partial<Texts> = {};
  for (const part of PARTS) {
    const text = texts[part].trim();
    if (!text && (part === "metadata" || (part === "outputs" && !keepsOutputs))) continue;
    const wrong = text ? mistake(text) : part === "outputs" ? "An example keeps its outputs: {} stands for none." : "This is needed: a JSON object.";
    if (wrong) found[part] = wrong;
  }
  return found;
}

interface Props {
  title: string;
  start: Texts;
  keepsOutputs?: boolean;
  /** Rejects with what the server says. */
  save: (texts: Texts) => Promise<void>;
  close: () => void;
}

export function ExampleEditor({ title, start, keepsOutputs = false, save, close }: Props): ReactNode {
  const cache = useQueryClient();
  const [texts, setTexts] = useState(start);
  const [tried, setTried] = useState(false);
  const wrong = mistakes(texts, keepsOutputs);
  const send = useMutation({
    mutationFn: () => save(texts),
    onSuccess: () => {
      close();
      for (const key of ["examples", "example", "dataset", "datasets", "versions", "diff"]) void cache.invalidateQueries({ queryKey: [key] });
    },
  });
  return (
    <Sheet title={title} close={close} middle>
      <form
        className="fields"
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (Object.keys(wrong).length === 0) send.mutate();
        }}
      >
        <h2>{title}</h2>
        <JsonFields texts={texts} change={setTexts} wrong={tried ? wrong : {}} />
        <FormEnd act="Save" busy={send.isPending} error={send.error} leave={close} />
      </form>
    </Sheet>
  );
}

export function JsonFields({ texts, change, wrong, parts = PARTS }: { texts: Texts; change: (texts: Texts) => void; wrong: Partial<Texts>; parts?: readonly ExamplePart[] }): ReactNode {
  const id = useId();
  return parts.map((part) => (
    <div key={part} className="json-field">
      <label htmlFor={id + part}>
        {TITLES[part]} {part !== "inputs" && <span className="faint">(optional)</span>}
      </label>
      <textarea
        id={id + part}
        className={wrong[part] ? "mono wrong" : "mono"}
        spellCheck={false}
        rows={part === "metadata" ? 4 : 7}
        value={texts[part]}
        aria-invalid={wrong[part] !== undefined}
        aria-describedby={wrong[part] ? `${id}${part}-wrong` : undefined}
        onChange={(event) => change({ ...texts, [part]: event.target.value })}
      />
      {wrong[part] && (
        <p id={`${id}${part}-wrong`} role="alert" className="bad">
          {TITLES[part]}: {wrong[part]}
        </p>
      )}
    </div>
  ));
}
