/** Settings, a page each. What the viewer's role may not see is not offered. */

import { type ReactNode, useEffect } from "react";

import { useMe } from "../app/me";
import { Link } from "../app/router";
import { useCurrentInSight } from "../app/sight";
import { Empty } from "../parts/Notice";
import { DeadLetters } from "./DeadLetters";
import { Keys } from "./Keys";
import { Members } from "./Members";
import { ModelServers } from "./ModelServers";
import { Prices } from "./Prices";
import { Retention } from "./Retention";
import { Storage } from "./Storage";

const PAGES: readonly { key: string; title: string; needs: string; forMembers?: true; view: () => ReactNode }[] = [
  { key: "keys", title: "API keys", needs: "admin", forMembers: true, view: () => <Keys /> },
  { key: "members", title: "Members", needs: "read", view: () => <Members /> },
  { key: "prices", title: "Model prices", needs: "read", view: () => <Prices /> },
  { key: "models", title: "Model endpoints", needs: "read", view: () => <ModelServers /> },
  { key: "retention", title: "Retention", needs: "read", view: () => <Retention /> },
  { key: "storage", title: "Storage", needs: "read", view: () => <Storage /> },
  { key: "dead-letters", title: "Dead letters", needs: "admin", view: () => <DeadLetters /> },
];

export default function SettingsPage({ place }: { place: string | undefined }): ReactNode {
  const me = useMe();
  const pages = PAGES.filter((page) => me.may.includes(page.needs) || (page.forMembers && me.member !== null));
  const shown = place ? pages.find((page) => page.key === place) : pages[0];
  const title = shown?.title;
  const nav = useCurrentInSight(shown?.key);
  useEffect(() => {
    document.title = `${title ?? "Settings"} · Stenograph`;
    return () => {
      document.title = "Stenograph";
    };
  }, [title]);
  return (
    <div className="page settings">
      <header className="page-head">
        <h1>Settings</h1>
      </header>
      <nav className="tabs" aria-label="Settings" ref={nav}>
        {pages.map((page) => (
          <Link key={page.key} to={`/ui/settings/${page.key}`} aria-current={page === shown ? "page" : undefined}>
            {page.title}
          </Link>
        ))}
      </nav>
      <div className="settings-body">{shown ? shown.view() : <Empty title="Nothing to see here">{place && PAGES.some((page) => page.key === place) ? <p>That is for admins: sign in with an admin's key.</p> : <p>There is no such setting.</p>}</Empty>}</div>
    </div>
  );
}
