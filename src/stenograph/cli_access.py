"""What the command line's `keys` and `members` share: the metadata store, workspaces by name, tables."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from stenograph.domain.access import Access
    from stenograph.domain.members import Members
    from stenograph.model.access import Caller, Workspace
    from stenograph.settings import Settings

T = TypeVar("T")

DataDir = Annotated[str | None, typer.Option(help="The data folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
InWorkspace = Annotated[str, typer.Option(help="Name, handle or id of the workspace.")]
New = Annotated[bool, typer.Option("--new", help="Make the workspace when there is none.")]


class Refused(Exception):
    """The command cannot be carried out; the message is for the person who typed it."""


def operator() -> Caller:
    """Whoever has the command line and the data folder."""
    from stenograph.model.access import DEFAULT_WORKSPACE, Caller, Role

    return Caller(DEFAULT_WORKSPACE, Role.ADMIN)


def with_access(settings: Settings, work: Callable[[Access], Coroutine[Any, Any, T]]) -> T:
    """What `work` returns, done on the metadata store, which is made when there is none yet.

    It works beside a running server, which learns of a new or a revoked key within seconds.
    """
    return with_members(settings, lambda access, _: work(access))


def with_members(settings: Settings, work: Callable[[Access, Members], Coroutine[Any, Any, T]]) -> T:
    """The same with the people of workspaces."""
    from stenograph.domain.access import Access
    from stenograph.domain.members import Members
    from stenograph.store.meta.database import open_meta

    async def run() -> T:
        meta = await open_meta(settings.meta_location)
        try:
            access = Access(meta, is_open=False)
            return await work(access, Members(meta, access))
        finally:
            await meta.close()

    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"the data folder {settings.data_dir} cannot be made: {error.strerror}") from error
    return asyncio.run(run())


async def workspace_for(access: Access, wanted: str, new: bool) -> Workspace:
    """The workspace of that name; refused when there is none and none is to be made."""
    there_are = await access.list_workspaces(operator())
    found = named(there_are, wanted)
    if found is None and not new:
        known = ", ".join(one.handle for one in there_are)
        raise Refused(f"there is no workspace {wanted!r}; there are {known} (--new makes one)")
    return found or await access.create_workspace(operator(), wanted)


def named(workspaces: Iterable[Workspace], wanted: str) -> Workspace | None:
    """By id or handle, else by name; refused when several have the name."""
    there_are = list(workspaces)
    exact = [one for one in there_are if wanted in (str(one.id), one.handle)]
    found = exact or [one for one in there_are if one.name == wanted]
    if len(found) > 1:
        handles = ", ".join(one.handle for one in found)
        raise Refused(f"several workspaces are named {wanted!r}; say which by its handle: {handles}")
    return found[0] if found else None


def day(micros: int | None) -> str | None:
    if micros is None:
        return None
    return datetime.fromtimestamp(micros / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M")


def print_table(
    rows: Sequence[Mapping[str, str | None]], whole: Sequence[str], past: str | None = None
) -> None:
    """Columns named `whole` are not wrapped; a hint is an ending; rows that have something in `past` are dim."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for title in rows[0]:
        table.add_column(title, no_wrap=title in whole)
    for row in rows:
        cells = [f"…{value}" if title == "hint" else value or "" for title, value in row.items()]
        table.add_row(*(Text(cell) for cell in cells), style="dim" if past and row[past] else None)
    # Lines are wrapped for a terminal only: a file or a pipe wants a line a row.
    Console(width=None if sys.stdout.isatty() else 400).print(table)
