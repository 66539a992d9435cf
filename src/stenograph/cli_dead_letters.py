"""The command line's `dead-letters`: what was acknowledged and could not be stored.

Standard output is for data; everything else goes to standard error.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from stenograph.cli_transfer import DEFAULT_URL, Force, Key, Url
from stenograph.errors import Invalid

if TYPE_CHECKING:
    from stenograph.transfer.connection import Connection
    from stenograph.transfer.dead_letters import Letter

dead_letters_app = typer.Typer(
    help="Records that were acknowledged and that the run store refused: they wait here.",
    no_args_is_help=True,
)

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Letters, by id.")]
State = Annotated[str, typer.Option(help="waiting, replayed or all.")]

_WELL = frozenset({"stored", "accepted", "superseded", "replayed"})
"""Outcomes after which nothing is left to do."""

_STATES = ("waiting", "replayed", "all")


@contextmanager
def _connection(url: str, key: str | None) -> Iterator[Connection]:
    from stenograph.transfer.connection import Connection
    from stenograph.transfer.output import stoppable

    with stoppable(), Connection(url, key) as connection:
        yield connection


def _known(state: str) -> str:
    if state not in _STATES:
        raise Invalid(f"{state!r} is no state; there are {', '.join(_STATES)}")
    return state


def _chosen(server: Connection, ids: Sequence[str] | None, state: str | None) -> list[UUID]:
    """The letters that were named, or all of a state."""
    from stenograph.transfer import dead_letters

    if ids and state is not None:
        raise Invalid("name letters or a state, not both")
    if ids:
        return dead_letters.ids_of(ids)
    return [] if state is None else [letter.id for letter in dead_letters.letters(server, _known(state))]


@dead_letters_app.command("list")
def list_letters(
    state: State = "waiting",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    url: Url = DEFAULT_URL,
    api_key: Key = None,
) -> None:
    """List letters, oldest first, with the reason for each."""
    from stenograph.transfer import dead_letters

    with _connection(url, api_key) as server:
        found = dead_letters.letters(server, _known(state))
    if as_json:
        print(json.dumps([_row(letter) for letter in found], indent=2))
    elif not found:
        print("There are no dead letters." if state == "all" else f"No dead letter is {state}.")
    else:
        _print_letters(found)


def _row(letter: Letter) -> dict[str, Any]:
    return {
        "id": str(letter.id),
        "workspace": str(letter.workspace_id),
        "kind": letter.kind,
        "of": None if letter.subject_id is None else str(letter.subject_id),
        "bytes": letter.size,
        "created": _time(letter.created_at),
        "replayed": None if letter.replayed_at is None else _time(letter.replayed_at),
        "reason": letter.reason,
    }


def _time(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _print_letters(found: Sequence[Letter]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    titles = ("id", "kind", "of", "bytes", "created", "replayed", "reason")
    table = Table(box=box.SIMPLE_HEAD)
    for title in titles:
        table.add_column(title, no_wrap=title == "id")
    for letter in found:
        row = _row(letter)
        row["reason"] = " ".join(letter.reason.split())[:200]
        table.add_row(*(Text("" if row[title] is None else str(row[title])) for title in titles))
    # Lines are wrapped for a terminal only: a file or a pipe wants a line a letter.
    Console(width=None if sys.stdout.isatty() else 600).print(table)


@dead_letters_app.command("export")
def export_letters(
    ids: Ids = None,
    state: Annotated[str | None, typer.Option(help="waiting, replayed or all. Default: waiting.")] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="The file; - is standard output.")] = "-",
    force: Force = False,
    url: Url = DEFAULT_URL,
    api_key: Key = None,
) -> None:
    """Export letters with what is in them: a line of JSON for each."""
    from stenograph.transfer import dead_letters
    from stenograph.transfer.output import check_target, standard_output, whole_file
    from stenograph.transfer.progress import shown

    target = None if output == "-" else Path(output)
    if target is not None:
        check_target(target, force=force)
    with _connection(url, api_key) as server:
        chosen = _chosen(server, ids, state if ids else state or "waiting")
        out = standard_output(binary=False) if target is None else whole_file(target, force=force)
        with out as file, shown("Exporting", len(chosen)) as advance:
            written = dead_letters.export(server, chosen, file, advance)
    left = len(chosen) - written
    _say(f"Exported {_letters(written)}" + (f"; {_letters(left)} not there." if left else "."))
    if ids and left:
        raise typer.Exit(1)


@dead_letters_app.command("replay")
def replay_letters(
    ids: Ids = None,
    everything: Annotated[bool, typer.Option("--all", help="All that wait.")] = False,
    url: Url = DEFAULT_URL,
    api_key: Key = None,
) -> None:
    """Send letters in again. Exits with 1 when one could not be stored.

    What is replayed is old: it fills in what nobody has stated since, and brings nothing back that was deleted.
    """
    from stenograph.transfer import dead_letters
    from stenograph.transfer.progress import shown

    if not ids and not everything:
        raise Invalid("say which letters, by id, or --all")
    outcomes: Counter[str] = Counter()
    with _connection(url, api_key) as server:
        chosen = _chosen(server, ids, "waiting" if everything else None)
        with shown("Replaying", len(chosen)) as advance:
            for one in dead_letters.replay(server, chosen, advance):
                outcomes[one.outcome] += 1
                if one.outcome != "stored":
                    _say(f"{one.id} {one.outcome}: {' '.join((one.reason or '').split())[:300]}")
    _say(f"Replayed {_letters(len(chosen))}: {dead_letters.summary(outcomes)}.")
    if outcomes.keys() - _WELL:
        raise typer.Exit(1)


@dead_letters_app.command("discard")
def discard_letters(
    ids: Ids = None,
    state: Annotated[str | None, typer.Option(help="All that are waiting, replayed, or all.")] = None,
    url: Url = DEFAULT_URL,
    api_key: Key = None,
) -> None:
    """Throw letters away for good, with the files that no run names."""
    from stenograph.transfer import dead_letters
    from stenograph.transfer.progress import shown

    if not ids and state is None:
        raise Invalid("say which letters, by id, or --state waiting, replayed or all")
    with _connection(url, api_key) as server:
        chosen = _chosen(server, ids, state)
        with shown("Discarding", len(chosen)) as advance:
            gone = dead_letters.discard(server, chosen, advance)
    left = len(chosen) - gone
    _say(f"Discarded {_letters(gone)}" + (f"; {_letters(left)} not there." if left else "."))
    if ids and left:
        raise typer.Exit(1)


def _letters(number: int) -> str:
    return f"{number:,} letter{'' if number == 1 else 's'}"


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
