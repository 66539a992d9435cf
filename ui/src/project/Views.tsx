/** Saved views of a project, in a menu: applied, saved, renamed, deleted. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";

import { ask } from "../api/http";
import type { SavedView } from "../api/project";
import { useMe } from "../app/me";
import { useParams } from "../app/router";
import { Popover } from "../parts/Popover";
import { applied, isShown, saved } from "./views";

export function Views({ project, columns }: { project: string; columns: readonly string[] }): ReactNode {
  const [params] = useParams();
  const found = useQuery({ queryKey: ["views", project], queryFn: ({ signal }) => ask<{ views: SavedView[] }>(`/projects/${project}/views`, { signal }), staleTime: 60_000 });
  const views = found.data?.views ?? [];
  const current = views.find((view) => isShown(view, params, columns));
  return (
    <Popover label={<span className="clipped view-label">{current ? <><span className="unseen">Views: </span>{current.name}</> : "Views"}</span>} title="Saved views">
      {(close) => <Menu project={project} views={views} current={current} columns={columns} close={close} />}
    </Popover>
  );
}

interface Props {
  project: string;
  views: readonly SavedView[];
  current: SavedView | undefined;
  columns: readonly string[];
  close: () => void;
}

function Menu({ project, views, current, columns, close }: Props): ReactNode {
  const me = useMe();
  const mayWrite = me.may.includes("write");
  const [params, setParams] = useParams();
  const [changing, setChanging] = useState<string | null>(null);
  const [name, setName] = useState("");
  const cache = useQueryClient();
  const path = `/projects/${project}/views`;
  const done = (): void => {
    setChanging(null);
    setName("");
    void cache.invalidateQueries({ queryKey: ["views", project] });
  };
  const create = useMutation({ mutationFn: () => ask(path, { body: { name: name.trim(), ...saved(params, columns) } }), onSuccess: done });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name.trim()) create.mutate();
  };
  return (
    <div className="views">
      {views.length === 0 && <p className="faint">{mayWrite ? "None yet. Filter, choose columns, and save what you see under a name." : "None yet."}</p>}
      <ul>
        {views.map((view) => (
          <li key={view.id}>
            <button
              type="button"
              className="choice"
              aria-pressed={view === current}
              title={view.partial ? `${view.filter} (it has conditions on whole traces as well, which are not applied here)` : view.filter}
              onClick={() => {
                setParams(applied(view));
                close();
              }}
            >
              <span className="clipped">{view.name}</span>
              {view.partial && <span className="faint"> in part</span>}
            </button>
            {mayWrite && (
              <button type="button" className="button small quiet" aria-expanded={changing === view.id} aria-label={`Change ${view.name}`} onClick={() => setChanging(changing === view.id ? null : view.id)}>
                …
              </button>
            )}
            {changing === view.id && <Change view={view} path={`${path}/${view.id}`} columns={columns} done={done} />}
          </li>
        ))}
      </ul>
      {mayWrite && (
        <form onSubmit={submit}>
          <label>
            Save what you see as
            <input value={name} onChange={(event) => setName(event.target.value)} maxLength={1000} />
          </label>
          <button type="submit" className="button small" disabled={!name.trim() || create.isPending}>
            Save view
          </button>
          {create.isError && (
            <p className="bad" role="alert">
              {create.error.message}
            </p>
          )}
        </form>
      )}
    </div>
  );
}

function Change({ view, path, columns, done }: { view: SavedView; path: string; columns: readonly string[]; done: () => void }): ReactNode {
  const [params] = useParams();
  const [name, setName] = useState(view.name);
  const change = useMutation({ mutationFn: (body: unknown) => ask(path, { method: "PATCH", body }), onSuccess: done });
  const gone = useMutation({ mutationFn: () => ask(path, { method: "DELETE" }), onSuccess: done });
  const error = change.error ?? gone.error;
  return (
    <form
      className="view-change"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate({ name });
      }}
    >
      <label>
        Name
        <input value={name} autoFocus onChange={(event) => setName(event.target.value)} />
      </label>
      <div className="row">
        <button type="submit" className="button small" disabled={!name.trim() || name === view.name}>
          Rename
        </button>
        <button type="button" className="button small" onClick={() => change.mutate(saved(params, columns))}>
          Set to what I see
        </button>
        <button type="button" className="button small danger" onClick={() => gone.mutate()}>
          Delete
        </button>
      </div>
      {error && (
        <p className="bad" role="alert">
          {error.message}
        </p>
      )}
    </form>
  );
}
