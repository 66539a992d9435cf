/** Saved views: from the address to what is saved, and back. Pure. */

import type { SavedView } from "../api/project";
import type { Changes } from "../app/router";

/** Parameters of the address that a view keeps in `shown`. */
const SHOWN = ["tab", "q", "cols"] as const;
const ALL = [...SHOWN, "filter", "range", "since", "until"] as const;

export type Saved = Pick<SavedView, "filter" | "duration" | "since" | "until"> & { shown: string };

/** What is saved of an address. */
export function saved(params: URLSearchParams, columns: readonly string[]): Saved {
  const shown = new URLSearchParams();
  for (const name of SHOWN) {
    const value = name === "cols" ? columns.join(",") : params.get(name);
    if (value) shown.set(name, value);
  }
  const since = Number(params.get("since")) || null;
  const until = Number(params.get("until")) || null;
  const spans = since !== null && until !== null;
  return { filter: params.get("filter") ?? "", duration: spans ? "" : (params.get("range") ?? "7d"), since: spans ? since : null, until: spans ? until : null, shown: shown.toString() };
}

/** The parameters that show a view: what it does not say is taken away. */
export function applied(view: SavedView): Changes {
  const shown = new URLSearchParams(view.shown ?? "");
  const changes: Changes = Object.fromEntries(ALL.map((name) => [name, null]));
  for (const name of SHOWN) changes[name] = shown.get(name);
  changes["filter"] = view.filter || null;
  if (view.duration) changes["range"] = view.duration;
  else if (view.since !== null && view.until !== null) Object.assign(changes, { since: String(view.since), until: String(view.until) });
  return changes;
}

/** Whether the address shows this view as it was saved. */
export function isShown(view: SavedView, params: URLSearchParams, columns: readonly string[]): boolean {
  const now = saved(params, columns);
  const shown = new URLSearchParams(view.shown ?? "");
  const here = new URLSearchParams(now.shown);
  if (!shown.has("cols")) here.delete("cols");
  return now.filter === view.filter && now.duration === (view.duration || (view.since === null ? "7d" : "")) && (view.duration !== "" || (now.since === view.since && now.until === view.until)) && shown.toString() === here.toString();
}
