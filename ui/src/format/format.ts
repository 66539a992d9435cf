/** Figures and times as people read them. Pure; the viewer's own time zone and language. */

const EMPTY = "–";

/** Seconds: 840 µs, 12 ms, 1.85 s, 2 m 05 s, 1 h 02 m. */
export function seconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return EMPTY;
  if (value < 0) return "0 ms";
  if (value > 0 && value < 0.001) return `${Math.round(value * 1e6)} µs`;
  if (value < 0.9995) return `${Math.round(value * 1000)} ms`;
  if (value < 59.995) return `${value < 9.995 ? value.toFixed(2) : value.toFixed(1)} s`;
  const whole = Math.round(value);
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${String(whole % 60).padStart(2, "0")} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} m`;
}

export const micros = (value: number | null | undefined): string =>
  seconds(value === null || value === undefined ? value : value / 1e6);

/** Counts: 950, 1,234, 56.7k, 1.2M. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return EMPTY;
  if (value < 10_000) return Math.round(value).toLocaleString("en");
  for (const [size, mark] of [
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (value >= size) return `${(value / size).toFixed(value / size < 99.95 ? 1 : 0)}${mark}`;
  }
  return String(value);
}

/** Dollars with as many digits as mean something: $0.00012, $0.5, $12.04, $1,204. */
export function dollars(value: number | null | undefined): string {
  if (value === null || value === undefined) return EMPTY;
  if (value === 0) return "$0";
  if (value < 1) {
    const [digits, power] = value.toExponential(1).split("e") as [string, string];
    return `$${Number(`${digits}e${power}`).toFixed(Math.min(12, (digits.endsWith(".0") ? 0 : 1) - Number(power)))}`;
  }
  if (value < 1000) return `$${value.toFixed(2)}`;
  return `$${Math.round(value).toLocaleString("en")}`;
}

export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return EMPTY;
  const value = share * 100;
  if (value === 0) return "0%";
  return `${value < 0.1 ? "<0.1" : value < 10 ? value.toFixed(1) : value.toFixed(0)}%`;
}

export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  if (size < 1e6) return `${(size / 1e3).toFixed(size < 1e4 ? 1 : 0)} kB`;
  if (size < 1e9) return `${(size / 1e6).toFixed(1)} MB`;
  return `${(size / 1e9).toFixed(1)} GB`;
}

export function score(value: number | null | undefined): string {
  if (value === null || value === undefined) return EMPTY;
  return Number(value.toFixed(2)).toString();
}

/** "12 s ago", "5 m ago"; a day or more ago, the date. */
export function ago(at: number | null | undefined, now: number = Date.now() * 1000): string {
  if (at === null || at === undefined) return EMPTY;
  const past = (now - at) / 1e6;
  if (past < 0) return "just now";
  if (past < 60) return `${Math.floor(past)} s ago`;
  if (past < 3600) return `${Math.floor(past / 60)} m ago`;
  if (past < 86_400) return `${Math.floor(past / 3600)} h ago`;
  if (past < 7 * 86_400) return `${Math.floor(past / 86_400)} d ago`;
  return day(at);
}

export function day(at: number): string {
  return new Date(at / 1000).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}

/** Date and time in the viewer's zone, to the second. */
export function moment(at: number): string {
  return new Date(at / 1000).toLocaleString(undefined, {
    day: "2-digit",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  });
}

/** A moment that is days away: with its year, to the minute. */
export function minute(at: number): string {
  return new Date(at / 1000).toLocaleString(undefined, { day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
}

/** The same to the millisecond, with year and zone: for titles. */
export function exactly(at: number): string {
  return new Date(at / 1000).toLocaleString(undefined, {
    day: "2-digit",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    hour12: false,
    timeZoneName: "short",
  });
}
