/**
 * Markdown as elements. The text is hostile: no HTML is made of it, ever; what looks like HTML is shown as text, images
 * from elsewhere are links, and links lead out only by http, https and mailto.
 */

import { type Token, type Tokens, lexer } from "marked";
import { type ReactNode, memo, useMemo } from "react";

const MOST = 40_000;

export const Markdown = memo(function Markdown({ text }: { text: string }): ReactNode {
  const tokens = useMemo(() => read(text), [text]);
  return tokens ? <div className="markdown">{blocks(tokens)}</div> : <pre className="plain" tabIndex={0}>{text}</pre>;
});

function read(text: string): Token[] | null {
  if (text.length > MOST) return null;
  try {
    return lexer(text, { gfm: true, breaks: true });
  } catch {
    return null;
  }
}

/** The address a link may lead to; null for any other. */
export function safeLink(address: string): string | null {
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

const blocks = (tokens: readonly Token[], depth = 0): ReactNode[] => tokens.map((token, at) => <Block key={at} token={token} depth={depth} />);
const inline = (tokens: readonly Token[] | undefined, depth = 0): ReactNode[] => (tokens ?? []).map((token, at) => <Inline key={at} token={token} depth={depth} />);

function Block({ token, depth }: { token: Token; depth: number }): ReactNode {
  if (depth > 20) return token.raw;
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "heading": {
      const Heading = `h${Math.min(6, (token as Tokens.Heading).depth + 3)}` as "h4" | "h5" | "h6";
      return <Heading>{inline((token as Tokens.Heading).tokens)}</Heading>;
    }
    case "paragraph":
      return <p>{inline((token as Tokens.Paragraph).tokens)}</p>;
    case "text":
      return (token as Tokens.Text).tokens ? <span>{inline((token as Tokens.Text).tokens)}</span> : <span>{unescaped((token as Tokens.Text).text)}</span>;
    case "code":
      return (
        <pre className="code" tabIndex={0}>
          <code>{(token as Tokens.Code).text}</code>
        </pre>
      );
    case "blockquote":
      return <blockquote>{blocks((token as Tokens.Blockquote).tokens, depth + 1)}</blockquote>;
    case "hr":
      return <hr />;
    case "list": {
      const list = token as Tokens.List;
      const items = list.items.map((item, at) => (
        <li key={at}>
          {item.task && <input type="checkbox" checked={Boolean(item.checked)} readOnly aria-label="task" />} {blocks(item.tokens.filter((one) => one.type !== "checkbox"), depth + 1)}
        </li>
      ));
      return list.ordered ? <ol start={Number(list.start) || 1}>{items}</ol> : <ul>{items}</ul>;
    }
    case "table": {
      const table = token as Tokens.Table;
      return (
        <div className="wide" tabIndex={0} role="group" aria-label="Table">
          <table>
            <thead>
              <tr>
                {table.header.map((cell, at) => (
                  <th key={at}>{inline(cell.tokens)}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.rows.map((row, at) => (
                <tr key={at}>
                  {row.map((cell, column) => (
                    <td key={column}>{inline(cell.tokens)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
    }
    default:
      return <p className="verbatim">{token.raw}</p>;
  }
}

function Inline({ token, depth }: { token: Token; depth: number }): ReactNode {
  if (depth > 20) return token.raw;
  const inside = "tokens" in token ? inline(token.tokens, depth + 1) : null;
  switch (token.type) {
    case "strong":
      return <strong>{inside}</strong>;
    case "em":
      return <em>{inside}</em>;
    case "del":
      return <del>{inside}</del>;
    case "br":
      return <br />;
    case "codespan":
      return <code>{unescaped((token as Tokens.Codespan).text)}</code>;
    case "link":
    case "image": {
      const { href } = token as Tokens.Link;
      const address = safeLink(href);
      const label = token.type === "image" ? `🖼 ${(token as Tokens.Image).text || href}` : inside;
      return address ? (
        <a href={address} target="_blank" rel="noopener noreferrer nofollow" title={address}>
          {label}
        </a>
      ) : (
        <>{token.raw}</>
      );
    }
    case "escape":
    case "text":
      return <>{inside?.length ? inside : unescaped((token as Tokens.Text).text)}</>;
    default:
      return <>{token.raw}</>;
  }
}

const ENTITIES: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&#39;": "'" };

/** The lexer writes some characters as HTML would; as text they are what they were. */
const unescaped = (text: string): string => text.replace(/&(?:lt|gt|amp|quot|#39);/g, (found) => ENTITIES[found] ?? found);
