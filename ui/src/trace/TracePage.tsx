/** A trace of the workspace, and the same behind a link for readers without a key. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";

import { ask } from "../api/http";
import type { TraceColumns } from "../api/types";
import { Link, toProject } from "../app/router";
import { Failure, Waiting } from "../parts/Notice";
import { ShareLink } from "../parts/ShareLink";
import { TraceView } from "./TraceView";

export function useTrace(path: string): { columns: TraceColumns | undefined; error: unknown; again: () => void } {
  const found = useQuery({
    queryKey: ["trace", path],
    queryFn: ({ signal }) => ask<TraceColumns>(path, { signal }),
    structuralSharing: false,
    // What still runs is looked at again, unless it is large.
    refetchInterval: (query) => {
      const data = query.state.data;
      return data && data.took.includes(-1) && data.start.length < 5000 ? 3000 : false;
    },
  });
  const name = found.data ? found.data.names[found.data.name[0]!] : null;
  useEffect(() => {
    if (name) document.title = `${name} · Stenograph`;
    return () => {
      document.title = "Stenograph";
    };
  }, [name]);
  return { columns: found.data, error: found.error, again: () => void found.refetch() };
}

export function TracePage({ id }: { id: string }): ReactNode {
  const { columns, error, again } = useTrace(`/traces/${id}`);
  if (error && !columns) return <Failure error={error} retry={again} />;
  if (!columns) return <Waiting what="Reading the trace" />;
  return (
    <>
      <nav className="crumbs" aria-label="Where this is">
        <Link to="/ui/">Projects</Link>
        <span aria-hidden="true">/</span>
        {columns.project && <Link to={toProject(columns.project)}>{columns.projectName ?? "project"}</Link>}
        <span aria-hidden="true">/</span>
        <span className="faint">trace</span>
      </nav>
      <TraceView columns={columns} base="/runs" actions={<Share trace={columns} />} />
    </>
  );
}

function Share({ trace }: { trace: TraceColumns }): ReactNode {
  const cache = useQueryClient();
  const told = (share: string | null): void =>
    void cache.setQueryData<TraceColumns>(["trace", `/traces/${trace.trace}`], (now) => (now ? { ...now, share } : now));
  return <ShareLink what="trace" shows="this trace" offers="this trace" token={trace.share ?? null} end="r" path={`/runs/${trace.trace}/share`} method="POST" told={told} />;
}

export function PublicTrace({ token }: { token: string }): ReactNode {
  const base = `/public/${encodeURIComponent(token)}`;
  const { columns, error, again } = useTrace(`${base}/trace`);
  return (
    <main className="public">
      {error && !columns ? <Failure error={error} retry={again} /> : columns ? <TraceView columns={columns} base={`${base}/runs`} shared actions={<span className="faint">shared trace</span>} /> : <Waiting what="Reading the trace" />}
    </main>
  );
}
