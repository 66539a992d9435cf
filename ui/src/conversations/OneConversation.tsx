/** One conversation as chat, each turn with its trace; and a box to try a message. */

import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useMemo, useState } from "react";

import type { Conversation, Tried } from "../api/conversations";
import { ask } from "../api/http";
import type { Endpoints } from "../api/settings";
import { useMe } from "../app/me";
import { Link, toTrace } from "../app/router";
import { exactly, micros } from "../format/format";
import { Failure, Waiting } from "../parts/Notice";
import { Status } from "../parts/Status";
import { Chat } from "../payload/Chat";
import { Markdown } from "../payload/Markdown";
import { kindOf, named, turnsOf } from "./turns";

export function OneConversation({ id }: { id: string }): ReactNode {
  const found = useQuery({ queryKey: ["conversation", id], queryFn: ({ signal }) => ask<Conversation>(`/conversations/${id}`, { signal }) });
  const turns = useMemo(() => (found.data ? turnsOf(found.data.entries, found.data.traces) : []), [found.data]);
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading the conversation" />;
  const one = found.data;
  return (
    <div className="page talk">
      <nav className="crumbs" aria-label="Where this is">
        <Link to="/ui/conversations">Conversations</Link>
        <span aria-hidden="true">/</span>
      </nav>
      <header className="page-head">
        <h1 className="clipped" title={one.situation ?? one.id}>
          {named(one.agents)}
          {one.users.length > 0 && ` and ${named(one.users)}`}
        </h1>
        <span className="faint">{kindOf(one.kind)}</span>
      </header>
      <div className="talk-body" role="region" aria-label="The conversation" tabIndex={0}>
        {one.situation && <p className="verbatim faint situation">{one.situation}</p>}
        {turns.length === 0 && <p className="faint">Nothing was said yet.</p>}
        <section className="turns" aria-label="What was said">
          {turns.map((turn) => (
            <article key={turn.at} className="turn">
              <header>
                {turn.trace ? (
                  <>
                    <Status status={turn.trace.status} />
                    <Link to={toTrace(turn.trace.id)}>{turn.trace.name || "trace"}</Link>
                    <span className="faint">{turn.trace.end === null ? "running" : micros(turn.trace.end - turn.trace.start)}</span>
                  </>
                ) : (
                  <span className="faint">without a trace</span>
                )}
                <span className="faint">{exactly(turn.at)}</span>
              </header>
              <Chat messages={turn.messages} />
            </article>
          ))}
        </section>
        <Try id={id} />
      </div>
    </div>
  );
}

function Try({ id }: { id: string }): ReactNode {
  const mayWrite = useMe().may.includes("write");
  const [text, setText] = useState("");
  const where = useQuery({ queryKey: ["endpoints"], queryFn: ({ signal }) => ask<Endpoints>("/endpoints", { signal }), enabled: mayWrite });
  const say = useMutation({ mutationFn: () => ask<Tried>(`/conversations/${id}/try`, { body: { text: text.trim() } }) });
  if (!mayWrite || !where.data) return null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim()) say.mutate();
  };
  return (
    <section className="try" aria-label="Try a message">
      <h2>Try a message</h2>
      {where.data.problem !== null ? (
        <p className="faint">
          Nobody can be asked: {where.data.problem}. Or give this workspace a server of its own in <Link to="/ui/settings/models">Settings</Link>.
        </p>
      ) : (
        <form className="put whole-width" onSubmit={submit}>
          <label>
            Message
            <textarea rows={2} value={text} maxLength={10_000} onChange={(event) => setText(event.target.value)} />
          </label>
          <p className="faint">The model answers as it would in this conversation. Nothing is added to it, and no tool is run; the try leaves a trace.</p>
          <div className="row">
            <button type="submit" className="button primary" disabled={!text.trim() || say.isPending}>
              {say.isPending ? "Asking…" : "Ask"}
            </button>
          </div>
        </form>
      )}
      {say.isError && (
        <p className="bad" role="alert">
          {say.error.message}
        </p>
      )}
      {say.data && (
        <div role="status">
          {say.data.answers.map((answer, at) => (
            <div key={at} className="bubble assistant">
              <div className="bubble-role">assistant</div>
              <Markdown text={answer} />
            </div>
          ))}
          {say.data.calls.length > 0 && <p>It would call {say.data.calls.join(", ")}.</p>}
          <p>
            {say.data.docs.length > 0 && <span className="faint">Recalled: {say.data.docs.map((doc) => doc.title).join(", ")}. </span>}
            <Link to={toTrace(say.data.trace)}>Its trace</Link>
          </p>
        </div>
      )}
    </section>
  );
}
