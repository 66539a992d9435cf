/** How long traces are kept. Nothing is saved that deletes something before the viewer has seen how much. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";

import { ask } from "../api/http";
import type { Asked, Going, Kept, OwnDraft, OwnProject, Tier } from "../api/retention";
import { useMe } from "../app/me";
import { Link, toProject } from "../app/router";
import { ago, exactly } from "../format/format";
import { Failure, Waiting, Wrong } from "../parts/Notice";
import { WAYS, type Way, comesTo, daysWords, goingWords, rule, said, typedDays } from "./kept";

export function Retention(): ReactNode {
  const admin = useMe().may.includes("admin");
  const found = useQuery({ queryKey: ["retention"], queryFn: ({ signal }) => ask<Kept>("/retention", { signal }), refetchInterval: 5000 });
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading how long traces are kept" />;
  const kept = found.data;
  return (
    <>
      <p className="banner" role="status">
        {rule(kept)} <Last kept={kept} />
      </p>
      {admin ? <Rule key={kept.updated} kept={kept} /> : <p className="faint">{kept.asked ? `In general ${daysWords(kept.short)}, judged traces ${daysWords(kept.long)}. ` : ""}Admins change this.</p>}
      <ul className="plain-list faint">
        <li>A trace goes whole, when the youngest of its runs started and was written that long ago. Traces that were imported live from their import.</li>
        <li>Judged are traces with feedback on one of their runs, by people, code or evaluators, and traces in an annotation queue. They count as judged for as long as that is there.</li>
        <li>Experiments keep their runs, unless they are given a time below. Datasets, reports and conversations stay; their links to traces that are gone lead nowhere.</li>
      </ul>
      <Projects kept={kept} admin={admin} />
    </>
  );
}

function Last({ kept }: { kept: Kept }): ReactNode {
  const { last } = kept;
  if (!kept.asked || !last) return null;
  return (
    <>
      Looked at <span title={exactly(last.at)}>{ago(last.at)}</span>;{" "}
      {last.deleted === null ? (
        "nothing has been deleted yet."
      ) : (
        <>
          last deleted <span title={exactly(last.deleted)}>{ago(last.deleted)}</span>: {goingWords(last)}.
        </>
      )}
      {last.behind > 0 && ` The clock has jumped, or the server was off: ages are reckoned as of ${daysWords(last.behind)} ago, and catch up at a day an hour.`}
    </>
  );
}

/** Asks how much a change would delete; what deletes nothing is saved at once, the rest when somebody says so. */
function useConsent<Body>(path: string, done: () => void) {
  const cache = useQueryClient();
  const save = useMutation({
    mutationFn: (body: Body) => ask<Kept>(path, { method: "PUT", body }),
    onSuccess: (kept) => {
      preview.reset();
      cache.setQueryData(["retention"], kept);
      done();
    },
  });
  const preview = useMutation({
    mutationFn: (body: Body) => ask<Going>(`${path}/preview`, { body }),
    onSuccess: (going, body) => {
      if (going.traces === 0) save.mutate(body);
    },
  });
  const body = preview.variables;
  const asking = preview.data !== undefined && preview.data.traces > 0 && body !== undefined;
  return {
    check: (wanted: Body): void => preview.mutate(wanted),
    forget: (): void => {
      preview.reset();
      save.reset();
    },
    busy: preview.isPending || save.isPending,
    error: preview.error ?? save.error,
    asking: asking ? { going: preview.data, save: () => save.mutate(body) } : null,
  };
}

type Consent = ReturnType<typeof useConsent>;

function Sure({ consent }: { consent: Pick<Consent, "asking" | "busy" | "forget"> }): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const asked = consent.asking !== null;
  useEffect(() => {
    if (asked) place.current?.focus();
  }, [asked]);
  if (!consent.asking) return null;
  return (
    <div className="card once whole" role="group" aria-label="What goes" tabIndex={-1} ref={place}>
      <p>
        Saving this deletes <strong>{goingWords(consent.asking.going)}</strong> now, for good: with their feedback, files and links. More goes as it grows old.
      </p>
      <div className="row">
        <button type="button" className="button danger" disabled={consent.busy} onClick={consent.asking.save}>
          Save and delete
        </button>
        <button type="button" className="button" onClick={consent.forget}>
          Keep them
        </button>
      </div>
    </div>
  );
}

const shown = (days: number | null): string => (days === null ? "" : String(days));

function Rule({ kept }: { kept: Kept }): ReactNode {
  const [short, setShort] = useState(shown(kept.short));
  const [long, setLong] = useState(shown(kept.long));
  const [tier, setTier] = useState<Tier>(kept.tier);
  const [wrong, setWrong] = useState<string | null>(null);
  const consent = useConsent<Asked>("/retention", () => undefined);
  const change = (set: () => void): void => {
    set();
    setWrong(null);
    consent.forget();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const [general, judged] = [typedDays(short, kept.most), typedDays(long, kept.most)];
    const mistake = [general, judged].find((days) => typeof days === "string");
    setWrong(typeof mistake === "string" ? mistake : null);
    if (typeof general !== "string" && typeof judged !== "string") consent.check({ short: general, long: judged, tier });
  };
  return (
    <form className="asking" aria-label="How long traces are kept" onSubmit={submit}>
      <div className="fields">
        <label>
          Traces in general, days
          <input inputMode="numeric" value={short} placeholder="for ever" onChange={(event) => change(() => setShort(event.target.value))} />
        </label>
        <label>
          Judged traces, days
          <input inputMode="numeric" value={long} placeholder="for ever" onChange={(event) => change(() => setLong(event.target.value))} />
        </label>
        <label>
          Where a project says nothing
          <select value={tier} onChange={(event) => change(() => setTier(event.target.value as Tier))}>
            <option value="shortlived">its traces are kept as in general</option>
            <option value="longlived">all are kept as judged ones</option>
          </select>
        </label>
        <button type="submit" className="button primary" disabled={consent.busy || consent.asking !== null}>
          {consent.busy ? "Counting…" : "Save"}
        </button>
      </div>
      <Sure consent={consent} />
      <Wrong error={wrong ?? consent.error} />
    </form>
  );
}

function Projects({ kept, admin }: { kept: Kept; admin: boolean }): ReactNode {
  return (
    <section aria-label="Projects with a time of their own">
      <h2>Projects with a time of their own</h2>
      {admin && <OwnTime kept={kept} />}
      {kept.projects.length === 0 ? (
        <p className="faint">None: all projects are kept as the workspace says{kept.experiments > 0 ? ", experiments for ever" : ""}.</p>
      ) : (
        <div className="wide" tabIndex={0} role="group" aria-label="Table of projects">
          <table className="list">
            <thead>
              <tr>
                <th scope="col">Project</th>
                <th scope="col">Kept</th>
                {admin && (
                  <th scope="col">
                    <span className="unseen">What to do</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {kept.projects.map((project) => (
                <Row key={project.id} project={project} kept={kept} admin={admin} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {!kept.asked && kept.projects.length > 0 && <p className="faint">Clients gave these a tier. It has no effect before somebody saves a time on this page.</p>}
    </section>
  );
}

function Row({ project, kept, admin }: { project: OwnProject; kept: Kept; admin: boolean }): ReactNode {
  const consent = useConsent<OwnDraft>("/retention/projects", () => undefined);
  return (
    <tr>
      <th scope="row">
        <Link to={toProject(project.id)} className="clipped">
          {project.name}
        </Link>
        {project.experiment && <span className="tag">experiment</span>}
      </th>
      <td>{kept.asked ? comesTo(project) : `for ever (${project.tier ?? "no tier"})`}</td>
      {admin && (
        <td className="acts">
          {consent.asking ? (
            <Sure consent={consent} />
          ) : (
            <button type="button" className="button small" disabled={consent.busy} aria-label={`Keep ${project.name} as the workspace says`} onClick={() => consent.check({ project: project.id, tier: null, days: null })}>
              As the workspace
            </button>
          )}
          <Wrong error={consent.error} />
        </td>
      )}
    </tr>
  );
}

function OwnTime({ kept }: { kept: Kept }): ReactNode {
  const [name, setName] = useState("");
  const [way, setWay] = useState<Way>("days");
  const [days, setDays] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const consent = useConsent<OwnDraft>("/retention/projects", () => {
    setName("");
    setDays("");
  });
  const change = (set: () => void): void => {
    set();
    setWrong(null);
    consent.forget();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const project = kept.choices.find((one) => one.name === name);
    const typed = way === "days" ? typedDays(days, kept.most) : null;
    const mistake = !project ? "There is no project of that name." : typeof typed === "string" ? typed : way === "days" && typed === null ? "Say how many days." : null;
    setWrong(mistake);
    if (project && mistake === null && typeof typed !== "string") consent.check({ project: project.id, ...said(way, typed, kept.most) });
  };
  return (
    <form className="asking" aria-label="A project's own time" onSubmit={submit}>
      <div className="fields">
        <label>
          Project
          <input list="projects-to-keep" value={name} required autoComplete="off" onChange={(event) => change(() => setName(event.target.value))} />
          <datalist id="projects-to-keep">
            {kept.choices.map((one) => (
              <option key={one.id} value={one.name} />
            ))}
          </datalist>
        </label>
        <label>
          Its traces are kept
          <select value={way} onChange={(event) => change(() => setWay(event.target.value as Way))}>
            {WAYS.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
        {way === "days" && (
          <label>
            Days
            <input inputMode="numeric" value={days} onChange={(event) => change(() => setDays(event.target.value))} />
          </label>
        )}
        <button type="submit" className="button primary" disabled={consent.busy || consent.asking !== null}>
          {consent.busy ? "Counting…" : "Set"}
        </button>
      </div>
      <Sure consent={consent} />
      <Wrong error={wrong ?? consent.error} />
    </form>
  );
}
