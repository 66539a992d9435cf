/** The frame: who is looking, the bar at the top, and which page the address means. */

import { QueryClient, QueryClientProvider, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, Suspense, lazy, useEffect, useMemo, useRef, useState } from "react";

import { Refused, ask } from "../api/http";
import type { Me } from "../api/types";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { ProjectPage } from "../project/ProjectPage";
import { ProjectsPage } from "../projects/ProjectsPage";
import { SignIn } from "../signin/SignIn";
import { PublicTrace, TracePage } from "../trace/TracePage";
import { Welcome } from "../welcome/Welcome";
import { Help } from "./Help";
import { useKeys } from "./keys";
import { Mishap } from "./Mishap";
import { useCurrentInSight } from "./sight";
import { MeContext } from "./me";
import { Link, go, usePath } from "./router";
import { useTheme } from "./theme";

const DatasetsPage = lazy(() => import("../datasets/DatasetsPage").then((room) => ({ default: room.DatasetsPage })));
const DatasetPage = lazy(() => import("../datasets/DatasetPage").then((room) => ({ default: room.DatasetPage })));
const PublicDataset = lazy(() => import("../datasets/PublicDataset").then((room) => ({ default: room.PublicDataset })));
const ConversationsPage = lazy(() => import("../conversations/ConversationsPage"));
const SettingsPage = lazy(() => import("../settings/SettingsPage"));
const JoinPage = lazy(() => import("../join/JoinPage"));
const QueuesArea = lazy(() => import("../queues/QueuesArea"));

function makeClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        gcTime: 5 * 60_000,
        retry: (failures, error) => failures < 2 && !(error instanceof Refused && error.status >= 400 && error.status < 500),
        refetchOnWindowFocus: false,
      },
    },
  });
}

export function App(): ReactNode {
  const [client] = useState(makeClient);
  return (
    <QueryClientProvider client={client}>
      <Mishap place="">
        <Door />
      </Mishap>
    </QueryClientProvider>
  );
}

function Door(): ReactNode {
  const path = usePath();
  const shared = /^\/public\/([^/]+)\/([rd])\/?$/.exec(path);
  if (path === "/ui/join") {
    return (
      <Suspense fallback={<Waiting />}>
        <JoinPage />
      </Suspense>
    );
  }
  if (!shared) return <House path={path} />;
  const token = decodeURIComponent(shared[1]!);
  return <Suspense fallback={<Waiting />}>{shared[2] === "r" ? <PublicTrace token={token} /> : <PublicDataset token={token} />}</Suspense>;
}

function House({ path }: { path: string }): ReactNode {
  const cache = useQueryClient();
  const me = useQuery({ queryKey: ["me"], queryFn: () => ask<Me>("/me"), staleTime: 60_000 });
  // A key that was revoked, or a sign-in that has ended, is noticed by whichever question comes first.
  useEffect(
    () =>
      cache.getQueryCache().subscribe((event) => {
        const error = event.query.state.error;
        if (error instanceof Refused && error.status === 401 && event.query.queryKey[0] !== "me") void cache.invalidateQueries({ queryKey: ["me"] });
      }),
    [cache],
  );
  if (me.error instanceof Refused && me.error.status === 401) {
    return (
      <SignIn
        reason={me.data || /^(Your sign-in|This API key)/.test(me.error.message) ? me.error.message : null}
        done={() => {
          cache.clear();
          void cache.invalidateQueries();
          void me.refetch();
        }}
      />
    );
  }
  if (me.isError && !me.data) return <Failure error={me.error} retry={() => void me.refetch()} />;
  if (!me.data) return <Waiting />;
  return (
    <MeContext value={me.data}>
      <Frame me={me.data} place={path.split("/")[2] ?? ""}>
        <Mishap place={path}>
          <Suspense fallback={<Waiting />}>{pageOf(path)}</Suspense>
        </Mishap>
      </Frame>
    </MeContext>
  );
}

function pageOf(path: string): ReactNode {
  const [, , place, id, room, thing] = path.split("/");
  if (!place) return <ProjectsPage />;
  if (place === "projects" && id) return <ProjectPage key={id} id={id} insights={room === "insights" ? (thing ?? "") : null} />;
  if (place === "traces" && id) return <TracePage key={id} id={id} />;
  if (place === "datasets") return id ? <DatasetPage key={id} id={id} /> : <DatasetsPage />;
  if (place === "queues") return <QueuesArea path={path} />;
  if (place === "conversations") return <ConversationsPage id={id} />;
  if (place === "settings") return <SettingsPage place={id} />;
  if (place === "connect") return <Connect />;
  return (
    <Empty title="There is no such page">
      <Link to="/ui/">All projects</Link>
    </Empty>
  );
}

function Connect(): ReactNode {
  return <Welcome waits={false} />;
}

/** Where the bar at the top leads, by the first part of the address; traces are of a project. */
const PLACES = [["", "Projects"], ["datasets", "Datasets"], ["queues", "Queues"], ["conversations", "Conversations"], ["settings", "Settings"], ["connect", "Connect"]] as const;

function Frame({ me, place, children }: { me: Me; place: string; children: ReactNode }): ReactNode {
  const here = ["projects", "traces"].includes(place) ? "" : place;
  const nav = useCurrentInSight(here);
  const [theme, turn] = useTheme();
  const help = useRef<HTMLDialogElement>(null);
  useKeys(useMemo(() => ({ "?": () => help.current?.showModal(), p: () => go("/ui/") }), []));
  const signOut = async (): Promise<void> => {
    await ask("/sign-in", { method: "DELETE" });
    location.assign("/ui/");
  };
  return (
    <div className="frame">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <Link to="/ui/" className="brand">
          <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
            <rect width="32" height="32" rx="8" className="brand-mark" />
            <path d="M8 11h10M8 16h16M8 21h7" className="brand-lines" />
          </svg>
          Stenograph
        </Link>
        <nav aria-label="Pages" ref={nav}>
          {PLACES.map(([at, title]) => (
            <Link key={at} to={`/ui/${at}`} aria-current={at === here ? "page" : undefined}>
              {title}
            </Link>
          ))}
        </nav>
        <span className="grow" />
        <span className="faint workspace" title="Workspace">
          {me.workspace}
        </span>
        <button type="button" className="button quiet" onClick={turn} title="Light, dark, or as the system has it">
          <span aria-hidden="true">{{ system: "◐", light: "☀", dark: "☾" }[theme]}</span>
          <span className="unseen">Colours: {theme}</span>
        </button>
        <button type="button" className="button quiet" onClick={() => help.current?.showModal()} title="Keys ( ? )">
          <span aria-hidden="true">?</span>
          <span className="unseen">Keys</span>
        </button>
        {me.name !== null && (
          <span className="workspace" title={`Signed in as ${me.name}, role ${me.role}`}>
            {me.name}
          </span>
        )}
        {(me.auth === "keys" || me.name !== null) && (
          <button type="button" className="button quiet" onClick={() => void signOut()}>
            Sign out
          </button>
        )}
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <Help box={help} />
    </div>
  );
}
