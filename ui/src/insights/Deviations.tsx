/** A figure of a cluster, and how far it is from that of all traces: a bar that leans left or right of the middle. */

import type { ReactNode } from "react";

import type { Measure } from "./figures";

export function Deviating({ measure }: { measure: Measure }): ReactNode {
  const { deviation, label, value } = measure;
  const size = deviation?.size ?? 0;
  return (
    <span className="measure" title={deviation ? `${label}: ${value}, ${deviation.text} beside all traces` : `${label}: ${value}`}>
      <span className="measure-value">
        <span className="measure-label">{label} </span>
        {value}
      </span>
      <span className="lean" aria-hidden="true">
        <span className={deviation?.bad ? "lean-bar worse" : "lean-bar"} style={{ width: `${Math.abs(size) * 50}%`, left: size < 0 ? `${50 + size * 50}%` : "50%" }} />
      </span>
      <span className="unseen">{deviation ? `${deviation.text} beside all traces` : ""}</span>
    </span>
  );
}
