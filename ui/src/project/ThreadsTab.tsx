/** Conversations: at the left all of them, at the right one as chat, each turn with a link to its trace. */

import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";

import { ask } from "../api/http";
import type { After, ThreadRow, Turn } from "../api/types";
import { Link, changed, toProject, toTrace, useParams } from "../app/router";
import { ago, count, dollars, exactly, micros, score } from "../format/format";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { Status } from "../parts/Status";
import { Chat } from "../payload/Chat";
import { JsonTree } from "../payload/JsonTree";
import { Markdown } from "../payload/Markdown";
import { type Message, conversation } from "../payload/messages";
import type { Scope } from "./ProjectPage";

const PAGE = 50;

export function ThreadsTab({ scope }: { scope: Scope }): ReactNode {
  const [params] = useParams();
  const chosen = params.get("thread");
  const { project, asked } = scope;
  const found = useInfiniteQuery({
    queryKey: ["threads", project, asked],
    queryFn: ({ pageParam, signal }) => ask<{ threads: ThreadRow[]; total: number }>(`/projects/${project}/threads`, { body: { ...asked, limit: PAGE, offset: pageParam }, signal }),
    initialPageParam: 0,
    getNextPageParam: (page, pages) => (pages.length * PAGE < page.total ? pages.length * PAGE : undefined),
    placeholderData: keepPreviousData,
  });
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.threads) ?? [], [found.data]);
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading threads" />;
  if (rows.length === 0) {
    return (
      <Empty title="No threads here">
        <p>
          Traces whose metadata has a <code>thread_id</code>, <code>session_id</code> or <code>conversation_id</code> are gathered into threads.
        </p>
      </Empty>
    );
  }
  const current = chosen ?? rows[0]!.id;
  return (
    <div className={`threads${chosen ? " one" : ""}`}>
      <nav className="thread-list" aria-label="Threads">
        <p className="faint small">{count(found.data.pages[0]!.total)} threads</p>
        <ul>
          {rows.map((row) => (
            <li key={row.id}>
              <Link to={toProject(project, changed(params, { thread: row.id, tab: "threads" }))} aria-current={row.id === current ? "true" : undefined}>
                <span className="clipped strong">{row.input ?? row.id}</span>
                <span className="clipped faint">{row.error ? <span className="bad">{row.error.split("\n")[0]}</span> : row.output}</span>
                <span className="thread-facts faint">
                  <span>{row.turns} {row.turns === 1 ? "turn" : "turns"}</span>
                  {row.tokens > 0 && <span>{count(row.tokens)} tok</span>}
                  {row.cost !== null && <span>{dollars(row.cost)}</span>}
                  <span title={exactly(row.last)}>{ago(row.last)}</span>
                </span>
              </Link>
            </li>
          ))}
        </ul>
        {found.hasNextPage && (
          <button type="button" className="button" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            More
          </button>
        )}
      </nav>
      <Thread key={current} project={project} id={current} back={toProject(project, changed(params, { thread: null }))} />
    </div>
  );
}

export function Thread({ project, id, back }: { project: string; id: string; back: string }): ReactNode {
  const found = useInfiniteQuery({
    queryKey: ["turns", project, id],
    queryFn: ({ pageParam, signal }) => ask<{ turns: Turn[]; next: After | null }>(`/projects/${project}/turns`, { body: { thread: id, after: pageParam }, signal }),
    initialPageParam: null as After | null,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const turns = found.data?.pages.flatMap((page) => page.turns) ?? [];
  return (
    <section className="thread" aria-label="Thread" tabIndex={0}>
      <header>
        <Link to={back} className="button small only-narrow">
          ← Threads
        </Link>
        <h2 className="clipped mono" title={id}>
          {id}
        </h2>
      </header>
      {found.isError ? <Failure error={found.error} /> : !found.data ? <Waiting what="Reading the thread" /> : null}
      <ol className="turns">
        {turns.map((turn, at) => (
          <TurnView key={turn.id} turn={turn} before={at ? turns[at - 1]! : null} />
        ))}
      </ol>
      {found.hasNextPage && (
        <button type="button" className="button" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          Later turns
        </button>
      )}
    </section>
  );
}

function TurnView({ turn, before }: { turn: Turn; before: Turn | null }): ReactNode {
  const said = useMemo(() => fresh(turn, before), [turn, before]);
  return (
    <li className="turn">
      <header>
        <Status status={turn.status} />
        <Link to={toTrace(turn.trace, turn.id)}>{turn.name || "trace"}</Link>
        <span className="faint" title={exactly(turn.start)}>
          {ago(turn.start)}
        </span>
        {turn.end !== null && <span className="faint">{micros(turn.end - turn.start)}</span>}
        {turn.tokens > 0 && <span className="faint">{count(turn.tokens)} tok</span>}
        {Object.entries(turn.feedback).map(([key, value]) => (
          <span key={key} className="tag">
            {key} {score(value)}
          </span>
        ))}
      </header>
      <Said value={turn.inputs} messages={said} preview={turn.input} role="user" />
      {turn.error !== null ? <pre className="plain failure" tabIndex={0}>{turn.error}</pre> : <Said value={turn.outputs} messages={lastWords(turn.outputs)} preview={turn.output} role="assistant" />}
    </li>
  );
}

/** Of inputs that repeat the whole conversation only what is new: after the last message that an assistant said. */
function fresh(turn: Turn, before: Turn | null): Message[] | null {
  const messages = conversation(turn.inputs);
  if (!messages || !before) return messages;
  const last = messages.findLastIndex((message) => message.role === "assistant" && message.calls.length === 0);
  const rest = messages.slice(last + 1).filter((message) => message.role !== "system");
  return rest.length ? rest : messages.slice(-1);
}

/** Of outputs that repeat it, what was said after the last user. */
function lastWords(value: unknown): Message[] | null {
  const messages = conversation(value);
  return messages ? messages.slice(messages.findLastIndex((message) => message.role === "user") + 1) : null;
}

function Said({ value, messages, preview, role }: { value: unknown; messages: Message[] | null; preview: string | null; role: string }): ReactNode {
  if (messages?.length) return <Chat messages={messages} />;
  if (value === null || value === undefined) return preview === null ? null : <p className={`bubble ${role}`}>{preview} <span className="faint">(long: see the trace)</span></p>;
  const members = typeof value === "object" ? Object.values(value) : [];
  const only = members.length === 1 && typeof members[0] === "string" ? members[0] : null;
  if (only) {
    return (
      <div className={`bubble ${role}`}>
        <div className="bubble-role">{role}</div>
        <Markdown text={only} />
      </div>
    );
  }
  return (
    <div className={`bubble ${role}`}>
      <div className="bubble-role">{role}</div>
      <JsonTree value={value} label={role} />
    </div>
  );
}
