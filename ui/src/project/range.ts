/** Ranges of time and their strides. Pure; everything in microseconds. */

export const MINUTE = 60_000_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const PRESETS = [
  { key: "1h", label: "Last hour", length: HOUR },
  { key: "6h", label: "Last 6 hours", length: 6 * HOUR },
  { key: "24h", label: "Last 24 hours", length: DAY },
  { key: "7d", label: "Last 7 days", length: 7 * DAY },
  { key: "30d", label: "Last 30 days", length: 30 * DAY },
  { key: "all", label: "All time", length: null },
] as const;

export interface Range {
  since: number | null;
  until: number | null;
  label: string;
  preset: string | null;
}

/** The range that an address states: a preset, or since and until. */
export function rangeOf(params: URLSearchParams, now: number, fallback: string): Range {
  const since = Number(params.get("since"));
  const until = Number(params.get("until"));
  if (since > 0 && until > since) {
    const text = (at: number): string =>
      new Date(at / 1000).toLocaleString(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });
    return { since, until, label: `${text(since)} – ${text(until)}`, preset: null };
  }
  const preset = PRESETS.find((one) => one.key === (params.get("range") ?? fallback)) ?? PRESETS[3];
  return { since: preset.length === null ? null : now - preset.length, until: null, label: preset.label, preset: preset.key };
}

const STRIDES = [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY];

/** The shortest stride that cuts a length of time into at most `most` parts. */
export function strideOf(length: number, most = 96): number {
  return STRIDES.find((stride) => length / stride <= most) ?? Math.ceil(length / most / DAY) * DAY;
}

/** Where strides are counted from, so that days begin at the viewer's midnight. */
export function originOf(since: number): number {
  return new Date(since / 1000).getTimezoneOffset() * MINUTE;
}

/** The beginnings of all strides from since to until. */
export function stepsOf(since: number, until: number, stride: number, origin: number): number[] {
  const first = since - ((((since - origin) % stride) + stride) % stride);
  const found: number[] = [];
  for (let at = first; at <= until; at += stride) found.push(at);
  return found;
}

/** A value for each step: what the buckets say, `empty` where there is none. */
export function fill<B extends { start: number }>(steps: readonly number[], buckets: readonly B[], value: (bucket: B) => number | null | undefined, empty: number | null): (number | null)[] {
  const at = new Map(buckets.map((bucket) => [bucket.start, bucket]));
  return steps.map((step) => {
    const bucket = at.get(step);
    return bucket === undefined ? empty : (value(bucket) ?? empty);
  });
}
