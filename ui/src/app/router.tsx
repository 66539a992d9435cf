/** Addresses: what is worth a link lives in them. A few lines instead of a package: paths, parameters, links. */

import { type AnchorHTMLAttributes, type MouseEvent, type ReactNode, useCallback, useMemo, useSyncExternalStore } from "react";

const CHANGED = "stenograph:address";

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(CHANGED, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(CHANGED, listener);
  };
}

export function go(to: string, options: { replace?: boolean } = {}): void {
  if (options.replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  window.dispatchEvent(new Event(CHANGED));
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

export type Changes = Record<string, string | null>;

/** The parameters, and a way to change some: null or "" takes one away. */
export function useParams(): [URLSearchParams, (changes: Changes, options?: { replace?: boolean }) => void] {
  const search = useSyncExternalStore(subscribe, () => location.search);
  const params = useMemo(() => new URLSearchParams(search), [search]);
  const change = useCallback((changes: Changes, options?: { replace?: boolean }) => {
    go(location.pathname + changed(new URLSearchParams(location.search), changes), options);
  }, []);
  return [params, change];
}

/** The query part of an address with these changes, "" when nothing is left. */
export function changed(params: URLSearchParams, changes: Changes): string {
  const next = new URLSearchParams(params);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  return text ? `?${text}` : "";
}

/** A link of the page. Opens elsewhere as any link does, with a modifier or the middle button. */
export function Link({ to, children, onClick, ...rest }: { to: string; children: ReactNode } & AnchorHTMLAttributes<HTMLAnchorElement>): ReactNode {
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a href={to} onClick={follow} {...rest}>
      {children}
    </a>
  );
}

export const toProject = (id: string, search = ""): string => `/ui/projects/${id}${search}`;
export const toTrace = (trace: string, run?: string): string => `/ui/traces/${trace}${run && run !== trace ? `?run=${run}` : ""}`;
