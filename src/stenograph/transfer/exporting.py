"""Exports: a dataset's examples, or an experiment's results, from a server into a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from stenograph.model.examples import splits_of
from stenograph.transfer import attachments, formats, rows
from stenograph.transfer.client import PAGE, Dataset, Server, StoredExample
from stenograph.transfer.formats import Format
from stenograph.transfer.output import check_folder, check_target, standard_output, whole_file, whole_folder
from stenograph.transfer.progress import shown


@dataclass(frozen=True, slots=True)
class Target:
    """Where to, and how. No path is standard output."""

    path: Path | None
    format: Format
    force: bool = False

    def check(self) -> None:
        if self.path is not None:
            check_target(self.path, force=self.force)

    @property
    def shown(self) -> str:
        return "standard output" if self.path is None else str(self.path)

    @property
    def folder(self) -> Path | None:
        return None if self.path is None else self.path.resolve().parent

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        if self.path is not None:
            with whole_file(self.path, force=self.force) as out:
                yield out
        else:
            with standard_output(binary=self.format is Format.PARQUET) as out:
                yield out


@dataclass(slots=True)
class Exported:
    """What became of an export. `left_files` are examples whose attachments were not asked for."""

    name: str
    rows: int = 0
    as_of: str = ""
    files: int = 0
    left_files: int = 0


@dataclass(frozen=True, slots=True)
class DatasetExport:
    """Which dataset (id or name), as of which version (time or tag), which splits, its files into which folder."""

    wanted: str
    as_of: str | None = None
    splits: Sequence[str] = ()
    attachments: Path | None = None


def target_for(output: str | None, stated: str | None, name: str, *, force: bool) -> Target:
    """`-` is standard output. Without an output it is a file in this folder that is called like what it holds."""
    if output == "-":
        return Target(None, formats.format_of(None, stated), force)
    if output is not None:
        path = Path(output)
        return Target(path, formats.format_of(path, stated), force)
    kind = formats.format_of(None, stated)
    return Target(Path(f"{attachments.disk_name(name)}.{kind}"), kind, force)


def export_dataset(server: Server, asked: DatasetExport, target: Target) -> Exported:
    """Every example of one version, the oldest first. NotFound for an unknown dataset, version or split."""
    target.check()
    if asked.attachments is not None:
        check_folder(asked.attachments, force=target.force)
    dataset = server.dataset(asked.wanted)
    as_of = server.version(dataset, asked.as_of)
    server.check_splits(dataset, as_of, asked.splits)
    total = server.count(dataset, as_of, asked.splits)
    done = Exported(dataset.name, as_of=as_of)
    with ExitStack() as stack:
        advance = stack.enter_context(shown(f"Exporting {dataset.name}", total))
        out = stack.enter_context(target.opened())
        folder = None if asked.attachments is None else stack.enter_context(whole_folder(asked.attachments))
        reading = _Reading(server, dataset, as_of, asked.splits, folder, done)

        def lines() -> Iterator[bytes]:
            for line in reading.lines():
                yield line
                done.rows += 1
                advance(1)

        formats.write(target.format, out, lines(), rows.EXAMPLE, target.folder)
    return done


@dataclass(frozen=True, slots=True)
class _Reading:
    """The examples of an export on their way."""

    server: Server
    dataset: Dataset
    as_of: str
    splits: Sequence[str]
    folder: Path | None
    done: Exported = field(repr=False)

    def lines(self) -> Iterator[bytes]:
        examples = self.server.examples(self.dataset, self.as_of)
        if self.splits:
            examples = (example for example in examples if self._wanted(example))
        # Which of them have files is asked for a page at a time: the stream of examples does not say.
        while page := list(islice(examples, PAGE)):
            links = self.server.files(self.dataset, self.as_of, [example.id for example in page])
            for example in page:
                files = links.get(example.id)
                saved = None
                if files and self.folder is not None:
                    saved = attachments.save(self.server, self.folder, example.id, files)
                    self.done.files += len(saved)
                elif files:
                    self.done.left_files += 1
                yield rows.example_line(example, saved)

    def _wanted(self, example: StoredExample) -> bool:
        return not set(splits_of(bytes(example.metadata))).isdisjoint(self.splits)


def export_experiment(server: Server, wanted: str, target: Target) -> Exported:
    """A row for each run beside the example that it answered. NotFound for an unknown experiment."""
    target.check()
    experiment = server.experiment(wanted)
    done = Exported(experiment.name)
    with shown(f"Exporting {experiment.name}", experiment.run_count) as advance, target.opened() as out:

        def lines() -> Iterator[bytes]:
            for example in server.results(experiment):
                for run in example.runs:
                    yield rows.result_line(example, run)
                done.rows += len(example.runs)
                advance(len(example.runs))

        formats.write(target.format, out, lines(), rows.RESULT, target.folder)
    return done
