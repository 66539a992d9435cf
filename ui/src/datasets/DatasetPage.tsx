/** One dataset: its examples in any version, its experiments, its versions and what differs between them. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";

import type { Dataset, Version } from "../api/datasets";
import { ask } from "../api/http";
import { useMe } from "../app/me";
import { Link, useParams } from "../app/router";
import { ComparePage } from "../experiments/ComparePage";
import { ExperimentsTab } from "../experiments/ExperimentsTab";
import { count, exactly } from "../format/format";
import { Failure, Waiting } from "../parts/Notice";
import "../style/datasets.css";
import { ShareLink } from "../parts/ShareLink";
import { ExampleEditor } from "./ExampleEditor";
import { ExampleSheet } from "./ExampleSheet";
import { ExamplesTab } from "./ExamplesTab";
import { Manage } from "./Manage";
import { VersionsTab } from "./VersionsTab";
import { HomeContext, owned, useHome } from "./home";

export function DatasetPage({ id }: { id: string }): ReactNode {
  return (
    <HomeContext value={owned(id)}>
      <OneDataset />
    </HomeContext>
  );
}

export function useDataset(): ReturnType<typeof useQuery<Dataset>> {
  const { base } = useHome();
  return useQuery({ queryKey: ["dataset", base], queryFn: ({ signal }) => ask<Dataset>(base, { signal }) });
}

export function useVersions(): Version[] {
  const { base, shared } = useHome();
  const found = useQuery({ queryKey: ["versions", base], queryFn: ({ signal }) => ask<{ versions: Version[] }>(`${base}/versions`, { signal }), enabled: !shared });
  return found.data?.versions ?? NONE;
}

const NONE: Version[] = [];

export function OneDataset(): ReactNode {
  const home = useHome();
  const me = useMe();
  const found = useDataset();
  const [params, setParams] = useParams();
  const [adding, setAdding] = useState(false);
  const stated = params.get("tab") ?? "";
  const tab = ["experiments", "compare", ...(home.shared ? [] : ["versions"])].includes(stated) ? stated : "examples";
  const name = found.data?.name;
  useEffect(() => {
    if (name) document.title = `${name} · Stenograph`;
    return () => {
      document.title = "Stenograph";
    };
  }, [name]);
  if (found.isError && !found.data) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading the dataset" />;
  const dataset = found.data;
  const tabs: [string, string, number?][] = [
    ["examples", "Examples", dataset.examples],
    ["experiments", "Experiments", dataset.experiments],
    ...(home.shared ? [] : ([["versions", "Versions"]] as [string, string][])),
  ];
  const example = params.get("example");
  return (
    <div className="page dataset">
      {!home.shared && (
        <nav className="crumbs" aria-label="Where this is">
          <Link to="/ui/datasets">Datasets</Link>
          <span aria-hidden="true">/</span>
          {tab === "compare" ? <Link to={`${home.here}?tab=experiments`}>{dataset.name}</Link> : <span className="faint">dataset</span>}
        </nav>
      )}
      <header className="page-head dataset-head">
        <h1 className="clipped" title={dataset.name}>
          {dataset.name}
        </h1>
        <nav className="tabs" aria-label="Views of the dataset">
          {tabs.map(([key, label, size]) => (
            <Link key={key} to={home.here + (key === "examples" ? "" : `?tab=${key}`)} aria-current={key === tab || (key === "experiments" && tab === "compare") ? "page" : undefined}>
              {label}{" "}
              {size !== undefined && <span className="tab-count">{count(size)}</span>}
            </Link>
          ))}
        </nav>
        {home.shared ? (
          <span className="faint">shared dataset</span>
        ) : (
          <>
            {tab === "examples" && <VersionPicker />}
            {tab === "examples" && me.may.includes("write") && (
              <button type="button" className="button" onClick={() => setAdding(true)}>
                New example
              </button>
            )}
            <Share dataset={dataset} />
            {me.may.includes("write") && <Manage key={`${dataset.name} ${dataset.description}`} dataset={dataset} />}
          </>
        )}
      </header>
      {dataset.description && tab === "examples" && <p className="faint about">{dataset.description}</p>}
      {tab === "examples" && <ExamplesTab />}
      {tab === "experiments" && <ExperimentsTab dataset={dataset} />}
      {tab === "compare" && <ComparePage dataset={dataset} />}
      {tab === "versions" && <VersionsTab />}
      {example && <ExampleSheet key={`${example} ${params.get("version") ?? ""}`} id={example} close={() => setParams({ example: null, ...(tab === "compare" ? { version: null } : {}) })} />}
      {adding && (
        <ExampleEditor
          title="New example"
          start={{ inputs: "{\n  \n}", outputs: "", metadata: "" }}
          save={async (texts) => {
            await ask(`${home.base}/examples`, { body: texts });
          }}
          close={() => setAdding(false)}
        />
      )}
    </div>
  );
}

/** How a version is called: its tags, or the time of its write. */
export const versionName = (version: Version): string => (version.tags.length ? `${version.tags.join(", ")} · ${exactly(version.asOf)}` : exactly(version.asOf));

function VersionPicker(): ReactNode {
  const [params, setParams] = useParams();
  const versions = useVersions();
  const stated = params.get("version") ?? "";
  const tagged = versions.flatMap((version) => version.tags.filter((tag) => tag !== "latest").map((tag) => ({ tag, asOf: version.asOf })));
  const isKnown = !stated || tagged.some(({ tag }) => tag === stated) || versions.some(({ asOf }) => String(asOf) === stated);
  return (
    <select aria-label="Version" value={stated} onChange={(event) => setParams({ version: event.target.value, example: null })}>
      <option value="">Newest version</option>
      {!isKnown && <option value={stated}>{/^\d+$/.test(stated) ? `as of ${exactly(Number(stated))}` : stated}</option>}
      {tagged.length > 0 && (
        <optgroup label="By tag">
          {tagged.map(({ tag, asOf }) => (
            <option key={tag} value={tag}>
              {tag} · {exactly(asOf)}
            </option>
          ))}
        </optgroup>
      )}
      <optgroup label="By time">
        {versions.slice(0, 200).map(({ asOf }) => (
          <option key={asOf} value={String(asOf)}>
            {exactly(asOf)}
          </option>
        ))}
      </optgroup>
    </select>
  );
}

function Share({ dataset }: { dataset: Dataset }): ReactNode {
  const { base } = useHome();
  const cache = useQueryClient();
  const told = (share: string | null): void => void cache.setQueryData<Dataset>(["dataset", base], (now) => (now ? { ...now, share } : now));
  return (
    <ShareLink
      what="dataset"
      shows="the examples, the experiments and their traces"
      offers="this dataset, its experiments and their traces"
      token={dataset.share ?? null}
      end="d"
      path={`${base}/share`}
      method="PUT"
      told={told}
    />
  );
}
