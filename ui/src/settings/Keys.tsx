/** API keys: made, shown once, revoked. Admins see all of them, other members their own. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";

import { ask } from "../api/http";
import type { Key } from "../api/settings";
import { useMe } from "../app/me";
import { ago, exactly } from "../format/format";
import { Copy } from "../parts/Copy";
import { Failure, Waiting, Wrong } from "../parts/Notice";
import { Sure } from "../parts/Sure";
import { ROLES, endOf, stateOf, today } from "./words";

export function Keys(): ReactNode {
  const me = useMe();
  const cache = useQueryClient();
  const found = useQuery({ queryKey: ["keys"], queryFn: ({ signal }) => ask<{ keys: Key[] }>("/keys", { signal }) });
  const again = (): void => void cache.invalidateQueries({ queryKey: ["keys"] });
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading keys" />;
  const isAdmin = me.may.includes("admin");
  const keys = [...found.data.keys].sort((one, other) => Number(other.active) - Number(one.active));
  return (
    <>
      {me.auth === "open" && <p className="banner">This server is open: a key is not needed, and one that is known selects its workspace and role. Started with STENOGRAPH_AUTH=keys it asks for one.</p>}
      <NewKey made={again} />
      {keys.length === 0 ? (
        <p className="faint">{isAdmin ? "There are no keys yet." : "You have no keys yet: your programs send one to come in as you."}</p>
      ) : (
        <div className="wide" tabIndex={0} role="group" aria-label="Table of keys">
          <table className="list">
            <thead>
              <tr>
                <th scope="col">Name</th>
                {isAdmin && <th scope="col">Whose</th>}
                <th scope="col">Role</th>
                <th scope="col">Ends in</th>
                <th scope="col">Made</th>
                <th scope="col">State</th>
                <th scope="col">
                  <span className="unseen">What to do</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {keys.map((key) => (
                <Row key={key.id} item={key} isAdmin={isAdmin} done={again} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Row({ item, isAdmin, done }: { item: Key; isAdmin: boolean; done: () => void }): ReactNode {
  const state = stateOf(item);
  const revoke = useMutation({ mutationFn: () => ask(`/keys/${item.id}`, { method: "DELETE" }), onSuccess: done });
  return (
    <tr className={state === "active" ? "" : "past"}>
      <th scope="row">
        <span className="clipped" title={item.name}>
          {item.name}
        </span>
        {item.own && <span className="tag">this page's</span>}
      </th>
      {isAdmin && <td>{item.of ?? <span className="faint">nobody's</span>}</td>}
      <td>{item.role ?? <span className="faint">nothing any more</span>}</td>
      <td>{item.signIn ? <span className="faint">a browser's</span> : <code>…{item.hint}</code>}</td>
      <td title={exactly(item.created)}>{ago(item.created)}</td>
      <td>
        {state}
        {item.expires !== null && state === "active" && <span className="faint" title={exactly(item.expires)}> until {exactly(item.expires).split(",")[0]}</span>}
      </td>
      <td className="acts">{state === "active" && <Sure act="Revoke" of={item.name} sure={item.own ? "Revoke, and sign out here" : "Revoke for good"} busy={revoke.isPending} error={revoke.error} go={() => revoke.mutate()} />}</td>
    </tr>
  );
}

function NewKey({ made }: { made: () => void }): ReactNode {
  const me = useMe();
  const isAdmin = me.may.includes("admin");
  const roles = ROLES.filter(([each]) => me.may.includes(each));
  const [name, setName] = useState("");
  const [own, setOwn] = useState(!isAdmin);
  const [role, setRole] = useState(me.may.includes("write") ? "write" : "read");
  const [until, setUntil] = useState("");
  const create = useMutation({
    mutationFn: () => ask<Key & { secret: string }>("/keys", { body: { name, role, own, expires: endOf(until) } }),
    onSuccess: () => {
      setName("");
      setUntil("");
      made();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <>
      <form className="fields" aria-label="New key" onSubmit={submit}>
        <label>
          Name
          <input value={name} required maxLength={200} placeholder="who or what uses it" onChange={(event) => setName(event.target.value)} />
        </label>
        <label>
          Role
          <select value={role} onChange={(event) => setRole(event.target.value)}>
            {roles.map(([value, about]) => (
              <option key={value} value={value}>
                {value}: {about}
              </option>
            ))}
          </select>
        </label>
        {isAdmin && me.member !== null && (
          <label>
            Whose
            <select value={own ? "own" : ""} onChange={(event) => setOwn(event.target.value === "own")}>
              <option value="">nobody's: it stays when people go</option>
              <option value="own">yours: it reaches no further than you</option>
            </select>
          </label>
        )}
        <label>
          Until, if it ends (that day included)
          <input type="date" value={until} min={today()} max="2199-12-31" onChange={(event) => setUntil(event.target.value)} />
        </label>
        <button type="submit" className="button primary" disabled={create.isPending}>
          Make a key
        </button>
        <Wrong error={create.error} />
      </form>
      {create.data && (
        <section className="card once" aria-label="The new key">
          <p>
            <strong>{create.data.name}</strong> is made{create.data.expires !== null && ` and holds until ${exactly(create.data.expires)}`}. Copy the key now: it is not kept, and not shown again.
          </p>
          <div className="row">
            <input readOnly className="mono" aria-label="Key" value={create.data.secret} onFocus={(event) => event.target.select()} />
            <Copy text={create.data.secret}>Copy key</Copy>
            <button type="button" className="button small" onClick={() => create.reset()}>
              Done
            </button>
          </div>
        </section>
      )}
    </>
  );
}
