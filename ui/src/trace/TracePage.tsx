/** A trace of the workspace, and the same behind a link for readers without a key. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";

import { ask } from "../api/http";
import type { TraceColumns } from "../api/types";
import { useMe } from "../app/me";
import { Link, toProject } from "../app/router";
import { Copy } from "../parts/Copy";
import { Failure, Waiting } from "../parts/Notice";
import { Popover } from "../parts/Popover";
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
  const me = useMe();
  const cache = useQueryClient();
  const key = ["trace", `/traces/${trace.trace}`];
  const told = (share: string | null): void => void cache.setQueryData<TraceColumns>(key, (now) => (now ? { ...now, share } : now));
  const share = useMutation({ mutationFn: () => ask<{ token: string }>(`/runs/${trace.trace}/share`, { method: "POST" }), onSuccess: ({ token }) => told(token) });
  const close = useMutation({ mutationFn: () => ask(`/runs/${trace.trace}/share`, { method: "DELETE" }), onSuccess: () => told(null) });
  if (!me.may.includes("write")) return null;
  const link = trace.share ? `${me.url}/public/${trace.share}/r` : null;
  return (
    <Popover label={trace.share ? "Shared" : "Share"} title="Share this trace">
      {() =>
        link ? (
          <div className="share">
            <p>Whoever has this link can read this trace, and nothing else.</p>
            <input readOnly value={link} aria-label="Link to the trace" onFocus={(event) => event.target.select()} />
            <div className="row">
              <Copy text={link}>Copy link</Copy>
              <button type="button" className="button small danger" disabled={close.isPending} onClick={() => close.mutate()}>
                Stop sharing
              </button>
            </div>
            {close.isError && <p role="alert">{close.error.message}</p>}
          </div>
        ) : (
          <div className="share">
            <p>A link lets anybody read this trace without a key, until you take it back.</p>
            <button type="button" className="button primary" disabled={share.isPending} onClick={() => share.mutate()}>
              Make a link
            </button>
            {share.isError && <p role="alert">{share.error.message}</p>}
          </div>
        )
      }
    </Popover>
  );
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
