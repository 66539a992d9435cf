"""The floor: the same rows into the same table through the engine alone, in a process that does nothing else.

`python -m bench.floor` is run by the benchmark; it prints one JSON object. What is counted as the floor is the
CPU of the engine's threads from the first insert until it has merged what it wants to merge. Making the rows is
not counted; turning them into blocks is Python's part of any insert and is counted apart.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from bench import data
from bench.bodies import stored_size
from bench.data import MadeRun, Span
from bench.server import disk_of, wait_until_quiet
from stenograph.domain.recording.derive import derive
from stenograph.domain.usage.pricing import Pricing
from stenograph.model.runs import Run, RunPatch, merge
from stenograph.settings import Settings
from stenograph.store.runs import rows
from stenograph.store.runs.chdb import Chdb
from stenograph.store.runs.store import Runs

ROWS: Final = 10_000
"""Rows of one insert."""

_WORKSPACE: Final = UUID(int=1)
_PROJECTS: Final = {name: UUID(int=number + 100) for number, name in enumerate(data.PROJECTS)}


@dataclass(frozen=True, slots=True)
class Floor:
    """Microseconds of CPU a run, of the engine and of the serialisation; the sizes of what was written, in bytes."""

    runs: int
    engine_us: float
    blocks_us: float
    derive_us: float
    seconds: float
    raw: int
    active: int
    allocated: int
    peak_memory: int
    quiet: bool


def measure(folder: Path, span: Span) -> Floor:
    """Run the floor in a fresh process."""
    command = [sys.executable, "-m", "bench.floor", str(folder), *map(str, (span.number, span.batches))]
    done = subprocess.run(
        [*command, repr(span.start), repr(span.end)], stdout=subprocess.PIPE, check=True, text=True
    )
    return Floor(**json.loads(done.stdout.splitlines()[-1]))


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the engine itself says of the table `runs`: rows, parts, bytes on disk in all and of what."""

    rows: int
    parts: int
    bytes: int
    payload: int
    indexes: int


def sizes(folder: Path) -> Sizes:
    """Ask in a fresh process: an engine never leaves the process that opened it."""
    command = [sys.executable, "-m", "bench.floor", str(folder), "--sizes"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return Sizes(**json.loads(done.stdout.splitlines()[-1]))


async def _sizes(folder: Path) -> Sizes:
    engine = Chdb(folder, readers=1, threads=1, memory=0)
    whole = await engine.query(
        "SELECT sum(rows) AS rows, count() AS parts, sum(bytes_on_disk) AS bytes,"
        " sum(secondary_indices_compressed_bytes) AS indexes FROM system.parts WHERE active AND table = 'runs'"
    )
    payload = await engine.query(
        "SELECT sum(column_bytes_on_disk) AS bytes FROM system.parts_columns"
        " WHERE active AND table = 'runs' AND column IN ('inputs', 'outputs')"
    )
    await engine.close()
    return Sizes(
        rows=whole["rows"][0],
        parts=whole["parts"][0],
        bytes=whole["bytes"][0],
        payload=payload["bytes"][0],
        indexes=whole["indexes"][0],
    )


def _patch(run: MadeRun) -> RunPatch:
    return RunPatch(
        workspace=_WORKSPACE,
        id=UUID(run.id),
        create=True,
        received_at=run.end,
        trace_id=UUID(run.trace_id),
        parent_run_id=UUID(run.parent_id) if run.parent_id else None,
        dotted_order=run.dotted_order,
        project_id=_PROJECTS[run.project],
        name=run.name,
        run_type=run.run_type,
        start_time=run.start,
        end_time=run.end,
        error=None if run.error is None else json.loads(run.error),
        inputs=run.inputs,
        outputs=run.outputs,
        events=run.events,
        extra=run.extra,
        serialized=run.serialized,
        tags=[tag.strip('"') for tag in run.tags.split(",")],
    )


def _rows(span: Span, pricing: Pricing) -> Iterator[tuple[list[Run], int, float]]:
    """Rows for one insert, their bytes of JSON, and the CPU seconds that deriving them took."""
    per_insert = ROWS // data.BATCH
    for first in range(0, span.batches, per_insert):
        last = min(first + per_insert, span.batches)
        made = [run for batch in range(first, last) for trace in data.traces(span, batch) for run in trace]
        patches = [_patch(run) for run in made]
        before = time.thread_time()
        found = [derive(merge(None, [patch]), first + 1, pricing.usage) for patch in patches]
        yield found, sum(map(stored_size, made)), time.thread_time() - before


async def _run(folder: Path, span: Span) -> Floor:
    limits = Settings(data_dir=folder)
    engine = Chdb(
        folder / "runs",
        readers=1,
        threads=limits.engine_threads,
        memory=limits.engine_max_memory_bytes,
    )
    await Runs.open(engine)
    pricing = Pricing()
    raw, blocks, derived = 0, 0.0, 0.0
    began, all_before, own_before = time.monotonic(), time.process_time(), time.thread_time()
    for found, size, spent in _rows(span, pricing):
        raw += size
        derived += spent
        before = time.thread_time()
        block = rows.runs_block(found)
        blocks += time.thread_time() - before
        del found
        await engine.insert("runs", block)
    seconds = time.monotonic() - began
    quiet = wait_until_quiet(os.getpid(), 90)
    # This thread only makes rows and waits; all else that the process spends is the engine's.
    spent = (time.process_time() - all_before) - (time.thread_time() - own_before)
    active = await engine.query(
        "SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND table = 'runs'"
    )
    floor = Floor(
        runs=span.runs,
        engine_us=spent / span.runs * 1e6,
        blocks_us=blocks / span.runs * 1e6,
        derive_us=derived / span.runs * 1e6,
        seconds=seconds,
        raw=raw,
        active=active["bytes"][0],
        allocated=disk_of(folder),
        peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        quiet=quiet,
    )
    await engine.close()
    return floor


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", action="store_true")
    for name, kind in (("number", int), ("batches", int), ("start", float), ("end", float)):
        parser.add_argument(name, type=kind, nargs="?")
    given = parser.parse_args()
    if given.sizes:
        print(json.dumps(asdict(asyncio.run(_sizes(given.folder)))))
        return
    span = Span(given.number, given.batches, given.start, given.end)
    print(json.dumps(asdict(asyncio.run(_run(given.folder, span)))))


if __name__ == "__main__":
    main()
