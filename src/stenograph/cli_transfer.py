"""The command line's `export` and `import`: reads arguments, calls `transfer`, prints what became of it.

Standard output is for data; everything else goes to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from stenograph.transfer.client import Server
    from stenograph.transfer.importing import Imported

export_app = typer.Typer(help="Datasets and experiments into files.", no_args_is_help=True)
import_app = typer.Typer(help="Files into datasets.", no_args_is_help=True)

DEFAULT_URL = "http://localhost:1984"
Url = Annotated[
    str, typer.Option(help="The running server.", envvar=["STENOGRAPH_URL", "LANGSMITH_ENDPOINT"])
]
Key = Annotated[
    str | None,
    typer.Option(
        help="The API key of the workspace.",
        envvar=["STENOGRAPH_API_KEY", "LANGSMITH_API_KEY"],
        show_envvar=True,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", help="The file; - is standard output. Default: NAME.FORMAT.", metavar="FILE"
    ),
]
FileFormat = Annotated[
    str | None,
    typer.Option("--format", help="csv, jsonl or parquet. Default: by the file's ending, else jsonl."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]


@contextmanager
def _server(url: str, key: str | None) -> Iterator[Server]:
    """A running server, for a command that cleans up after itself however it is ended."""
    from stenograph.transfer.client import Server
    from stenograph.transfer.connection import Connection
    from stenograph.transfer.output import stoppable

    with stoppable(), Connection(url, key) as connection:
        yield Server(connection)


@export_app.command("dataset")
def export_dataset(
    wanted: Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="The dataset.")],
    output: Output = None,
    format_: FileFormat = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="A version: a time, or a tag. Default: the newest.", metavar="TIME_OR_TAG"),
    ] = None,
    split: Annotated[list[str] | None, typer.Option(help="Only examples of this split. Repeatable.")] = None,
    attachments: Annotated[
        str | None, typer.Option(help="Export attachments too, into this folder.", metavar="DIR")
    ] = None,
    force: Force = False,
    url: Url = DEFAULT_URL,
    api_key: Key = None,
) -> None:
    """Export a dataset: a row for each example."""
    from pathlib import Path

    from stenograph.transfer import exporting

    target = exporting.target_for(output, format_, wanted, force=force)
    folder = None if attachments is None else Path(attachments)
    asked = exporting.DatasetExport(wanted, as_of, split or (), folder)
    with _server(url, api_key) as server:
        done = exporting.export_dataset(server, asked, target)
    note = f"Exported {_counted(done.rows, 'example')} of dataset {done.name!r} (as of {done.as_of})"
    print(f"{note} to {target.shown}.", file=sys.stderr)
    if done.files:
        print(f"Exported {_counted(done.files, 'attachment')} to {attachments}.", file=sys.stderr)
    if done.left_files:
        have = "has" if done.left_files == 1 else "have"
        note = (
            f"{_counted(done.left_files, 'example')} {have} attachments, which --attachments DIR exports too."
        )
        print(note, file=sys.stderr)


@export_app.command("experiment")
def export_experiment(
    wanted: Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="The experiment.")],
    output: Output = None,
    format_: FileFormat = None,
    force: Force = False,
    url: Url = DEFAULT_URL,
    api_key: Key = None,
) -> None:
    """Export an experiment: a row for each run, with the example that it answered, its scores and its cost."""
    from stenograph.transfer import exporting

    target = exporting.target_for(output, format_, wanted, force=force)
    with _server(url, api_key) as server:
        done = exporting.export_experiment(server, wanted, target)
    note = f"Exported {_counted(done.rows, 'run')} of experiment {done.name!r} to {target.shown}."
    print(note, file=sys.stderr)


@import_app.command("dataset")
def import_dataset(
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV, JSONL or Parquet; - is standard input.")],
    name: Annotated[str | None, typer.Option(help="The dataset. Default: the file's name.")] = None,
    format_: FileFormat = None,
    input_key: Annotated[list[str] | None, typer.Option(help="A column of the inputs. Repeatable.")] = None,
    output_key: Annotated[list[str] | None, typer.Option(help="A column of the outputs.")] = None,
    metadata_key: Annotated[list[str] | None, typer.Option(help="A column of the metadata.")] = None,
    split: Annotated[list[str] | None, typer.Option(help="Put all examples into this split.")] = None,
    json_cells: Annotated[
        bool | None,
        typer.Option("--json-cells/--text-cells", help="Read 42 and true in CSV as JSON, or as texts."),
    ] = None,
    attachments: Annotated[
        str | None, typer.Option(help="The folder that the attachments are in.", metavar="DIR")
    ] = None,
    append: Annotated[bool, typer.Option("--append", help="Add to a dataset that is there.")] = False,
    new_ids: Annotated[bool, typer.Option("--new-ids", help="Leave the file's ids out.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look for what is wrong.")] = False,
    url: Url = DEFAULT_URL,
    api_key: Key = None,
) -> None:
    """Import a file as a new dataset: an example for each row."""
    from pathlib import Path

    from stenograph.transfer import importing
    from stenograph.transfer.cells import Cells
    from stenograph.transfer.examples import Keys

    asked = importing.DatasetImport(
        file=file,
        name=name,
        format=format_,
        keys=Keys(input_key or (), output_key or (), metadata_key or ()),
        splits=split or (),
        cells=None if json_cells is None else Cells.JSON if json_cells else Cells.TEXT,
        attachments=None if attachments is None else Path(attachments),
        append=append,
        new_ids=new_ids,
        dry_run=dry_run,
    )
    with _server(url, api_key) as server:
        done = importing.import_dataset(server, asked)
    if done.left_columns:
        print(
            f"Left out, since they are nothing of an example's: {', '.join(done.left_columns)}",
            file=sys.stderr,
        )
    print(_import_note(done, dry_run), file=sys.stderr)


def _import_note(done: Imported, dry_run: bool) -> str:
    files = f" with {_counted(done.files, 'attachment')}" if done.files else ""
    into = f"{'new ' if done.created else ''}dataset {done.name!r}"
    what = f"{_counted(done.examples, 'example')}{files} from {done.file} into {into}"
    if dry_run:
        return f"Nothing is wrong: this would import {what}."
    versions = f", as {_counted(len(done.versions), 'version')}" if len(done.versions) > 1 else ""
    return f"Imported {what}{versions}."


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
