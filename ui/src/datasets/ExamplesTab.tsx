/** The examples of a version, a page at a time as they come into sight. */

import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback, useMemo, useRef } from "react";

import type { ExampleLine, ExamplePage } from "../api/datasets";
import { ask } from "../api/http";
import { useKeys } from "../app/keys";
import { Link, changed, useParams } from "../app/router";
import { ago, exactly } from "../format/format";
import { Empty, Failure, Waiting } from "../parts/Notice";
import { SearchForm } from "../parts/SearchForm";
import { type Column, VirtualTable } from "../parts/VirtualTable";
import { useHome } from "./home";

const PAGE = 100;

export const toExample = (id: string, more: Record<string, string | null> = {}): string =>
  location.pathname + changed(new URLSearchParams(location.search), { example: id, ...more });

const COLUMNS: readonly Column<ExampleLine>[] = [
  {
    key: "input", title: "Inputs", width: "minmax(160px, 2fr)",
    cell: (row) => <Link to={toExample(row.id)} className="strong clipped" title={row.input ?? ""}>{row.input || "(empty)"}</Link>,
  },
  { key: "output", title: "Reference outputs", width: "minmax(140px, 2fr)", cell: (row) => <span className="clipped" title={row.output ?? ""}>{row.output ?? <span className="faint">none</span>}</span> },
  { key: "split", title: "Split", width: "minmax(70px, 0.5fr)", cell: (row) => <span className="clipped">{row.splits.map((split) => <span key={split} className="tag">{split}</span>)}</span> },
  { key: "metadata", title: "Metadata", width: "minmax(80px, 1fr)", cell: (row) => <span className="clipped faint" title={row.metadata}>{row.metadata}</span> },
  { key: "changed", title: "Changed", width: "104px", end: true, cell: (row) => <span className="faint" title={exactly(row.changed)}>{ago(row.changed)}</span> },
];

export function ExamplesTab(): ReactNode {
  const { base, shared } = useHome();
  const [params, setParams] = useParams();
  const asked = { as_of: params.get("version") ?? "", split: params.get("split") ?? "", q: params.get("q") ?? "" };
  const box = useRef<HTMLInputElement>(null);
  useKeys(useMemo(() => ({ "/": () => box.current?.focus() }), []));
  const found = useInfiniteQuery({
    queryKey: ["examples", base, asked],
    queryFn: ({ pageParam, signal }) => ask<ExamplePage>(`${base}/examples?${new URLSearchParams({ ...asked, offset: String(pageParam), limit: String(PAGE) })}`, { signal }),
    initialPageParam: 0,
    getNextPageParam: (page, pages) => (page.examples.length < PAGE ? undefined : pages.length * PAGE),
    placeholderData: keepPreviousData,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = found;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const rows = useMemo(() => found.data?.pages.flatMap((page) => page.examples) ?? [], [found.data]);
  if (found.isError && !found.data) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading examples" />;
  const last = found.data.pages.at(-1)!;
  return (
    <>
      <div className="run-tools">
        <SearchForm label="Search examples" placeholder="Search inputs and outputs  ( / )" asked={asked.q} ask={(q) => setParams({ q })} box={box} />
        <select aria-label="Split" value={asked.split} onChange={(event) => setParams({ split: event.target.value })}>
          <option value="">All splits</option>
          {[...new Set([...last.splits, ...(asked.split ? [asked.split] : [])])].map((split) => (
            <option key={split}>{split}</option>
          ))}
        </select>
        <span className="faint" role="status">
          {last.total.toLocaleString("en")} {last.total === 1 ? "example" : "examples"}
        </span>
      </div>
      {rows.length === 0 ? (
        asked.q || asked.split || asked.as_of ? (
          <Empty title="No example matches">
            <button type="button" className="button" onClick={() => setParams({ q: null, split: null, version: null })}>
              Show all of the newest version
            </button>
          </Empty>
        ) : (
          <Empty title="No examples yet">{!shared && <p>Make one with “New example”, or add a run to this dataset from its trace.</p>}</Empty>
        )
      ) : (
        <VirtualTable<ExampleLine> label="Examples" rows={rows} columns={COLUMNS} idOf={(row) => row.id} to={(row) => toExample(row.id)} onEnd={more} footer={isFetchingNextPage ? <p className="more" role="status">Reading more…</p> : null} />
      )}
    </>
  );
}
