/** One project: its runs, its charts, its threads, over the same filter and span of time. */

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, Suspense, lazy, useEffect, useMemo, useState } from "react";

import { ask } from "../api/http";
import type { Asked } from "../api/types";
import { Link, toProject, useParams } from "../app/router";
import { Failure, Waiting } from "../parts/Notice";
import { ChartsTab } from "./ChartsTab";
import { RangePicker } from "./RangePicker";
import { RunsTab } from "./RunsTab";
import { ThreadsTab } from "./ThreadsTab";
import { type Range, rangeOf } from "./range";

const InsightsTab = lazy(() => import("../insights/InsightsTab"));

const TABS = [
  ["traces", "Traces"],
  ["runs", "All runs"],
  ["threads", "Threads"],
  ["charts", "Charts"],
] as const;

export interface Scope {
  project: string;
  asked: Asked;
  range: Range;
}

/** `insights` is null but under /insights: there it names a report, or is empty for all of them. */
export function ProjectPage({ id, insights = null }: { id: string; insights?: string | null }): ReactNode {
  const [params] = useParams();
  const tab = TABS.find(([key]) => key === params.get("tab"))?.[0] ?? "traces";
  const project = useQuery({ queryKey: ["project", id], queryFn: () => ask<{ id: string; name: string; description: string | null }>(`/projects/${id}`) });
  const [opened, setOpened] = useState(() => Date.now() * 1000);
  const preset = params.get("range");
  useEffect(() => setOpened(Date.now() * 1000), [preset, tab]);
  const range = useMemo(() => rangeOf(params, opened, "7d"), [params, opened]);
  const filter = params.get("filter") ?? "";
  const search = params.get("q") ?? "";
  const scope = useMemo<Scope>(
    () => ({ project: id, range, asked: { filter, search, roots: tab !== "runs", since: range.since, until: range.until } }),
    [id, range, filter, search, tab],
  );
  const name = project.data?.name;
  useEffect(() => {
    if (name) document.title = `${name} · Stenograph`;
    return () => {
      document.title = "Stenograph";
    };
  }, [name]);
  if (project.isError) return <Failure error={project.error} />;
  if (!project.data) return <Waiting what="Reading the project" />;
  return (
    <div className="page">
      <nav className="crumbs" aria-label="Where this is">
        <Link to="/ui/">Projects</Link>
        <span aria-hidden="true">/</span>
      </nav>
      <header className="page-head project-head">
        <h1 className="clipped" title={project.data.description ?? project.data.name}>
          {project.data.name}
        </h1>
        <nav className="tabs" aria-label="Views of the project">
          {TABS.map(([key, label]) => {
            const next = new URLSearchParams(params);
            for (const gone of ["thread", "tab", "cluster", "view", "with"]) next.delete(gone);
            if (key !== "traces") next.set("tab", key);
            const text = next.toString();
            return (
              <Link key={key} to={toProject(id, text && `?${text}`)} aria-current={insights === null && key === tab ? "page" : undefined}>
                {label}
              </Link>
            );
          })}
          <Link to={`${toProject(id)}/insights`} aria-current={insights !== null ? "page" : undefined}>
            Insights
          </Link>
        </nav>
        {insights === null && <RangePicker range={range} />}
      </header>
      {insights !== null ? (
        <Suspense fallback={<Waiting />}>
          <InsightsTab project={id} report={insights || null} />
        </Suspense>
      ) : tab === "charts" ? <ChartsTab scope={scope} /> : tab === "threads" ? <ThreadsTab scope={scope} /> : <RunsTab key={tab} scope={scope} />}
    </div>
  );
}
