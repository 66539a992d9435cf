/** What is stored: runs by project; for the operator, bytes by part. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { ask } from "../api/http";
import type { Stored } from "../api/settings";
import { Link, toProject } from "../app/router";
import { bytes } from "../format/format";
import { Failure, Waiting } from "../parts/Notice";
import { shares } from "./words";

export function Storage(): ReactNode {
  const found = useQuery({ queryKey: ["storage"], queryFn: ({ signal }) => ask<Stored>("/storage", { signal }) });
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Measuring" />;
  const { runs, projects, disk } = found.data;
  return (
    <>
      {disk && <Disk disk={disk} />}
      <section aria-label="Runs by project">
        <h2>{runs.toLocaleString("en")} runs</h2>
        {projects.length > 0 && <p className="faint">Payloads as they were sent; on the disk they are compressed. Above 200,000 runs their size is an estimate from a sample.</p>}
        {projects.length === 0 ? (
          <p className="faint">Nothing is recorded yet.</p>
        ) : (
          <div className="wide" tabIndex={0} role="group" aria-label="Table of projects">
            <table className="list">
              <thead>
                <tr>
                  <th scope="col">Project</th>
                  <th scope="col" className="end">
                    Runs
                  </th>
                  <th scope="col" className="end">
                    Payloads
                  </th>
                </tr>
              </thead>
              <tbody>
                {projects.map((project) => (
                  <tr key={project.id}>
                    <th scope="row">
                      <Link to={toProject(project.id)} className="clipped">
                        {project.name ?? project.id}
                      </Link>
                    </th>
                    <td className="end">{project.runs.toLocaleString("en")}</td>
                    <td className="end">{project.bytes === null ? "–" : bytes(project.bytes)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </>
  );
}

function Disk({ disk }: { disk: NonNullable<Stored["disk"]> }): ReactNode {
  const parts = shares(disk.parts);
  const whole = parts.reduce((sum, part) => sum + part.bytes, 0);
  return (
    <section aria-label="Disk">
      <h2>
        {bytes(whole)} on the disk, {bytes(disk.free)} free
      </h2>
      <p className="faint">Of the whole installation. Runs are compressed, with their payloads; the inbox is what is acknowledged and not among them yet.</p>
      <ul className="shares">
        {parts.map((part) => (
          <li key={part.name}>
            <span>{part.name}</span>
            <meter min={0} max={1} value={part.share} aria-label={`Share of ${part.name}`} />
            <span className="end">{bytes(part.bytes)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
