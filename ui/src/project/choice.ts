/** Which rows of a table are chosen. Pure: sets of ids, and where the last choice was made. */

export interface Choice {
  ids: ReadonlySet<string>;
  /** The id from which a range goes on; null before the first choice. */
  anchor: string | null;
}

export const NOTHING: Choice = { ids: new Set(), anchor: null };

/** One row more or less; with `range`, all from the last choice to this one are as that one is. */
export function toggled(choice: Choice, order: readonly string[], index: number, range: boolean): Choice {
  const id = order[index];
  if (id === undefined) return choice;
  const ids = new Set(choice.ids);
  const from = range && choice.anchor !== null ? order.indexOf(choice.anchor) : -1;
  if (from >= 0) {
    const on = choice.ids.has(choice.anchor!);
    for (const one of order.slice(Math.min(from, index), Math.max(from, index) + 1)) {
      if (on) ids.add(one);
      else ids.delete(one);
    }
    return { ids, anchor: choice.anchor };
  }
  if (!ids.delete(id)) ids.add(id);
  return { ids, anchor: id };
}

/** All of these, or none when all are chosen. */
export function toggledAll(choice: Choice, order: readonly string[]): Choice {
  return order.every((id) => choice.ids.has(id)) ? NOTHING : { ids: new Set(order), anchor: choice.anchor };
}

/** The traces of these runs, each once. */
export const tracesOf = (runs: readonly { trace: string }[]): string[] => [...new Set(runs.map((run) => run.trace))];

export const counted = (count: number, noun: string): string => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
