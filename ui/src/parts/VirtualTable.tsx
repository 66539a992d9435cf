/**
 * The table of every list: only the rows in sight are in the document. Arrow keys move, Enter opens, and a row is a link
 * by its first cell that has one.
 */

import { useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";

import { go } from "../app/router";

export interface Column<Row> {
  key: string;
  title: string;
  /** A track of CSS grid, such as 90px or minmax(120px, 2fr). */
  width: string;
  cell: (row: Row) => ReactNode;
  end?: boolean;
  sort?: (row: Row) => number | string | null;
}

/** Rows that are chosen for something: with the space of a column before the others. */
export interface Choosing {
  has: (id: string) => boolean;
  /** How many of the rows that are here. */
  count: number;
  toggle: (index: number, range: boolean) => void;
  toggleAll: () => void;
}

interface Props<Row> {
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  idOf: (row: Row) => string;
  to: (row: Row) => string;
  height?: number;
  onEnd?: () => void;
  sorted?: { key: string; descending: boolean };
  onSort?: (key: string) => void;
  footer?: ReactNode;
  choosing?: Choosing | undefined;
  /** What a row is called, for its checkbox. */
  nameOf?: (row: Row) => string;
}

export function VirtualTable<Row>({ label, rows, columns, idOf, to, height = 40, onEnd, sorted, onSort, footer, choosing, nameOf }: Props<Row>): ReactNode {
  const scroller = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(0);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 12 });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (onEnd && last >= rows.length - 10 && rows.length > 0) onEnd();
  }, [last, rows.length, onEnd]);
  const chosen = Math.min(at, rows.length - 1);

  const move = (to_: number): void => {
    const next = Math.max(0, Math.min(rows.length - 1, to_));
    setAt(next);
    virtual.scrollToIndex(next);
  };
  const pressed = (event: KeyboardEvent): void => {
    const page = Math.floor((scroller.current?.clientHeight ?? 400) / height) - 1;
    const steps: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -rows.length, End: rows.length };
    const step = steps[event.key];
    if (choosing && (event.key === "x" || event.key === "X") && rows[chosen] && !event.metaKey && !event.ctrlKey) {
      event.preventDefault();
      choosing.toggle(chosen, event.key === "X");
    } else if (step !== undefined) {
      event.preventDefault();
      move(chosen + step);
    } else if (event.key === "Enter" && rows[chosen] && event.target === scroller.current) {
      event.preventDefault(); // what opens may take the focus, and must not be pressed by this key
      go(to(rows[chosen]!));
    }
  };
  const tracks: CSSProperties = { gridTemplateColumns: (choosing ? "18px " : "") + columns.map((column) => column.width).join(" ") };
  return (
    <div className="table-frame">
      <div className="table-scroll" ref={scroller} tabIndex={0} role="grid" aria-label={label} aria-rowcount={rows.length + 1} aria-activedescendant={rows[chosen] ? rowId(label, chosen) : undefined} onKeyDown={pressed}>
        <div className="table-head" role="row" aria-rowindex={1} style={tracks}>
          {choosing && (
            <div role="columnheader" className="choose">
              <input
                type="checkbox"
                aria-label={`Choose all ${rows.length}`}
                checked={choosing.count > 0 && choosing.count === rows.length}
                ref={(box) => {
                  if (box) box.indeterminate = choosing.count > 0 && choosing.count < rows.length;
                }}
                onChange={choosing.toggleAll}
              />
            </div>
          )}
          {columns.map((column) => (
            <div key={column.key} role="columnheader" className={column.end ? "end" : ""} aria-sort={sorted?.key === column.key ? (sorted.descending ? "descending" : "ascending") : undefined}>
              {column.sort && onSort ? (
                <button type="button" className="sort" onClick={() => onSort(column.key)}>
                  {column.title}
                  <span aria-hidden="true">{sorted?.key === column.key ? (sorted.descending ? " ↓" : " ↑") : ""}</span>
                </button>
              ) : (
                column.title
              )}
            </div>
          ))}
        </div>
        <div role="rowgroup" className="table-body" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index]!;
            return (
              <div
                key={idOf(row)}
                id={rowId(label, item.index)}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={item.index === chosen}
                className={`table-row${item.index === chosen ? " chosen" : ""}`}
                style={{ ...tracks, height, transform: `translateY(${item.start}px)` }}
                onClick={(event) => {
                  if ((event.target as HTMLElement).closest("a, button, input, .choose")) return;
                  if (getSelection()?.toString()) return;
                  if (event.metaKey || event.ctrlKey) window.open(to(row), "_blank", "noopener");
                  else go(to(row));
                }}
              >
                {choosing && (
                  <div role="gridcell" className="choose">
                    <input
                      type="checkbox"
                      tabIndex={-1}
                      aria-label={`Choose ${nameOf?.(row) ?? idOf(row)}`}
                      checked={choosing.has(idOf(row))}
                      onChange={(event) => {
                        setAt(item.index);
                        choosing.toggle(item.index, (event.nativeEvent as MouseEvent).shiftKey === true);
                      }}
                    />
                  </div>
                )}
                {columns.map((column) => (
                  <div key={column.key} role="gridcell" className={column.end ? "end" : ""}>
                    {column.cell(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      {footer}
    </div>
  );
}

const rowId = (label: string, index: number): string => `${label.replace(/\W+/g, "-")}-${index}`;
