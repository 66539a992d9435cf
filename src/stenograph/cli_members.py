"""The command line's `members`: the people of every workspace, and the links by which they come in.

Standard output is for data; everything else goes to standard error.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from stenograph.cli_access import (
    AsJson,
    DataDir,
    InWorkspace,
    New,
    Refused,
    day,
    operator,
    print_table,
    with_members,
    workspace_for,
)

if TYPE_CHECKING:
    from stenograph.domain.access import Access
    from stenograph.domain.members import Members
    from stenograph.model.access import Workspace
    from stenograph.model.members import Invited, Member
    from stenograph.settings import Settings

members_app = typer.Typer(
    help="People: invited by a link, listed, removed.",
    no_args_is_help=True,
)

Who = Annotated[str, typer.Argument(metavar="MEMBER", help="The member's id, e-mail address or name.")]


@members_app.command("invite")
def invite(
    name: Annotated[str, typer.Argument(help="What the person is called.")],
    email: Annotated[str | None, typer.Option(help="Their e-mail address. Nothing is mailed.")] = None,
    role: Annotated[str, typer.Option(help="read, write or admin.")] = "write",
    workspace: InWorkspace = "default",
    new: New = False,
    data_dir: DataDir = None,
) -> None:
    """Invite a person and print the link, this once: it lets one browser in, within seven days."""
    from stenograph.domain.members import Draft
    from stenograph.model.access import Role
    from stenograph.model.members import ROLES
    from stenograph.settings import read_settings

    if role not in list(ROLES):
        raise Refused(f"{role!r} is no role of people; there are {', '.join(ROLES)}")
    settings = read_settings({"data_dir": data_dir})

    async def make(access: Access, members: Members) -> tuple[Workspace, Invited]:
        owner = await workspace_for(access, workspace, new)
        return owner, await members.invite(operator(), Draft(Role(role), name, email), owner.id)

    owner, invited = with_members(settings, make)
    print(f"{name} may join workspace {owner.handle}, role {role}.", file=sys.stderr)
    _print_link(settings, invited)


@members_app.command("link")
def link(who: Who, data_dir: DataDir = None) -> None:
    """Make a new link for somebody, which ends the former one: for who has lost theirs, or the sign-in."""
    from stenograph.settings import read_settings

    settings = read_settings({"data_dir": data_dir})

    async def make(access: Access, members: Members) -> Invited:
        workspace, member = await _one(access, members, who)
        return await members.link(operator(), member.id, workspace.id)

    _print_link(settings, with_members(settings, make))


def _print_link(settings: Settings, invited: Invited) -> None:
    until = day(invited.member.link_until)
    if not settings.public_url:
        print(
            "STENOGRAPH_PUBLIC_URL is not set: on another machine the link begins with this server's address.",
            file=sys.stderr,
        )
    print(f"The link is shown this once, and is good for one browser until {until} UTC:", file=sys.stderr)
    print(f"{settings.public_url or settings.local_url}/ui/join#{invited.token}")


@members_app.command("list")
def list_members(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the members of every workspace, invited ones too."""
    from stenograph.settings import read_settings

    found = with_members(read_settings({"data_dir": data_dir}), _all)
    rows = [_row(workspace, member) for workspace, member in found]
    if as_json:
        print(json.dumps(rows, indent=2))
    elif not rows:
        print("There are no members. `stenograph members invite NAME` invites one.")
    else:
        print_table(rows, whole=("id",))


async def _all(access: Access, members: Members) -> list[tuple[Workspace, Member]]:
    return [
        (workspace, member)
        for workspace in await access.list_workspaces(operator())
        for member in await members.all(operator(), workspace.id)
    ]


def _row(workspace: Workspace, member: Member) -> dict[str, str | None]:
    return {
        "id": str(member.id),
        "name": member.name,
        "email": member.email,
        "workspace": workspace.handle,
        "role": member.role.value,
        "invited": day(member.created_at),
        "joined": day(member.joined_at),
        "seen": day(member.seen_at),
    }


@members_app.command("remove")
def remove(who: Who, data_dir: DataDir = None) -> None:
    """Remove a member: their keys are revoked and their sign-ins end, within seconds on a running server."""
    from stenograph.settings import read_settings

    async def go(access: Access, members: Members) -> Member:
        workspace, member = await _one(access, members, who)
        return await members.remove(operator(), member.id, workspace.id)

    removed = with_members(read_settings({"data_dir": data_dir}), go)
    print(f"Removed {removed.id} ({removed.name}).")


async def _one(access: Access, members: Members, wanted: str) -> tuple[Workspace, Member]:
    """By id, else by address, else by name; refused when there is none or are several."""
    there_are, folded = await _all(access, members), wanted.casefold()
    found = [one for one in there_are if str(one[1].id) == wanted]
    found = found or [one for one in there_are if (one[1].email or "").casefold() == folded]
    found = found or [one for one in there_are if one[1].name.casefold() == folded]
    if not found:
        raise Refused(f"there is no member {wanted!r}; see: stenograph members list")
    if len(found) > 1:
        ids = ", ".join(str(member.id) for _, member in found)
        raise Refused(f"several members are {wanted!r}; say which by its id: {ids}")
    return found[0]
