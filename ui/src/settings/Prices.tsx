/** Model prices: the workspace's own, which win, and the built-in list. */

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";

import { ask } from "../api/http";
import type { OwnPrice, Prices as Found } from "../api/settings";
import { useMe } from "../app/me";
import { useParams } from "../app/router";
import { FormEnd } from "../parts/FormEnd";
import { Failure, Waiting } from "../parts/Notice";
import { Sure } from "../parts/Sure";
import { NEW_PRICE, type PriceDraft, draftOf, patternOf, priceOf } from "./words";

export function Prices(): ReactNode {
  const mayWrite = useMe().may.includes("write");
  const [params, setParams] = useParams();
  const words = params.get("find") ?? "";
  const cache = useQueryClient();
  const [editing, setEditing] = useState<{ id: string | null; draft: PriceDraft } | null>(null);
  const found = useQuery({ queryKey: ["prices", words], queryFn: ({ signal }) => ask<Found>(`/prices?find=${encodeURIComponent(words)}`, { signal }), placeholderData: keepPreviousData });
  const done = (): void => {
    setEditing(null);
    void cache.invalidateQueries({ queryKey: ["prices"] });
  };
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading prices" />;
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const own = found.data.own.filter((price) => wanted.every((word) => `${price.provider ?? ""} ${price.name}`.toLowerCase().includes(word)));
  return (
    <>
      <p className="faint">Dollars for a million tokens. A price of your own wins over the built-in one, and counts for runs recorded from then on.</p>
      <div className="row bar-row">
        <input type="search" aria-label="Find models" placeholder="Find models" value={words} onChange={(event) => setParams({ find: event.target.value }, { replace: true })} />
        {mayWrite && (
          <button type="button" className="button" onClick={() => setEditing({ id: null, draft: NEW_PRICE })}>
            Add a price
          </button>
        )}
      </div>
      {editing && <PriceForm key={editing.id ?? editing.draft.name} id={editing.id} first={editing.draft} done={done} leave={() => setEditing(null)} />}
      <div className="wide" tabIndex={0} role="group" aria-label="Table of prices">
        <table className="list">
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col">Provider</th>
              <th scope="col" className="end">
                Input
              </th>
              <th scope="col" className="end">
                Output
              </th>
              <th scope="col">From</th>
              {mayWrite && (
                <th scope="col">
                  <span className="unseen">What to do</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {own.map((price) => (
              <Own key={price.id} price={price} mayWrite={mayWrite} edit={() => setEditing({ id: price.id, draft: draftOf(price) })} done={done} />
            ))}
            {found.data.builtIn.map((offer) => (
              <tr key={`${offer.provider} ${offer.model}`}>
                <th scope="row">
                  <span className="clipped">{offer.model}</span>
                </th>
                <td>{offer.provider}</td>
                <td className="end">{offer.input ?? "–"}</td>
                <td className="end">{offer.output ?? "–"}</td>
                <td className="faint">built in</td>
                {mayWrite && (
                  <td className="acts">
                    <button
                      type="button"
                      className="button small quiet"
                      aria-label={`Price of your own for ${offer.model} of ${offer.provider}`}
                      onClick={() => setEditing({ id: null, draft: { name: offer.model, pattern: patternOf(offer.model), provider: "", input: offer.input ?? "", output: offer.output ?? "" } })}
                    >
                      Own price
                    </button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {own.length + found.data.builtIn.length === 0 && <p className="faint">No model of this name has a price: its runs have tokens and no cost.</p>}
      {found.data.more && <p className="faint">There are more: find narrows them down.</p>}
    </>
  );
}

function Own({ price, mayWrite, edit, done }: { price: OwnPrice; mayWrite: boolean; edit: () => void; done: () => void }): ReactNode {
  const gone = useMutation({ mutationFn: () => ask(`/prices/${price.id}`, { method: "DELETE" }), onSuccess: done });
  const details = Object.entries(price.details);
  return (
    <tr className="own">
      <th scope="row">
        <span className="clipped" title={`/${price.pattern}/`}>
          {price.name}
        </span>
        {details.length > 0 && <span className="faint details">{details.map(([name, cost]) => `${name.replaceAll("_", " ")} ${cost}`).join(", ")}</span>}
      </th>
      <td>{price.provider ?? "any"}</td>
      <td className="end">{price.input}</td>
      <td className="end">{price.output}</td>
      <td>
        <span className="tag">your own</span>
      </td>
      {mayWrite && (
        <td className="acts">
          <button type="button" className="button small" aria-label={`Edit the price of ${price.name}`} onClick={edit}>
            Edit
          </button>{" "}
          <Sure act="Remove" of={`the price of ${price.name}`} sure="Remove for good" busy={gone.isPending} error={gone.error} go={() => gone.mutate()} />
        </td>
      )}
    </tr>
  );
}

function PriceForm({ id, first, done, leave }: { id: string | null; first: PriceDraft; done: () => void; leave: () => void }): ReactNode {
  const [draft, setDraft] = useState(first);
  const [wrong, setWrong] = useState<string | null>(null);
  const save = useMutation({ mutationFn: (price: PriceDraft) => ask(id ? `/prices/${id}` : "/prices", { method: id ? "PUT" : "POST", body: price }), onSuccess: done });
  const change = (part: Partial<PriceDraft>): void => {
    setWrong(null);
    setDraft((now) => ({ ...now, ...part }));
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const price = priceOf(draft);
    if (typeof price === "string") setWrong(price);
    else save.mutate(price);
  };
  const told = wrong ?? save.error?.message ?? null;
  return (
    <form className="fields card" aria-label={id ? "Edit price" : "New price"} onSubmit={submit} onKeyDown={(event) => event.key === "Escape" && leave()}>
      <label>
        Model
        <input value={draft.name} autoFocus onChange={(event) => change({ name: event.target.value })} />
      </label>
      <label>
        Names it is for (regular expression)
        <input className="mono" value={draft.pattern} placeholder={patternOf(draft.name)} onChange={(event) => change({ pattern: event.target.value })} />
      </label>
      <label>
        Provider
        <input value={draft.provider} placeholder="any" onChange={(event) => change({ provider: event.target.value })} />
      </label>
      <label>
        Input
        <input inputMode="decimal" value={draft.input} onChange={(event) => change({ input: event.target.value })} />
      </label>
      <label>
        Output
        <input inputMode="decimal" value={draft.output} onChange={(event) => change({ output: event.target.value })} />
      </label>
      <FormEnd act="Save" busy={save.isPending} error={told} leave={leave} />
    </form>
  );
}
