/** A new dataset: by name, with the rows of a file if one is given. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";

import type { NewExample } from "../api/datasets";
import { ask } from "../api/http";
import { go } from "../app/router";
import { FormEnd } from "../parts/FormEnd";
import { Sheet } from "./Sheet";
import { type Table, USES, Unreadable, type Use, fromLines, fromTable, likely, readCsv } from "./files";
import { toDataset } from "./home";

type Content = { table: Table } | { lines: NewExample[] };

export function NewDataset({ close }: { close: () => void }): ReactNode {
  const cache = useQueryClient();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [content, setContent] = useState<Content | null>(null);
  const [uses, setUses] = useState<readonly Use[]>([]);
  const [unreadable, setUnreadable] = useState<string | null>(null);
  const made = useMemo(() => examplesOf(content, uses), [content, uses]);
  const create = useMutation({
    mutationFn: () => ask<{ id: string }>("/datasets", { body: { name, description: description.trim() || null, examples: made.examples } }),
    onSuccess: ({ id }) => {
      void cache.invalidateQueries({ queryKey: ["datasets"] });
      go(toDataset(id));
    },
  });
  const read = async (file: File | undefined): Promise<void> => {
    setContent(null);
    setUnreadable(null);
    create.reset();
    if (!file) return;
    try {
      const text = await textOf(file);
      if (/\.(jsonl|ndjson|json)$/i.test(file.name)) setContent({ lines: fromLines(text) });
      else {
        const table = readCsv(text);
        setUses(table.columns.map(likely));
        setContent({ table });
      }
      if (!name) setName(file.name.replace(/\.[^.]*$/, ""));
    } catch (error) {
      setUnreadable(error instanceof Unreadable ? error.message : "This file cannot be read as text.");
    }
  };
  const problem = unreadable ?? made.problem;
  return (
    <Sheet title="New dataset" close={close} middle>
      <form
        className="fields"
        onSubmit={(event) => {
          event.preventDefault();
          if (!problem) create.mutate();
        }}
      >
        <h2>New dataset</h2>
        <label>
          Name
          <input required autoFocus maxLength={1000} value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        <label>
          Description <span className="faint">(optional)</span>
          <input value={description} onChange={(event) => setDescription(event.target.value)} />
        </label>
        <label>
          Examples from a file <span className="faint">(optional: CSV with a header, or JSONL)</span>
          <input type="file" accept=".csv,.jsonl,.ndjson,.json,text/csv,application/jsonl" onChange={(event) => void read(event.target.files?.[0])} />
        </label>
        {content && "table" in content && <Columns table={content.table} uses={uses} change={setUses} />}
        {problem ? <p role="alert" className="bad">{problem}</p> : content && <p className="faint" role="status">{made.examples.length.toLocaleString("en")} examples will be made.</p>}
        <FormEnd act="Create" acting="Making it…" busy={create.isPending} notYet={problem !== null || !name.trim()} error={create.error} leave={close} />
      </form>
    </Sheet>
  );
}

async function textOf(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const mark = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(mark, { fatal: true }).decode(bytes);
}

function examplesOf(content: Content | null, uses: readonly Use[]): { examples: NewExample[]; problem: string | null } {
  if (!content) return { examples: [], problem: null };
  if ("lines" in content) return { examples: content.lines, problem: null };
  try {
    return { examples: fromTable(content.table, uses), problem: null };
  } catch (error) {
    return { examples: [], problem: error instanceof Error ? error.message : String(error) };
  }
}

function Columns({ table, uses, change }: { table: Table; uses: readonly Use[]; change: (uses: Use[]) => void }): ReactNode {
  return (
    <fieldset className="uses">
      <legend>What the columns are</legend>
      <ul>
        {table.columns.slice(0, 200).map((column, at) => (
          <li key={column}>
            <label>
              <span className="clipped" title={column}>
                {column || "(no name)"}
              </span>
              <select value={uses[at]} onChange={(event) => change(uses.map((use, place) => (place === at ? (event.target.value as Use) : use)))}>
                {USES.map((use) => (
                  <option key={use}>{use}</option>
                ))}
              </select>
            </label>
            <span className="clipped faint" title="In the first row">
              {table.rows[0]?.[at]?.slice(0, 120)}
            </span>
          </li>
        ))}
      </ul>
    </fieldset>
  );
}
