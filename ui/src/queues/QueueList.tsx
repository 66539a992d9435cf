/** All queues, with what waits for the viewer and what is done. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";

import { ask } from "../api/http";
import type { QueueRow } from "../api/queues";
import { useKeys } from "../app/keys";
import { useMe } from "../app/me";
import { Link, go } from "../app/router";
import { count, percent } from "../format/format";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { QueueForm, type QueueSaid } from "./QueueForm";
import { toQueue, toReview } from "./addresses";

export function QueueList(): ReactNode {
  const cache = useQueryClient();
  const mayWrite = useMe().may.includes("write");
  const [making, setMaking] = useState(false);
  const found = useQuery({ queryKey: ["queues"], queryFn: ({ signal }) => ask<{ queues: QueueRow[]; more: boolean }>("/queues", { signal }), refetchInterval: 15_000 });
  const make = useMutation({
    mutationFn: (said: QueueSaid) => ask<{ id: string }>("/queues", { body: said }),
    onSuccess: (made) => {
      void cache.invalidateQueries({ queryKey: ["queues"] });
      go(toQueue(made.id));
    },
  });
  useKeys(useMemo(() => ({ c: () => mayWrite && setMaking(true) }), [mayWrite]));
  if (found.isError && !found.data) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading queues" />;
  const { queues, more } = found.data;
  const form = making && <QueueForm title="New queue" submit="Make the queue" pending={make.isPending} error={make.error} save={(said) => make.mutate(said)} close={() => setMaking(false)} />;
  return (
    <div className="page queues-scroll">
      <header className="page-head">
        <h1>Queues</h1>
        {mayWrite && !making && queues.length > 0 && (
          <button type="button" className="button primary" onClick={() => setMaking(true)} title="New queue ( c )">
            New queue
          </button>
        )}
      </header>
      {form}
      {queues.length === 0 && !making && (
        <Empty title="Have people judge what your application says">
          <p>A queue holds traces that wait for somebody’s judgement, and the keys to judge them by. Reviewers take them one by one, without a mouse, and what they say becomes feedback on the trace.</p>
          {mayWrite ? (
            <button type="button" className="button primary" onClick={() => setMaking(true)}>
              Make a queue
            </button>
          ) : (
            <p>Whoever may write can make one.</p>
          )}
        </Empty>
      )}
      {queues.length > 0 && (
        <ul className="queues" aria-label="Queues">
          {queues.map((queue) => (
            <Row key={queue.id} queue={queue} />
          ))}
        </ul>
      )}
      {more && <p className="faint">The newest {queues.length} are listed.</p>}
    </div>
  );
}

function Row({ queue }: { queue: QueueRow }): ReactNode {
  const { mine, others, done } = queue.counts;
  const total = mine + others + done;
  return (
    <li>
      <div className="queue-row">
        <span className="queue-name">
          <Link to={toQueue(queue.id)} className="strong two-lines">
            {queue.name}
          </Link>
          <span className="faint small clipped">
            {queue.pairwise && <span className="tag">pairs</span>}
            {queue.fills && <span className="tag">fills itself</span>}
            {queue.description || queue.keys.join(", ")}
          </span>
        </span>
        <Done done={done} total={total} />
        <span className="queue-count">
          <strong>{count(mine)}</strong> <span className="faint small">to review</span>
        </span>
        {mine > 0 ? (
          <Link to={toReview(queue.id)} className="button">
            Review
          </Link>
        ) : (
          <span className="queue-none" />
        )}
      </div>
    </li>
  );
}

/** "12 of 40 done", with a bar. */
export function Done({ done, total }: { done: number; total: number }): ReactNode {
  return (
    <span className="done-share">
      <progress max={Math.max(1, total)} value={done} aria-label="Done" title={total ? percent(done / total) : "no items"} />
      <span className="small">
        {count(done)} of {count(total)} done
      </span>
    </span>
  );
}
