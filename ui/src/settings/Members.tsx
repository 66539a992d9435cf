/** The people of the workspace: seen by everybody, invited, changed and removed by admins. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";

import { ask } from "../api/http";
import { type Invited, type Listed, linkOf } from "../api/members";
import { useMe } from "../app/me";
import { ago, exactly, minute } from "../format/format";
import { Copy } from "../parts/Copy";
import { FormEnd } from "../parts/FormEnd";
import { Failure, Waiting, Wrong } from "../parts/Notice";
import { Sure } from "../parts/Sure";
import { ROLES } from "./words";

const PEOPLES = ROLES.filter(([role]) => role !== "ingest");

export function Members(): ReactNode {
  const me = useMe();
  const cache = useQueryClient();
  const [fresh, setFresh] = useState<Invited | null>(null);
  const [edited, setEdited] = useState<string | null>(null);
  const found = useQuery({ queryKey: ["members"], queryFn: ({ signal }) => ask<{ members: Listed[] }>("/members", { signal }) });
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Waiting what="Reading members" />;
  const isAdmin = me.may.includes("admin");
  const { members } = found.data;
  const subject = members.find((member) => member.id === edited);
  const changed = (made: Invited | null = null): void => {
    setFresh(made);
    setEdited(null);
    for (const key of ["members", "keys", "me"]) void cache.invalidateQueries({ queryKey: [key] });
  };
  return (
    <>
      {me.auth === "open" && (
        <p className="banner">
          This server is open: everybody may do everything, and nobody is told from anybody. Started with <code>STENOGRAPH_AUTH=keys</code> it asks who comes; members invited here before can join then.
        </p>
      )}
      {isAdmin && (subject ? <Edit key={subject.id} member={subject} done={() => changed()} leave={() => setEdited(null)} /> : <Invite done={changed} />)}
      {fresh && <Once made={fresh} done={() => setFresh(null)} />}
      {members.length === 0 ? (
        <p className="faint">Nobody is a member yet. {isAdmin ? "Whoever you invite comes in by a link, without ever seeing a key." : "An admin invites people."}</p>
      ) : (
        <div className="wide" tabIndex={0} role="group" aria-label="Table of members">
          <table className="list">
            <thead>
              <tr>
                {["Name", "E-mail", "Role", "State", "Last seen"].map((title) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ))}
                <th scope="col" className="end">
                  Keys
                </th>
                <th scope="col">
                  <span className="unseen">What to do</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {members.map((member) => (
                <Row key={member.id} member={member} isAdmin={isAdmin} changed={changed} edit={() => setEdited(member.id)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Row({ member, isAdmin, changed, edit }: { member: Listed; isAdmin: boolean; changed: (made?: Invited) => void; edit: () => void }): ReactNode {
  const link = useMutation({ mutationFn: () => ask<Invited>(`/members/${member.id}/link`, { method: "POST" }), onSuccess: changed });
  const withdraw = useMutation({ mutationFn: () => ask(`/members/${member.id}/link`, { method: "DELETE" }), onSuccess: () => changed() });
  const remove = useMutation({ mutationFn: () => ask(`/members/${member.id}`, { method: "DELETE" }), onSuccess: () => changed() });
  const may = isAdmin || member.you;
  return (
    <tr>
      <th scope="row">
        <span className="clipped" title={member.name}>
          {member.name}
        </span>
        {member.you && <span className="tag">you</span>}
      </th>
      <td>
        <span className="clipped address" title={member.email ?? undefined}>
          {member.email ?? <span className="faint">none</span>}
        </span>
      </td>
      <td>{member.role}</td>
      <td>
        {member.joined === null ? "invited" : "active"}
        {member.until !== null && (
          <span className="details faint">
            link until {minute(member.until)}
            {may && (
              <button type="button" className="linklike" aria-label={`Take back the link of ${member.name}`} disabled={withdraw.isPending} onClick={() => withdraw.mutate()}>
                Take back
              </button>
            )}
          </span>
        )}
        {member.joined === null && member.until === null && <span className="details faint">no link is out</span>}
        <Wrong error={withdraw.error} />
      </td>
      <td title={member.seen === null ? undefined : exactly(member.seen)}>{member.seen === null ? <span className="faint">never</span> : ago(member.seen)}</td>
      <td className="end">{member.keys}</td>
      <td className="acts">
        {may && (
          <span className="acts-row">
            {isAdmin && (
              <button type="button" className="button small" aria-label={`Edit ${member.name}`} onClick={edit}>
                Edit
              </button>
            )}
            <button type="button" className="button small" aria-label={`Make a link for ${member.name}`} disabled={link.isPending} onClick={() => link.mutate()}>
              Make a link
            </button>
            {isAdmin && <Sure act="Remove" of={member.name} sure={member.you ? "Remove, and sign out here" : "Remove, with their keys"} busy={remove.isPending} error={remove.error} go={() => remove.mutate()} />}
          </span>
        )}
        <Wrong error={link.error} />
      </td>
    </tr>
  );
}

function Fields({ name, email, role, set }: { name: string; email: string; role: string; set: (field: "name" | "email" | "role", value: string) => void }): ReactNode {
  return (
    <>
      <label>
        Name
        <input value={name} required maxLength={200} autoComplete="off" onChange={(event) => set("name", event.target.value)} />
      </label>
      <label>
        E-mail, if you like (nothing is mailed)
        <input type="email" value={email} maxLength={320} autoComplete="off" onChange={(event) => set("email", event.target.value)} />
      </label>
      <label>
        Role
        <select value={role} onChange={(event) => set("role", event.target.value)}>
          {PEOPLES.map(([value, about]) => (
            <option key={value} value={value}>
              {value}: {about}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

const NOBODY = { name: "", email: "", role: "write" };

function Invite({ done }: { done: (made: Invited) => void }): ReactNode {
  const [draft, setDraft] = useState(NOBODY);
  const invite = useMutation({
    mutationFn: () => ask<Invited>("/members", { body: { ...draft, email: draft.email || null } }),
    onSuccess: (made) => {
      setDraft(NOBODY);
      done(made);
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    invite.mutate();
  };
  return (
    <form className="fields" aria-label="Invite somebody" onSubmit={submit}>
      <Fields {...draft} set={(field, value) => setDraft({ ...draft, [field]: value })} />
      <button type="submit" className="button primary" disabled={invite.isPending}>
        Invite
      </button>
      <Wrong error={invite.error} />
    </form>
  );
}

function Edit({ member, done, leave }: { member: Listed; done: () => void; leave: () => void }): ReactNode {
  const [draft, setDraft] = useState({ name: member.name, email: member.email ?? "", role: member.role });
  const change = useMutation({ mutationFn: () => ask(`/members/${member.id}`, { method: "PATCH", body: draft }), onSuccess: done });
  return (
    <form
      className="fields card"
      aria-label={`Edit ${member.name}`}
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate();
      }}
    >
      <Fields {...draft} set={(field, value) => setDraft({ ...draft, [field]: value })} />
      <FormEnd act="Save" busy={change.isPending} error={change.error} leave={leave} />
    </form>
  );
}

function Once({ made, done }: { made: Invited; done: () => void }): ReactNode {
  const me = useMe();
  const link = linkOf(me.url, made.token);
  return (
    <section className="card once" aria-label="The link">
      <p>
        {made.you ? "Open this link in your other browser" : <>Hand this link to <strong>{made.name}</strong></>}: it lets one browser in, once, and is not shown again.
        {made.until !== null && ` Valid until ${minute(made.until)}.`}
      </p>
      <div className="row">
        <input readOnly className="mono" aria-label="Link" value={link} onFocus={(event) => event.target.select()} />
        <Copy text={link}>Copy link</Copy>
        <button type="button" className="button small" onClick={done}>
          Done
        </button>
      </div>
    </section>
  );
}
