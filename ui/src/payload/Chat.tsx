/** Messages as a conversation: who said what, which tools were called with what. */

import { type ReactNode, useState } from "react";

import { JsonTree } from "./JsonTree";
import { Markdown, safeLink } from "./Markdown";
import { type Message, type Part, type ToolCall, isShowable } from "./messages";

const LONG = 6000;

export function Chat({ messages }: { messages: readonly Message[] }): ReactNode {
  const [all, setAll] = useState(messages.length <= 60);
  const hidden = all ? 0 : messages.length - 40;
  return (
    <ol className="chat">
      {hidden > 0 && (
        <li>
          <button type="button" className="button small" onClick={() => setAll(true)}>
            Show {hidden} earlier messages
          </button>
        </li>
      )}
      {messages.slice(hidden).map((message, at) => (
        <Bubble key={hidden + at} message={message} />
      ))}
    </ol>
  );
}

function Bubble({ message }: { message: Message }): ReactNode {
  const [open, setOpen] = useState(message.role !== "system");
  const role = message.name ? `${message.role} · ${message.name}` : message.role;
  return (
    <li className={`bubble ${["user", "assistant", "system", "tool"].includes(message.role) ? message.role : "other"}`}>
      <div className="bubble-role">
        {message.role === "system" ? (
          <button type="button" className="linklike" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "▾" : "▸"} {role}
          </button>
        ) : (
          role
        )}
        {message.answers && <span className="faint mono"> {message.answers}</span>}
      </div>
      {open ? message.parts.map((part, at) => <Piece key={at} part={part} tool={message.role === "tool"} />) : <p className="clipped faint">{message.parts.map((part) => (part.kind === "text" ? part.text : "")).join(" ").slice(0, 200)}</p>}
      {message.calls.map((call, at) => (
        <Call key={at} call={call} />
      ))}
      {message.parts.length === 0 && message.calls.length === 0 && <p className="faint">(empty)</p>}
    </li>
  );
}

function Piece({ part, tool }: { part: Part; tool: boolean }): ReactNode {
  switch (part.kind) {
    case "text":
      return tool ? <Result text={part.text} /> : <Text text={part.text} />;
    case "thinking":
      return (
        <details className="thinking">
          <summary>Thinking</summary>
          <Text text={part.text} />
        </details>
      );
    case "image":
      return <Picture url={part.url} />;
    case "other":
      return <JsonTree value={part.value} label="Part" />;
  }
}

/** What is in the payload is shown; what is elsewhere is a link, so that nothing is loaded by looking. */
function Picture({ url }: { url: string }): ReactNode {
  if (isShowable(url)) return <img className="picture" src={url} alt="in the message" />;
  const address = safeLink(url);
  const label = `🖼 ${url.slice(0, 300)}`;
  return (
    <p className="verbatim">
      {address ? (
        <a href={address} target="_blank" rel="noopener noreferrer nofollow">
          {label}
        </a>
      ) : (
        label
      )}
    </p>
  );
}

function Text({ text }: { text: string }): ReactNode {
  const [whole, setWhole] = useState(text.length <= LONG);
  return (
    <>
      <Markdown text={whole ? text : text.slice(0, LONG)} />
      {!whole && (
        <button type="button" className="linklike" onClick={() => setWhole(true)}>
          Show all {text.length.toLocaleString("en")} characters
        </button>
      )}
    </>
  );
}

function Result({ text }: { text: string }): ReactNode {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return <JsonTree value={value} label="Result" />;
  } catch {
    // plain text, then
  }
  return <Text text={text} />;
}

export function Call({ call }: { call: ToolCall }): ReactNode {
  const simple = typeof call.args === "object" && call.args !== null;
  return (
    <div className="call">
      <div className="call-name">
        <span aria-hidden="true">→ </span>
        {call.name || "(no name)"}
        {call.id && <span className="faint mono"> {call.id}</span>}
      </div>
      {simple ? <JsonTree value={call.args} label={`Arguments of ${call.name}`} /> : call.args !== undefined && <pre className="plain" tabIndex={0}>{String(call.args)}</pre>}
    </div>
  );
}
