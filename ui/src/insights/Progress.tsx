/** A report under way: which stage it is in, and how far. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { ask } from "../api/http";
import type { Report } from "../api/insights";
import { useMe } from "../app/me";
import { count } from "../format/format";
import { Wrong } from "../parts/Notice";
import { stages } from "./figures";

export function Progress({ project, report }: { project: string; report: Report }): ReactNode {
  const cache = useQueryClient();
  const mayWrite = useMe().may.includes("write");
  const cancel = useMutation({
    mutationFn: () => ask(`/projects/${project}/insights/${report.id}/cancel`, { method: "POST" }),
    onSettled: () => void cache.invalidateQueries({ queryKey: ["report", report.id] }),
  });
  const { done, of } = report.progress;
  return (
    <section className="progress card" aria-label="Progress">
      <header>
        <h2>{report.status === "queued" ? "Waits for its turn" : "Under way"}</h2>
        {mayWrite && (
          <button type="button" className="button" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
            Cancel
          </button>
        )}
      </header>
      <ol>
        {stages(report).map((stage) => (
          <li key={stage.key} className={`stage ${stage.state}`} aria-current={stage.state === "now" ? "step" : undefined}>
            <span className="stage-mark" aria-hidden="true">
              {stage.state === "done" ? "✓" : stage.state === "now" ? "›" : ""}
            </span>
            <span>{stage.label}</span>
            {stage.state === "now" && of > 1 && (
              <>
                <progress max={1} value={stage.share ?? 0} aria-label={stage.label} />
                <span className="faint small">
                  {count(done)} of {count(of)}
                </span>
              </>
            )}
          </li>
        ))}
      </ol>
      <p className="faint small">You can leave: it goes on, even when the server is started anew.</p>
      <Wrong error={cancel.error} />
    </section>
  );
}
