/** Conversations: the list of sessions, agents and users with their docs; below it one conversation. */

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";

import type { ConversationRow, People, Person } from "../api/conversations";
import { ask } from "../api/http";
import { useMe } from "../app/me";
import { Link, useParams } from "../app/router";
import { ago, exactly } from "../format/format";
import { Copy } from "../parts/Copy";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { type Column, VirtualTable } from "../parts/VirtualTable";
import { OneConversation } from "./OneConversation";
import { OwnerPage } from "./OwnerPage";
import { kindOf, named } from "./turns";

const PAGE = 100;
const TABS = [
  ["sessions", "Sessions"],
  ["agents", "Agents"],
  ["users", "Users"],
] as const;

export default function ConversationsPage({ id }: { id: string | undefined }): ReactNode {
  const [params] = useParams();
  const tab = TABS.find(([key]) => key === params.get("tab"))?.[0] ?? "sessions";
  const owner = params.get("id");
  if (id) return <OneConversation key={id} id={id} />;
  if (tab !== "sessions" && owner) return <OwnerPage key={owner} kind={tab === "agents" ? "agent" : "user"} id={owner} />;
  return (
    <div className="page">
      <header className="page-head">
        <h1>Conversations</h1>
      </header>
      <nav className="tabs" aria-label="Views of conversations">
        {TABS.map(([key, title]) => (
          <Link key={key} to={`/ui/conversations${key === "sessions" ? "" : `?tab=${key}`}`} aria-current={key === tab ? "page" : undefined}>
            {title}
          </Link>
        ))}
      </nav>
      {tab === "sessions" ? <Sessions /> : <PeopleList kind={tab} />}
    </div>
  );
}

const toConversation = (row: ConversationRow): string => `/ui/conversations/${row.id}`;

const COLUMNS: readonly Column<ConversationRow>[] = [
  {
    key: "situation", title: "Situation", width: "minmax(160px, 2fr)",
    cell: (row) => (
      <Link to={toConversation(row)} className="strong clipped" title={row.situation ?? row.id}>
        {row.situation?.trim().split("\n")[0] || row.id}
      </Link>
    ),
  },
  { key: "agents", title: "Agents", width: "minmax(120px, 1fr)", cell: (row) => <span className="clipped">{named(row.agents)}</span> },
  { key: "users", title: "Users", width: "minmax(100px, 1fr)", cell: (row) => <span className="clipped">{named(row.users) || "–"}</span> },
  { key: "kind", title: "Kind", width: "190px", cell: (row) => <span className="faint clipped">{kindOf(row.kind)}</span> },
  { key: "updated", title: "Active", width: "110px", cell: (row) => <span className="faint" title={exactly(row.updated)}>{ago(row.updated)}</span> },
];

function Sessions(): ReactNode {
  const found = useInfiniteQuery({
    queryKey: ["conversations"],
    queryFn: ({ pageParam, signal }) => ask<{ conversations: ConversationRow[]; more: boolean }>(`/conversations?offset=${pageParam}&limit=${PAGE}`, { signal }),
    initialPageParam: 0,
    getNextPageParam: (page, pages) => (page.more ? pages.length * PAGE : undefined),
  });
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.conversations) ?? [], [found.data]);
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading conversations" />;
  if (rows.length === 0) return <NoneYet what="conversations" />;
  return (
    <VirtualTable<ConversationRow>
      label="Sessions"
      rows={rows}
      columns={COLUMNS}
      idOf={(row) => row.id}
      to={toConversation}
      onEnd={() => {
        if (found.hasNextPage && !found.isFetchingNextPage) void found.fetchNextPage();
      }}
    />
  );
}

function NoneYet({ what }: { what: string }): ReactNode {
  const me = useMe();
  const text = `export JULEP_BASE_URL=${me.url}/julep\nexport JULEP_API_KEY=${me.auth === "open" ? "anything" : "<your key>"}`;
  return (
    <Empty title={`There are no ${what} yet`}>
      <p>Julep's clients make agents, users and sessions. Set these where your program runs:</p>
      <pre className="plain" tabIndex={0}>{text}</pre>
      <Copy text={text}>Copy</Copy>
    </Empty>
  );
}

type Row = Person & { model?: string; project?: string };

function PeopleList({ kind }: { kind: "agents" | "users" }): ReactNode {
  const found = useQuery({ queryKey: ["people"], queryFn: ({ signal }) => ask<People>("/people", { signal }) });
  const to = (row: Row): string => `/ui/conversations?tab=${kind}&id=${row.id}`;
  const columns: Column<Row>[] = [
    { key: "name", title: "Name", width: "minmax(140px, 1fr)", cell: (row) => <Link to={to(row)} className="strong clipped">{row.name || "(no name)"}</Link> },
    { key: "about", title: "About", width: "minmax(160px, 2fr)", cell: (row) => <span className="clipped" title={row.about}>{row.about}</span> },
    ...(kind === "agents" ? [{ key: "model", title: "Model", width: "minmax(110px, 1fr)", cell: (row: Row) => <span className="faint clipped">{row.model || "the default"}</span> }] : []),
    { key: "updated", title: "Changed", width: "110px", cell: (row) => <span className="faint" title={exactly(row.updated)}>{ago(row.updated)}</span> },
  ];
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what={`Reading ${kind}`} />;
  const rows: Row[] = found.data[kind];
  return rows.length === 0 ? <NoneYet what={kind} /> : <VirtualTable<Row> label={kind === "agents" ? "Agents" : "Users"} rows={rows} columns={columns} idOf={(row) => row.id} to={to} />;
}
