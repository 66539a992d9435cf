/** A dataset behind a link: its examples, its experiments and their traces, for readers without a key. */

import type { ReactNode } from "react";

import { Link, changed, useParams } from "../app/router";
import { Failure, Waiting } from "../parts/Notice";
import { useTrace } from "../trace/TracePage";
import { TraceView } from "../trace/TraceView";
import { OneDataset } from "./DatasetPage";
import { HomeContext, type Home, opened } from "./home";

export function PublicDataset({ token }: { token: string }): ReactNode {
  const home = opened(token);
  const [params] = useParams();
  const trace = params.get("trace");
  return (
    <HomeContext value={home}>
      <main className="public">{trace ? <OneTrace home={home} trace={trace} params={params} /> : <OneDataset />}</main>
    </HomeContext>
  );
}

function OneTrace({ home, trace, params }: { home: Home; trace: string; params: URLSearchParams }): ReactNode {
  const { columns, error, again } = useTrace(`${home.base}/traces/${encodeURIComponent(trace)}`);
  if (error && !columns) return <Failure error={error} retry={again} />;
  if (!columns) return <Waiting what="Reading the trace" />;
  return (
    <>
      <nav className="crumbs" aria-label="Where this is">
        <Link to={home.here + changed(params, { trace: null, run: null })}>Back to the dataset</Link>
      </nav>
      <TraceView columns={columns} base={`${home.base}/runs`} shared actions={<span className="faint">shared trace</span>} />
    </>
  );
}
