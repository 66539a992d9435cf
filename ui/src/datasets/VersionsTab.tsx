/** The versions of a dataset, their tags, and what differs between two of them. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";

import type { Diff, ExampleDetail, Kind, Version } from "../api/datasets";
import { ask } from "../api/http";
import { useMe } from "../app/me";
import { Link, changed, useParams } from "../app/router";
import { exactly } from "../format/format";
import { Empty, Failure, Waiting, Wrong } from "../parts/Notice";
import { Popover } from "../parts/Popover";
import { type Column, VirtualTable } from "../parts/VirtualTable";
import { parse } from "../payload/jsonRows";
import { useVersions, versionName } from "./DatasetPage";
import { Sheet } from "./Sheet";
import { type DiffRow, diffRows, memberChanges } from "./diff";
import { useHome } from "./home";

const SHOWN = 100;
const SIGNS: Record<Kind, string> = { added: "+", removed: "−", changed: "~" };

export function VersionsTab(): ReactNode {
  const [params, setParams] = useParams();
  const versions = useVersions();
  const [shown, setShown] = useState(SHOWN);
  const until = params.get("until") ?? String(versions[0]?.asOf ?? "");
  const place = versions.findIndex((version) => String(version.asOf) === until);
  const since = params.get("since") ?? String(versions[place + 1]?.asOf ?? 0);
  if (versions.length === 0) return <Empty title="No versions yet"><p>Each write to the examples makes one.</p></Empty>;
  return (
    <div className="versions">
      <section aria-label="Versions">
        <ol className="version-list">
          {versions.slice(0, shown).map((version, at) => (
            <VersionLine key={version.asOf} version={version} before={versions[at + 1]} chosen={String(version.asOf) === until} />
          ))}
        </ol>
        {versions.length > shown && (
          <button type="button" className="button small" onClick={() => setShown(shown + SHOWN)}>
            Show older ones
          </button>
        )}
      </section>
      <section className="differences" aria-label="Differences">
        <div className="run-tools">
          <label>
            From{" "}
            <select value={since} onChange={(event) => setParams({ since: event.target.value, changed: null })}>
              <option value="0">the beginning</option>
              <Options versions={versions} stated={since} />
            </select>
          </label>
          <label>
            to{" "}
            <select value={until} onChange={(event) => setParams({ until: event.target.value, since, changed: null })}>
              <Options versions={versions} stated={until} />
            </select>
          </label>
        </div>
        <Differences since={since} until={until} />
      </section>
    </div>
  );
}

function Options({ versions, stated }: { versions: readonly Version[]; stated: string }): ReactNode {
  const some = versions.slice(0, 300);
  const isKnown = stated === "0" || some.some((version) => String(version.asOf) === stated);
  return (
    <>
      {!isKnown && <option value={stated}>{/^\d+$/.test(stated) ? exactly(Number(stated)) : stated}</option>}
      {some.map((version) => (
        <option key={version.asOf} value={String(version.asOf)}>
          {versionName(version)}
        </option>
      ))}
    </>
  );
}

function VersionLine({ version, before, chosen }: { version: Version; before: Version | undefined; chosen: boolean }): ReactNode {
  const me = useMe();
  const { here } = useHome();
  const changes = `${here}?tab=versions&until=${version.asOf}&since=${before?.asOf ?? 0}`;
  return (
    <li className={chosen ? "chosen" : ""}>
      <Link to={changes} className="strong" aria-current={chosen ? "true" : undefined} title="What it changed">
        {exactly(version.asOf)}
      </Link>
      <span className="version-tags">
        {version.tags.map((tag) => (
          <span key={tag} className="tag" title={tag}>
            {tag}
          </span>
        ))}
      </span>
      <span className="row">
        <Link to={`${here}?version=${version.asOf}`} className="button small" aria-label={`Examples as of ${exactly(version.asOf)}`}>
          Examples
        </Link>
        {me.may.includes("write") && <Tag version={version} />}
      </span>
    </li>
  );
}

function Tag({ version }: { version: Version }): ReactNode {
  const { base } = useHome();
  const cache = useQueryClient();
  const [name, setName] = useState("");
  const put = useMutation({
    mutationFn: (_: () => void) => ask<Version>(`${base}/tags`, { method: "PUT", body: { tag: name, asOf: version.asOf } }),
    onSuccess: (_, close) => {
      setName("");
      close();
      void cache.invalidateQueries({ queryKey: ["versions"] });
    },
  });
  return (
    <Popover label="Tag" title="Tag this version">
      {(close) => (
        <form
          className="share"
          onSubmit={(event) => {
            event.preventDefault();
            put.mutate(close);
          }}
        >
          <p>Programs read a version by its tag. A tag that is elsewhere moves here.</p>
          <input autoFocus required maxLength={200} aria-label="Tag" placeholder="prod" value={name} onChange={(event) => setName(event.target.value)} />
          <button type="submit" className="button small primary" disabled={put.isPending || !name.trim()}>
            Tag the version
          </button>
          <Wrong error={put.error} />
        </form>
      )}
    </Popover>
  );
}

const toChanged = (id: string): string => location.pathname + changed(new URLSearchParams(location.search), { changed: id });

const COLUMNS: readonly Column<DiffRow>[] = [
  { key: "kind", title: "What", width: "86px", cell: (row) => <span className={`mark ${row.kind}`}><span aria-hidden="true">{SIGNS[row.kind]} </span>{row.kind}</span> },
  { key: "input", title: "Inputs", width: "minmax(140px, 1fr)", cell: (row) => <Link to={toChanged(row.id)} className="strong clipped" title={row.input ?? ""}>{row.input || "(empty)"}</Link> },
  { key: "output", title: "Reference outputs", width: "minmax(120px, 1fr)", cell: (row) => <span className="clipped" title={row.output ?? ""}>{row.output}</span> },
];

function Differences({ since, until }: { since: string; until: string }): ReactNode {
  const { base } = useHome();
  const [params, setParams] = useParams();
  const kind = params.get("kind") as Kind | null;
  const found = useQuery({ queryKey: ["diff", base, since, until], queryFn: ({ signal }) => ask<Diff>(`${base}/diff?${new URLSearchParams({ since, until })}`, { signal }), enabled: until !== "" });
  const rows = useMemo(() => (found.data ? diffRows(found.data, kind) : []), [found.data, kind]);
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Comparing" />;
  const diff = found.data;
  const id = params.get("changed");
  const chosen = rows.find((row) => row.id === id);
  const total = diff.added.count + diff.removed.count + diff.changed.count;
  return (
    <>
      <div className="segments" role="group" aria-label="Kinds of differences">
        <button type="button" aria-pressed={kind === null} onClick={() => setParams({ kind: null })}>
          All {total}
        </button>
        {(["changed", "added", "removed"] as const).map((one) => (
          <button key={one} type="button" aria-pressed={kind === one} onClick={() => setParams({ kind: one })}>
            {one} {diff[one].count}
          </button>
        ))}
      </div>
      {rows.length === 0 ? <Empty title="Nothing differs" /> : <VirtualTable<DiffRow> label="Differences" rows={rows} columns={COLUMNS} idOf={(row) => row.id} to={(row) => toChanged(row.id)} />}
      {rows.length < total && kind === null && <p className="faint">The first {rows.length} of {total}.</p>}
      {chosen && <Change key={chosen.id} row={chosen} since={since} until={until} close={() => setParams({ changed: null })} />}
    </>
  );
}

/** The members that differ, before beside after. */
function Change({ row, since, until, close }: { row: DiffRow; since: string; until: string; close: () => void }): ReactNode {
  const { base } = useHome();
  const read = (asOf: string, there: boolean) => ({
    queryKey: ["example", `${base}/examples/${row.id}`, `?as_of=${asOf}`],
    queryFn: () => ask<ExampleDetail>(`${base}/examples/${row.id}?as_of=${encodeURIComponent(asOf)}`),
    enabled: there,
  });
  const before = useQuery(read(since, row.kind !== "added"));
  const after = useQuery(read(until, row.kind !== "removed"));
  const error = before.error ?? after.error;
  const ready = (row.kind === "added" || before.data) && (row.kind === "removed" || after.data);
  const isLarge = [before.data, after.data].some((example) => example && Object.values(example.payloads).some((payload) => payload?.text === null));
  const changes = ready ? memberChanges(partsOf(before.data), partsOf(after.data)) : [];
  return (
    <Sheet title="What changed" close={close}>
      <header className="sheet-head">
        <h2>
          {row.kind} <code>{row.id.slice(0, 8)}</code>
        </h2>
        <button type="button" className="button small" onClick={close}>
          Close
        </button>
      </header>
      {error ? (
        <Failure error={error} />
      ) : !ready ? (
        <Waiting what="Comparing" />
      ) : (
        <>
          {isLarge && <p className="banner">A payload is too large to be compared here.</p>}
          {changes.length === 0 && !isLarge && <p className="faint">It was written again with the same content.</p>}
          <ul className="changes">
            {changes.map((one) => (
              <li key={one.path}>
                <h3>
                  <span className={`mark ${one.kind}`}>{SIGNS[one.kind]}</span> <code>{one.path}</code> <span className="unseen">{one.kind}</span>
                </h3>
                {one.before !== null && (
                  <pre className="plain was" aria-label="Before" tabIndex={0}>
                    {one.before.slice(0, 20_000)}
                  </pre>
                )}
                {one.after !== null && (
                  <pre className="plain is" aria-label="After" tabIndex={0}>
                    {one.after.slice(0, 20_000)}
                  </pre>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </Sheet>
  );
}

function partsOf(example: ExampleDetail | undefined): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const part of ["inputs", "outputs", "metadata"] as const) {
    const text = example?.payloads[part]?.text;
    if (text) found[part] = parse(text);
  }
  return found;
}
