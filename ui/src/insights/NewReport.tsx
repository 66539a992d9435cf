/** What a new report is to be about. */

import type { UseMutationResult } from "@tanstack/react-query";
import { type ReactNode, useRef, useState } from "react";

import { Refused } from "../api/http";
import type { ReportRow } from "../api/insights";
import { FilterBar } from "../filters/FilterBar";
import { useValues } from "../project/RunsTab";
import { PRESETS } from "../project/range";
import { levels } from "./figures";

export interface Wanted {
  name?: string;
  since?: number | null;
  filter?: string;
  sample?: number | null;
  hierarchy?: number[] | null;
}

export function NewReport({ project, start, close }: { project: string; start: UseMutationResult<ReportRow, Error, Wanted>; close: () => void }): ReactNode {
  const [name, setName] = useState("");
  const [range, setRange] = useState("7d");
  const [filter, setFilter] = useState("");
  const [sample, setSample] = useState("");
  const [depth, setDepth] = useState("");
  const box = useRef<HTMLInputElement>(null);
  const values = useValues(project);
  const counts = levels(depth);
  const atMost = sample.trim() ? Number(sample) : null;
  const wrongSample = atMost !== null && !(Number.isInteger(atMost) && atMost > 1);
  const refusal = start.error instanceof Refused && start.error.status === 400 ? start.error : null;
  return (
    <form
      className="card new-report"
      aria-label="New report"
      onSubmit={(event) => {
        event.preventDefault();
        if (counts === undefined || wrongSample) return;
        const length = PRESETS.find((preset) => preset.key === range)?.length ?? null;
        start.mutate({ name, since: length === null ? 0 : Date.now() * 1000 - length, filter: box.current?.value ?? filter, sample: atMost, hierarchy: counts });
      }}
    >
      <label className="field">
        <span>Name</span>
        <input autoFocus value={name} maxLength={255} placeholder="The day and time" onChange={(event) => setName(event.target.value)} />
      </label>
      <label className="field">
        <span>Traces of</span>
        <select value={range} onChange={(event) => setRange(event.target.value)}>
          {PRESETS.map((preset) => (
            <option key={preset.key} value={preset.key}>
              {preset.key === "all" ? "all time" : `the ${preset.label.toLowerCase()}`}
            </option>
          ))}
        </select>
      </label>
      <div className="field wide">
        <span aria-hidden="true">That match</span>
        <FilterBar value={filter} change={setFilter} values={values} refusal={refusal?.position !== null ? refusal : null} box={box} />
      </div>
      <label className="field">
        <span>At most</span>
        <input inputMode="numeric" value={sample} placeholder="all of them" aria-invalid={wrongSample} className={wrongSample ? "wrong" : ""} onChange={(event) => setSample(event.target.value)} />
      </label>
      <label className="field">
        <span>Clusters a level, the finest first</span>
        <input value={depth} placeholder="as their number suggests, or: 20, 5" aria-invalid={counts === undefined} className={counts === undefined ? "wrong" : ""} onChange={(event) => setDepth(event.target.value)} />
      </label>
      {wrongSample && <p className="bad wide" role="alert">At most how many traces: a whole number above 1.</p>}
      {counts === undefined && <p className="bad wide" role="alert">Whole numbers with commas between, such as 20, 5.</p>}
      {start.isError && refusal?.position == null && <p className="bad wide" role="alert">{start.error.message}</p>}
      <div className="row wide">
        <button type="submit" className="button primary" disabled={start.isPending}>
          Start
        </button>
        <button type="button" className="button" onClick={close}>
          Not now
        </button>
      </div>
    </form>
  );
}
