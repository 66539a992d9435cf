/** Where a dataset is read and shown: by its owner, or by those who hold a link. One set of views serves both. */

import { createContext, useContext } from "react";

import { changed, toTrace } from "../app/router";

export interface Home {
  /** Of the API. */
  base: string;
  /** Of the page. */
  here: string;
  /** Whether somebody without a key looks. */
  shared: boolean;
  toTrace: (trace: string, run?: string) => string;
}

export const owned = (id: string): Home => ({ base: `/datasets/${id}`, here: `/ui/datasets/${id}`, shared: false, toTrace });

export function opened(token: string): Home {
  const here = `/public/${encodeURIComponent(token)}/d`;
  return {
    base: `/public/${encodeURIComponent(token)}/dataset`,
    here,
    shared: true,
    toTrace: (trace, run) => here + changed(new URLSearchParams(location.search), { trace, run: run && run !== trace ? run : null }),
  };
}

export const HomeContext = createContext<Home>(owned(""));
export const useHome = (): Home => useContext(HomeContext);

export const toDataset = (id: string): string => `/ui/datasets/${id}`;
export const toComparison = (home: Home, experiments: readonly string[], pairwise?: string): string =>
  `${home.here}?tab=compare&with=${experiments.join(",")}${pairwise ? `&pairwise=${pairwise}` : ""}`;
