/** The keys, in one place. */

import type { ReactNode, RefObject } from "react";

const KEYS: [string, [string, string][]][] = [
  ["Everywhere", [["?", "these keys"], ["p", "all projects"], ["/", "find, on this page"]]],
  ["Tables", [["↓ ↑  or  j k", "next row, row before"], ["Enter", "open"], ["x", "choose the row"], ["Shift x", "choose up to this row"], ["f", "filter"], ["t", "live tail"]]],
  ["Traces", [["↓ ↑  or  j k", "next run, run before"], ["→ ←  or  l h", "open, close, go to the parent"], ["e  E", "next error, error before"], ["[  ]", "close all, open all"], ["d", "to the run's detail"], ["t", "to the tree"]]],
  ["Reviewing", [["1 … 9", "choose"], ["j  k", "next key, key before"], ["Enter", "submit"], ["s", "skip"], ["n  p", "next item, item before"], ["c  e", "comment, write"]]],
];

export function Help({ box }: { box: RefObject<HTMLDialogElement | null> }): ReactNode {
  return (
    <dialog ref={box} className="help" aria-label="Keys" onClick={(event) => event.target === box.current && box.current?.close()}>
      <form method="dialog">
        <h2>Keys</h2>
        {KEYS.map(([title, keys]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([key, what]) => (
                <div key={key}>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <button type="submit" className="button">
          Close
        </button>
      </form>
    </dialog>
  );
}
