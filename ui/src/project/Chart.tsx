/** One chart over time. A click on it is a span of time; so is what is dragged over. */

import { type ReactNode, useEffect, useRef, useState } from "react";
import uPlot from "uplot";

import { colour, useColours } from "../app/theme";

export interface Line {
  label: string;
  values: (number | null)[];
  colour: string;
}

interface Props {
  title: string;
  steps: number[];
  lines: Line[];
  bars?: boolean;
  format: (value: number | null) => string;
  pick: (since: number, until: number) => void;
}

const HEIGHT = 170;

export function Chart({ title, steps, lines, bars = false, format, pick }: Props): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const colours = useColours();
  const [at, setAt] = useState<number | null>(null);
  const picked = useRef(pick);
  picked.current = pick;
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const stride = (steps[1] ?? steps[0]! + 1) - steps[0]!;
    const ink = colour("--faint");
    const grid = { stroke: colour("--line"), width: 1 };
    const stacked = bars ? stack(lines.map((line) => line.values)) : lines.map((line) => line.values);
    const options: uPlot.Options = {
      width: Math.max(200, element.clientWidth),
      height: HEIGHT,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
      scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 0) > 0 ? high * 1.08 : 1] } },
      axes: [
        { stroke: ink, grid: { show: false }, ticks: { show: false }, font: "11px system-ui", size: 28, space: 70, values: (_, ticks, __, ___, step) => ticks.map((tick) => tickText(tick, step)) },
        { stroke: ink, grid, ticks: { show: false }, font: "11px system-ui", size: 58, values: (_, ticks) => ticks.map((tick) => format(tick)) },
      ],
      series: [
        {},
        ...lines
          .map((line): uPlot.Series => ({
            label: line.label,
            stroke: colour(line.colour),
            width: bars ? 0 : 1.75,
            points: { show: !bars && line.values.filter((value) => value !== null).length < 3 },
            spanGaps: true,
            ...(bars ? { fill: colour(line.colour), paths: uPlot.paths.bars!({ size: [0.82, 40], align: 1 }) } : {}),
          }))
          .toReversed(),
      ],
      hooks: {
        setCursor: [(self) => setAt(self.cursor.idx ?? null)],
        setSelect: [
          (self) => {
            if (self.select.width < 4) return;
            picked.current(self.posToVal(self.select.left, "x") * 1e6, self.posToVal(self.select.left + self.select.width, "x") * 1e6);
          },
        ],
      },
    };
    const made = new uPlot(options, [steps.map((step) => step / 1e6), ...stacked.toReversed()] as uPlot.AlignedData, element);
    plot.current = made;
    let down: number | null = null;
    const pressed = (event: PointerEvent): void => void (down = event.clientX);
    const released = (event: PointerEvent): void => {
      const step = made.cursor.idx;
      if (down === null || Math.abs(event.clientX - down) > 3 || step === null || step === undefined) return;
      picked.current(steps[step]!, steps[step]! + stride);
    };
    made.over.addEventListener("pointerdown", pressed);
    made.over.addEventListener("pointerup", released);
    const watcher = new ResizeObserver(() => made.setSize({ width: Math.max(200, element.clientWidth), height: HEIGHT }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
    };
  }, [steps, lines, bars, format, colours]);
  const when = at === null ? null : steps[at];
  return (
    <figure className="chart">
      <figcaption>
        <h2>{title}</h2>
        <ul className="legend">
          {lines.map((line) => (
            <li key={line.label}>
              <span className="swatch" style={{ background: `var(${line.colour})` }} aria-hidden="true" />
              <span className="clipped">{line.label}</span>
              <strong>{at === null ? "" : format(line.values[at] ?? null)}</strong>
            </li>
          ))}
        </ul>
        <span className="faint chart-when">{when ? new Date(when / 1000).toLocaleString(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false }) : ""}</span>
      </figcaption>
      <div ref={box} className="plot" role="img" aria-label={`${title}: ${lines.map((line) => `${line.label} ${described(line.values, format)}`).join("; ")}`} />
    </figure>
  );
}

/** A day where it begins, else the time of it. */
function tickText(second: number, step: number): string {
  const date = new Date(second * 1000);
  const isDay = step >= 86_400 || (date.getHours() === 0 && date.getMinutes() === 0);
  return isDay ? date.toLocaleDateString(undefined, { day: "numeric", month: "short" }) : date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
}

/** Each line on top of those before it. */
function stack(lines: (number | null)[][]): number[][] {
  const sums: number[][] = [];
  for (const values of lines) sums.push(values.map((value, at) => (value ?? 0) + (sums.at(-1)?.[at] ?? 0)));
  return sums;
}

function described(values: readonly (number | null)[], format: (value: number | null) => string): string {
  const real = values.filter((value): value is number => value !== null);
  return real.length ? `between ${format(Math.min(...real))} and ${format(Math.max(...real))}` : "nothing";
}
