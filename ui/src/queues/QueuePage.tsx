/** One queue: what it is for, how far it is, and its items by section. */

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";

import { ask } from "../api/http";
import type { ItemRow, Queue, Section } from "../api/queues";
import { useKeys } from "../app/keys";
import { useMe } from "../app/me";
import { Link, go, useParams } from "../app/router";
import { ago, count, exactly } from "../format/format";
import { Empty, Failure, Waiting, Wrong } from "../parts/Notice";
import { Popover } from "../parts/Popover";
import { Status } from "../parts/Status";
import { type Column, VirtualTable } from "../parts/VirtualTable";
import { QueueForm } from "./QueueForm";
import { Done } from "./QueueList";
import { QUEUES, toQueue, toReview } from "./addresses";

const SECTIONS: [Section, string][] = [
  ["mine", "To review"],
  ["others", "With others"],
  ["done", "Done"],
];

export function QueuePage({ id }: { id: string }): ReactNode {
  const [params] = useParams();
  const section = SECTIONS.find(([key]) => key === params.get("section"))?.[0] ?? "mine";
  const [editing, setEditing] = useState(false);
  const mayWrite = useMe().may.includes("write");
  const cache = useQueryClient();
  const found = useQuery({ queryKey: ["queue", id], queryFn: ({ signal }) => ask<Queue>(`/queues/${id}`, { signal }) });
  const queue = found.data;
  const change = useMutation({
    mutationFn: (body: object) => ask<Queue>(`/queues/${id}`, { method: "PATCH", body }),
    onSuccess: (changed) => {
      cache.setQueryData(["queue", id], changed);
      setEditing(false);
    },
  });
  const canReview = mayWrite && Boolean(queue?.mayReview) && (queue?.counts.mine ?? 0) > 0;
  useKeys(useMemo(() => ({ r: () => canReview && go(toReview(id)) }), [canReview, id]));
  useTitle(queue?.name);
  if (found.isError && !queue) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!queue) return <Waiting what="Reading the queue" />;
  const total = queue.counts.mine + queue.counts.others + queue.counts.done;
  return (
    <div className="page">
      <nav className="crumbs" aria-label="Where this is">
        <Link to={QUEUES}>Queues</Link>
        <span aria-hidden="true">/</span>
      </nav>
      <header className="page-head">
        <h1 className="two-lines">{queue.name}</h1>
        <Done done={queue.counts.done} total={total} />
        {canReview && (
          <Link to={toReview(id)} className="button primary" title="Review ( r )">
            Review
          </Link>
        )}
        {mayWrite && (
          <>
            <button type="button" className="button" onClick={() => setEditing(!editing)} aria-expanded={editing}>
              Edit
            </button>
            <Remove queue={queue} />
          </>
        )}
      </header>
      {editing ? (
        <div className="queues-scroll">
          <QueueForm
            title="Edit the queue"
            submit="Save"
            before={queue}
            pending={change.isPending}
            error={change.error}
            save={({ name, description, instructions, rubric }) => change.mutate({ name, description, instructions, rubric })}
            close={() => setEditing(false)}
          />
        </div>
      ) : (
        <>
          <div className="queue-about">
            {queue.description && <p className="faint">{queue.description}</p>}
            {queue.rubric.length > 0 && (
              <ul className="chips" aria-label="Keys">
                {queue.rubric.map((key) => (
                  <li key={key.key} className="tag" title={key.description ?? ""}>
                    {key.key}
                    {key.required ? " *" : ""}
                  </li>
                ))}
              </ul>
            )}
          </div>
          <nav className="tabs" aria-label="Sections">
            {SECTIONS.map(([key, label]) => (
              <Link key={key} to={toQueue(id, key === "mine" ? "" : `?section=${key}`)} aria-current={key === section ? "page" : undefined}>
                {label}
                <span className="tab-count">{count(queue.counts[key])}</span>
              </Link>
            ))}
          </nav>
          <Items key={section} queue={queue} section={section} total={total} />
        </>
      )}
    </div>
  );
}

export function useTitle(name: string | undefined): void {
  useEffect(() => {
    if (name) document.title = `${name} · Stenograph`;
    return () => {
      document.title = "Stenograph";
    };
  }, [name]);
}

function Remove({ queue }: { queue: Queue }): ReactNode {
  const cache = useQueryClient();
  const remove = useMutation({
    mutationFn: () => ask(`/queues/${queue.id}`, { method: "DELETE" }),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ["queues"] });
      go(QUEUES);
    },
  });
  return (
    <Popover label="Delete" title="Delete this queue">
      {() => (
        <div className="share">
          <p>The queue goes, and who has reviewed what. Feedback stays with the runs.</p>
          <button type="button" className="button danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
            Delete the queue
          </button>
          <Wrong error={remove.error} />
        </div>
      )}
    </Popover>
  );
}

const columns = (queue: Queue): readonly Column<ItemRow>[] => [
  { key: "status", title: "", width: "30px", cell: (item) => <Status status={item.status} /> },
  {
    key: "name", title: "Item", width: "minmax(130px, 1.2fr)",
    cell: (item) => (
      <Link to={toReview(queue.id, item.id)} className="strong clipped" title={item.name}>
        {item.thread !== null ? `thread ${item.thread}` : item.name || "(no name)"}
      </Link>
    ),
  },
  { key: "input", title: "Input", width: "minmax(140px, 2fr)", cell: (item) => <span className="clipped" title={item.input ?? ""}>{item.input}</span> },
  { key: "output", title: "Output", width: "minmax(140px, 2fr)", cell: (item) => (item.error !== null ? <span className="clipped bad" title={item.error}>{item.error.split("\n")[0]}</span> : <span className="clipped faint" title={item.output ?? ""}>{item.output}</span>) },
  { key: "reviews", title: "Reviews", width: "90px", end: true, cell: (item) => <span className="faint">{item.reviews}{queue.needed ? ` of ${queue.needed}` : ""}{item.reserved ? ", open" : ""}</span> },
  { key: "added", title: "Added", width: "90px", end: true, cell: (item) => <span className="faint" title={exactly(item.added)}>{ago(item.added)}</span> },
];

function Items({ queue, section, total }: { queue: Queue; section: Section; total: number }): ReactNode {
  const found = useInfiniteQuery({
    queryKey: ["items", queue.id, section],
    queryFn: ({ pageParam, signal }) => ask<{ items: ItemRow[]; next: number | null }>(`/queues/${queue.id}/items?section=${section}&offset=${pageParam}&limit=100`, { signal }),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = found;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.items) ?? [], [found.data]);
  const shown = useMemo(() => columns(queue), [queue]);
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading items" />;
  if (rows.length === 0) {
    if (total === 0) {
      return (
        <Empty title="Nothing is in this queue yet">
          <p>
            Put the traces of a cluster of an <Link to="/ui/">insights report</Link> into it, or add runs with the client:
          </p>
          <code className="verbatim">client.add_runs_to_annotation_queue("{queue.id}", run_ids=[…])</code>
        </Empty>
      );
    }
    return <Empty title={section === "mine" ? "Nothing waits for you" : section === "done" ? "Nothing is done yet" : "Nothing is with others"} />;
  }
  return <VirtualTable<ItemRow> label="Items" rows={rows} columns={shown} idOf={(item) => item.id} to={(item) => toReview(queue.id, item.id)} onEnd={more} />;
}
