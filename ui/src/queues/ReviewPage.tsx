/** A reviewer's view: one item at a time, the rubric beside it, and everything by keys. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";

import { Refused, ask } from "../api/http";
import type { Item, ItemRow, Queue } from "../api/queues";
import { useMe } from "../app/me";
import { Link, go } from "../app/router";
import { count } from "../format/format";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { Judged } from "./Judged";
import { Done } from "./QueueList";
import { useTitle } from "./QueuePage";
import { Rubric, type RubricHandle } from "./Rubric";
import { QUEUES, toQueue, toReview } from "./addresses";
import { NOTE, type Drafts, type Note, answers, draftsOf, rubricOf } from "./answers";

export function ReviewPage({ queue, item }: { queue: string; item: string | null }): ReactNode {
  const found = useQuery({ queryKey: ["queue", queue], queryFn: ({ signal }) => ask<Queue>(`/queues/${queue}`, { signal }) });
  useTitle(found.data?.name);
  if (found.isError && !found.data) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading the queue" />;
  const { counts } = found.data;
  return (
    <div className="review">
      <header className="review-head">
        <nav className="crumbs" aria-label="Where this is">
          <Link to={QUEUES}>Queues</Link>
          <span aria-hidden="true">/</span>
          <Link to={toQueue(queue)}>{found.data.name}</Link>
        </nav>
        <span className="grow" />
        <Done done={counts.done} total={counts.mine + counts.others + counts.done} />
      </header>
      {item ? <OneItem key={item} queue={found.data} id={item} /> : <First queue={found.data} />}
    </div>
  );
}

const firstOf = (queue: string): Promise<{ items: ItemRow[] }> => ask<{ items: ItemRow[] }>(`/queues/${queue}/items?section=mine&limit=1`);

/** Goes to the first item that waits for the viewer, or says that none does. */
function First({ queue }: { queue: Queue }): ReactNode {
  const found = useQuery({ queryKey: ["first", queue.id], queryFn: () => firstOf(queue.id), staleTime: 0, gcTime: 0 });
  const first = found.isFetching ? undefined : found.data?.items[0]?.id;
  useEffect(() => {
    if (first) go(toReview(queue.id, first), { replace: true });
  }, [first, queue.id]);
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (found.isFetching || first) return <Waiting what="Looking for the next item" />;
  return (
    <Empty title="All done">
      <p>Nothing in “{queue.name}” waits for you{queue.counts.others > 0 ? `; ${count(queue.counts.others)} wait for others` : ""}.</p>
      <div className="row">
        <Link to={toQueue(queue.id, "?section=done")} className="button">
          What is done
        </Link>
        <Link to={QUEUES} className="button">
          All queues
        </Link>
      </div>
    </Empty>
  );
}

function OneItem({ queue, id }: { queue: Queue; id: string }): ReactNode {
  const found = useQuery({ queryKey: ["item", queue.id, id], queryFn: ({ signal }) => ask<Item>(`/queues/${queue.id}/items/${id}`, { signal }), staleTime: Infinity, gcTime: 0 });
  if (found.isError) {
    return (
      <>
        <Failure error={found.error} />
        <p className="notice">
          <Link to={toReview(queue.id)} className="button">
            Go on with the next
          </Link>
        </p>
      </>
    );
  }
  if (!found.data) return <Waiting what="Reading the item" />;
  return <Reviewing queue={queue} item={found.data} />;
}

function Reviewing({ queue, item }: { queue: Queue; item: Item }): ReactNode {
  const cache = useQueryClient();
  const mayReview = useMe().may.includes("write") && queue.mayReview && item.section !== "others";
  const rubric = rubricOf(queue);
  const before = draftsOf(rubric, item.given, item.runs);
  const [drafts, setDrafts] = useState<Drafts>(before.drafts);
  const [note, setNote] = useState<Note>(before.note);
  const handle = useRef<RubricHandle>(null);
  const own = new Set(item.given.map((piece) => piece.id));
  const path = `/queues/${queue.id}/items/${item.id}`;
  const pair = item.runs.length === 2;

  const toNext = useCallback(
    (after: string | null): void => {
      void cache.invalidateQueries({ queryKey: ["queue", queue.id] });
      void cache.invalidateQueries({ queryKey: ["queues"] });
      void cache.invalidateQueries({ queryKey: ["items", queue.id] });
      go(toReview(queue.id, after ?? undefined), { replace: after === null });
    },
    [cache, queue.id],
  );
  const viewed = useMutation({ mutationFn: () => ask(`${path}/status`, { body: { status: "viewed" } }) });
  const done = useMutation({
    mutationFn: () => ask(`${path}/done`, { body: { answers: answers(rubric, drafts, note, pair) } }),
    onSuccess: () => {
      for (const run of item.runs) void cache.invalidateQueries({ queryKey: ["run", "/runs", run] });
      toNext(item.section === "mine" ? item.after : null);
    },
  });
  const skip = useMutation({ mutationFn: () => ask(`${path}/status`, { body: { status: "skipped" } }), onSuccess: () => toNext(item.after) });
  const reopen = useMutation({ mutationFn: () => ask(`${path}/status`, { body: { status: "open" } }), onSuccess: () => { void cache.invalidateQueries({ queryKey: ["item", queue.id, item.id] }); toNext(item.id); } });
  const { mutate: view } = viewed;
  useEffect(() => {
    if (mayReview && item.section === "mine") view();
  }, [mayReview, item.section, view]);

  const isBusy = done.isPending || skip.isPending;
  const submit = (): void => {
    if (mayReview && !isBusy && handle.current?.ready()) done.mutate();
  };
  const onlyOne = item.after === null && item.before === null;
  const leave = (): void => {
    if (mayReview && item.section === "mine" && !isBusy && !onlyOne) skip.mutate();
  };
  const turn = (to: string | null): void => {
    if (to) go(toReview(queue.id, to));
  };
  useReviewKeys({
    n: () => turn(item.after),
    p: () => turn(item.before),
    s: leave,
    Enter: submit,
    j: () => handle.current?.move(1),
    k: () => handle.current?.move(-1),
    c: () => handle.current?.comment(),
    e: () => handle.current?.write(),
    Escape: () => go(toQueue(queue.id)),
    ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => [String(digit), () => handle.current?.digit(digit)])),
  });
  const refusal = viewed.error ?? done.error ?? skip.error ?? reopen.error;
  const taken = viewed.error instanceof Refused && viewed.error.status === 409;
  return (
    <div className="review-body">
      <div className={pair ? "judged-pair" : "judged-one"} role="region" aria-label="What is judged" tabIndex={0}>
        {item.thread !== null ? (
          <Judged thread={item.thread} project={item.project!} />
        ) : (
          item.runs.map((run, at) => <Judged key={run} run={run} own={own} title={pair ? (at === 0 ? "A" : "B") : null} />)
        )}
      </div>
      <aside className="rubric-side" aria-label="Rubric">
        <div className="review-where">
          <button type="button" className="button small" disabled={!item.before} onClick={() => turn(item.before)} title="Item before ( p )" aria-label="Item before">
            ←
          </button>
          <span>
            {count(item.position + 1)} of {count(item.of)} {item.section === "mine" ? "to review" : item.section === "done" ? "done" : "with others"}
          </span>
          <button type="button" className="button small" disabled={!item.after} onClick={() => turn(item.after)} title="Next item ( n )" aria-label="Next item">
            →
          </button>
        </div>
        {queue.instructions && <p className="instructions verbatim" tabIndex={0}>{queue.instructions}</p>}
        <Rubric ref={handle} rubric={rubric} pairwise={pair} drafts={drafts} setDrafts={setDrafts} note={note} setNote={setNote} asksNote={!pair && !rubric.some((key) => key.key === NOTE)} locked={!mayReview} />
        {refusal && (
          <p role="alert" className="bad">
            {taken ? "Somebody else has this item open. Go on with the next one ( n )." : refusal.message}
          </p>
        )}
        <div className="review-act">
          <button type="button" className="button primary" disabled={!mayReview || isBusy} onClick={submit} title="Submit ( Enter )">
            {item.section === "done" ? "Save" : "Submit"} <kbd>Enter</kbd>
          </button>
          {item.section === "mine" && (
            <button type="button" className="button" disabled={!mayReview || isBusy || onlyOne} onClick={leave} title={onlyOne ? "This is the only one left" : "Later ( s )"}>
              Skip <kbd>s</kbd>
            </button>
          )}
          {item.mineDone && (
            <button type="button" className="button" disabled={!mayReview || reopen.isPending} onClick={() => reopen.mutate()}>
              Reopen
            </button>
          )}
        </div>
        {!mayReview && <p className="faint small">{item.section === "others" ? "Others review this item." : "Your key may not review this queue."}</p>}
        <p className="faint small keys-line">
          <kbd>1</kbd>–<kbd>9</kbd> choose · <kbd>j</kbd> <kbd>k</kbd> key · <kbd>c</kbd> comment · <kbd>e</kbd> write · <kbd>n</kbd> <kbd>p</kbd> item
        </p>
      </aside>
    </div>
  );
}

type Actions = Record<string, () => void>;

/** Keys of the review, heard before those of the whole page, where p means something else. While somebody writes there are
 * only Escape, which leaves the field, and Ctrl+Enter. A link or button that has the focus keeps its Enter, but for those
 * of choices. */
function useReviewKeys(actions: Actions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.metaKey || event.altKey || event.isComposing) return;
      const target = event.target as HTMLElement | null;
      if (target?.closest("dialog, select")) return;
      const isWriting = Boolean(target?.closest("textarea, input:not([type='range'])"));
      if (isWriting) {
        if (event.key === "Escape") target?.blur();
        else if (event.key === "Enter" && (event.ctrlKey || target?.tagName === "INPUT")) latest.current["Enter"]?.();
        else return;
        event.preventDefault();
        return;
      }
      if (event.ctrlKey) return;
      if (event.key === "Enter" && target?.closest("a, button:not([data-choice]), summary")) return;
      const act = latest.current[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", pressed, true);
    return () => window.removeEventListener("keydown", pressed, true);
  }, []);
}
