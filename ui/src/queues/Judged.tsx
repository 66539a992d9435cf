/** What is judged: a run's inputs and outputs, or a thread. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { Refused, ask } from "../api/http";
import type { RunDetail } from "../api/types";
import { Link, toProject, toTrace } from "../app/router";
import { Judgements } from "../feedback/FeedbackTab";
import { count, dollars, exactly, micros } from "../format/format";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { Kind, Status } from "../parts/Status";
import { Thread } from "../project/ThreadsTab";
import { Content } from "../trace/RunDetailPane";

/** `own` is what the reviewer has given here: the rest is of others, and shown when it is asked for, so as to sway nobody. */
type Props = { run: string; title: string | null; own: ReadonlySet<string> } | { thread: string; project: string };

export function Judged(props: Props): ReactNode {
  if ("thread" in props) {
    return (
      <section className="judged" aria-label="Thread to judge">
        <p className="faint small">What you say is about the thread, and is kept with its last trace.</p>
        <Thread project={props.project} id={props.thread} back={toProject(props.project, `?tab=threads&thread=${encodeURIComponent(props.thread)}`)} />
      </section>
    );
  }
  return <JudgedRun id={props.run} title={props.title} own={props.own} />;
}

function JudgedRun({ id, title, own }: { id: string; title: string | null; own: ReadonlySet<string> }): ReactNode {
  const found = useQuery({ queryKey: ["run", "/runs", id], queryFn: ({ signal }) => ask<RunDetail>(`/runs/${id}`, { signal }), staleTime: 60_000 });
  const run = found.data;
  const others = run?.feedback.filter((piece) => !own.has(piece.id)) ?? [];
  return (
    <section className="judged" aria-label={title ? `Answer ${title}` : "Item"}>
      {!run ? (
        found.error instanceof Refused && found.error.status === 404 ? (
          <Empty title="This run has not arrived yet">
            <p>It was named by the client that put it here. Skip it for now.</p>
          </Empty>
        ) : found.isError ? (
          <Failure error={found.error} retry={() => void found.refetch()} />
        ) : (
          <Waiting what="Reading the run" />
        )
      ) : (
        <>
          <header className="run-head">
            <div className="run-title">
              {title && <span className="pair-letter">{title}</span>}
              <Status status={run.status} />
              <Kind type={run.type} />
              <h2 title={run.name}>{run.name || "(no name)"}</h2>
              <Link to={toTrace(run.trace, run.id)}>Trace</Link>
            </div>
            <p className="run-line">
              <span>{exactly(run.start)}</span>
              <span>{run.end === null ? "running" : micros(run.end - run.start)}</span>
              {run.usage.totalTokens > 0 && <span>{count(run.usage.totalTokens)} tokens</span>}
              {run.usage.totalCost !== null && <span>{dollars(run.usage.totalCost)}</span>}
            </p>
          </header>
          <div className="run-body">
            <Content run={run} base="/runs" />
            {others.length > 0 && (
              <details className="others">
                <summary>What others said and measured ({others.length})</summary>
                <Judgements items={others} label="Of others" />
              </details>
            )}
          </div>
        </>
      )}
    </section>
  );
}
