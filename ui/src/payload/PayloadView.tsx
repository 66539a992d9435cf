/** One payload, as chat where it is a conversation, as a tree, or as it was sent. Large ones come when asked for. */

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";

import { apiUrl, text as fetchText } from "../api/http";
import type { Payload, PayloadName } from "../api/types";
import { bytes } from "../format/format";
import { Copy } from "../parts/Copy";
import { Failure, Waiting } from "../parts/Notice";
import { Chat } from "./Chat";
import { JsonTree } from "./JsonTree";
import { Markdown } from "./Markdown";
import { parse } from "./jsonRows";
import { conversation } from "./messages";

type View = "chat" | "tree" | "raw";
const NAMES: Record<View, string> = { chat: "Chat", tree: "JSON", raw: "Raw" };

export function PayloadView({ title, name, payload, base, query = "" }: { title: string; name: PayloadName; payload: Payload; base: string; query?: string }): ReactNode {
  const [wanted, setWanted] = useState(false);
  const path = `${base}/${name}${query}`;
  const rest = useQuery({ queryKey: ["payload", path], queryFn: () => fetchText(path), enabled: wanted && payload.text === null, gcTime: 60_000 });
  const text = payload.text ?? rest.data ?? null;
  return (
    <section className="payload" aria-label={title}>
      {text !== null ? (
        <Body title={title} text={text} url={apiUrl(path)} />
      ) : (
        <>
          <header>
            <h3>{title}</h3>
          </header>
          {rest.isError ? (
            <Failure error={rest.error} />
          ) : wanted ? (
            <Waiting />
          ) : (
            <p>
              <button type="button" className="button" onClick={() => setWanted(true)}>
                Show {bytes(payload.size)}
              </button>{" "}
              <a href={apiUrl(path)} download>
                Download
              </a>
            </p>
          )}
        </>
      )}
    </section>
  );
}

function Body({ title, text, url }: { title: string; text: string; url: string }): ReactNode {
  const value = useMemo(() => parse(text), [text]);
  const messages = useMemo(() => conversation(value), [value]);
  const single = useMemo(() => onlyText(value), [value]);
  const views: View[] = value === undefined ? ["raw"] : messages || single ? ["chat", "tree", "raw"] : ["tree", "raw"];
  const [chosen, choose] = useState<View | null>(null);
  const view = chosen && views.includes(chosen) ? chosen : views[0]!;
  return (
    <>
      <header>
        <h3>{title}</h3>
        <div className="segments" role="group" aria-label={`${title} as`}>
          {views.map((one) => (
            <button key={one} type="button" aria-pressed={one === view} onClick={() => choose(one)}>
              {one === "chat" && !messages ? "Text" : NAMES[one]}
            </button>
          ))}
        </div>
        <Copy text={text} />
      </header>
      {view === "chat" && (messages ? <Chat messages={messages} /> : <div className="bubble other"><Markdown text={single ?? ""} /></div>)}
      {view === "tree" && <JsonTree value={value} label={title} />}
      {view === "raw" && <Raw text={text} url={url} />}
    </>
  );
}

/** The text of {"input": "…"} and its like. */
function onlyText(value: unknown): string | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const members = Object.values(value);
  return members.length === 1 && typeof members[0] === "string" && members[0].length > 0 ? members[0] : null;
}

const MOST = 200_000;

function Raw({ text, url }: { text: string; url: string }): ReactNode {
  return (
    <>
      <pre className="plain raw" tabIndex={0}>
        {text.slice(0, MOST)}
      </pre>
      {text.length > MOST && (
        <p className="faint">
          The first {MOST.toLocaleString("en")} of {text.length.toLocaleString("en")} characters. <a href={url} download>Download all</a>
        </p>
      )}
    </>
  );
}
