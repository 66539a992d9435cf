/** The first screen: what to set in the clients. Turns into the first trace the moment it arrives. */

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";

import { ask } from "../api/http";
import { useMe } from "../app/me";
import { go, toTrace } from "../app/router";
import { Copy } from "../parts/Copy";

export interface Setting {
  client: string;
  about: string;
  text: string;
}

/** What each client needs to know, as lines for a shell. */
export function settings(url: string, key: string): Setting[] {
  return [
    { client: "LangSmith", about: "Python and TypeScript, LangChain and LangGraph", text: `export LANGSMITH_ENDPOINT=${url}\nexport LANGSMITH_TRACING=true\nexport LANGSMITH_API_KEY=${key}` },
    { client: "HoneyHive", about: "Python and TypeScript", text: `export HH_API_URL=${url}/honeyhive\nexport HH_API_KEY=${key}` },
    { client: "Julep", about: "agents, sessions and docs", text: `export JULEP_BASE_URL=${url}/julep\nexport JULEP_API_KEY=${key}` },
    { client: "OpenTelemetry", about: "any exporter, OTLP over HTTP", text: `export OTEL_EXPORTER_OTLP_ENDPOINT=${url}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf` },
  ];
}

export function Welcome({ waits = true }: { waits?: boolean }): ReactNode {
  const me = useMe();
  const newest = useQuery({ queryKey: ["newest"], queryFn: () => ask<{ trace: string | null }>("/newest"), refetchInterval: 1000, enabled: waits });
  const trace = newest.data?.trace;
  useEffect(() => {
    if (trace && waits) go(toTrace(trace), { replace: true });
  }, [trace, waits]);
  const key = me.auth === "open" ? "anything" : "<your key>";
  return (
    <div className="welcome">
      <h1>{waits ? "Ready to record" : "Connect a program"}</h1>
      <p className="lead">Set these variables where your program runs, and run it. Nothing in its code changes.</p>
      <div className="cards">
        {settings(me.url, key).map((setting) => (
          <section key={setting.client} className="card" aria-label={setting.client}>
            <header>
              <div>
                <h2>{setting.client}</h2>
                <p className="faint">{setting.about}</p>
              </div>
              <Copy text={setting.text} label={`Copy the settings of ${setting.client}`}>
                Copy
              </Copy>
            </header>
            <pre tabIndex={0}>{setting.text}</pre>
          </section>
        ))}
      </div>
      {waits && (
        <p className="listening" role="status">
          <span className="pulse" aria-hidden="true" /> Waiting for the first trace: it opens here by itself.
        </p>
      )}
    </div>
  );
}
