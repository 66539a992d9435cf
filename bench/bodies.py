"""Request bodies as LangSmith's Python client 0.15 sends them: multipart parts in one zstd frame, level 1.

Which parts, in which order, with which headers, was taken from that client writing to a logging server:
a create is `post.<id>` with inputs, empty outputs and events, extra; its update repeats name, times and extra.

    together   create and update of each run in one body, as the client does for traces that end quickly
    apart      bodies of creates, and of updates, sent a while later
    whole      one `post` a run that has everything: clients that merge the two before they send
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Literal

from bench import data
from bench.data import MadeRun, Span, iso

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Mode = Literal["together", "apart", "whole"]
MODES: Final[tuple[Mode, ...]] = ("together", "apart", "whole")

BOUNDARY: Final = "d6cbc864f1094d48ba44d59f10ce5118"
LAG: Final = 20
"""Bodies between a body of creates and that of their updates, in mode `apart`, on each sender."""

_HEAD: Final = struct.Struct("<III")
_LINE: Final = f"--{BOUNDARY}\r\n".encode()
_END: Final = f"--{BOUNDARY}--\r\n".encode()


@dataclass(frozen=True, slots=True)
class Body:
    """A request body: compressed bytes, their size inflated, how many runs are finished once it is in."""

    data: bytes
    inflated: int
    runs: int


def part(name: str, document: bytes) -> bytes:
    """One part of a multipart body."""
    head = (
        f'Content-Disposition: form-data; name="{name}"\r\n'
        f"Content-Type: application/json\r\nContent-Length: {len(document)}\r\n\r\n"
    )
    return _LINE + head.encode() + document + b"\r\n"


def _create(run: MadeRun) -> list[bytes]:
    above = f'"parent_run_id":"{run.parent_id}",' if run.parent_id else ""
    main = (
        f'{{"id":"{run.id}","start_time":"{iso(run.start)}",{above}"tags":[{run.tags}],'
        f'"dotted_order":"{run.dotted_order}","trace_id":"{run.trace_id}","session_name":"{run.project}",'
        f'"name":"{run.name}","run_type":"{run.run_type}"}}'
    )
    name = f"post.{run.id}"
    found = [part(name, main.encode()), part(f"{name}.inputs", run.inputs)]
    found += [part(f"{name}.outputs", b"{}"), part(f"{name}.events", b"[]")]
    found.append(part(f"{name}.extra", run.extra_open))
    if run.serialized is not None:
        found.append(part(f"{name}.serialized", run.serialized))
    return found


def _final(run: MadeRun) -> bytes:
    above = f'"{run.parent_id}"' if run.parent_id else "null"
    return (
        f'{{"id":"{run.id}","name":"{run.name}","run_type":"{run.run_type}","trace_id":"{run.trace_id}",'
        f'"parent_run_id":{above},"dotted_order":"{run.dotted_order}","tags":[{run.tags}],"session_id":null,'
        f'"session_name":"{run.project}","start_time":"{iso(run.start)}","end_time":"{iso(run.end)}"}}'
    ).encode()


def _update(run: MadeRun) -> list[bytes]:
    name = f"patch.{run.id}"
    found = [part(name, _final(run)), part(f"{name}.outputs", run.outputs)]
    found += [part(f"{name}.events", run.events), part(f"{name}.extra", run.extra)]
    if run.error is not None:
        found.append(part(f"{name}.error", run.error))
    return found


def _whole(run: MadeRun) -> list[bytes]:
    name = f"post.{run.id}"
    found = [part(name, _final(run)), part(f"{name}.inputs", run.inputs)]
    found += [part(f"{name}.outputs", run.outputs), part(f"{name}.events", run.events)]
    found.append(part(f"{name}.extra", run.extra))
    if run.error is not None:
        found.append(part(f"{name}.error", run.error))
    if run.serialized is not None:
        found.append(part(f"{name}.serialized", run.serialized))
    return found


def _as_it_happened(trace: list[MadeRun]) -> Iterator[bytes]:
    """Creates and updates of a trace in the order in which a program makes them."""
    running: list[MadeRun] = []
    for run in trace:
        while len(running) > run.ancestors:
            yield from _update(running.pop())
        yield from _create(run)
        running.append(run)
    while running:
        yield from _update(running.pop())


def stored_size(run: MadeRun) -> int:
    """Bytes of JSON of the finished run: what "a 2.8 KB run" means."""
    extra = (run.inputs, run.outputs, run.events, run.extra, run.error or b"", run.serialized or b"")
    return len(_final(run)) + sum(map(len, extra))


def body(parts: Iterable[bytes], runs: int) -> Body:
    """One frame of these parts."""
    squeeze = zstd.ZstdCompressor(level=1)
    whole = b"".join(parts) + _END
    return Body(squeeze.compress(whole) + squeeze.flush(), len(whole), runs)


def single(run: MadeRun) -> Body:
    """A body with one finished run."""
    return body(_whole(run), 1)


def _bodies(span: Span, mode: Mode, batches: range) -> Iterator[Body]:
    waiting: list[Body] = []
    for batch in batches:
        made = data.traces(span, batch)
        if mode == "together":
            yield body((part for trace in made for part in _as_it_happened(trace)), data.BATCH)
        elif mode == "whole":
            yield body((part for trace in made for run in trace for part in _whole(run)), data.BATCH)
        else:
            yield body((part for trace in made for run in trace for part in _create(run)), 0)
            updates = body((part for trace in made for run in trace for part in _update(run)), data.BATCH)
            waiting.append(updates)
            if len(waiting) > LAG:
                yield waiting.pop(0)
    yield from waiting


def write(folder: Path, span: Span, mode: Mode, senders: int) -> list[Path]:
    """Serialise a series for so many senders, each sender's bodies in a file of its own. Uses as many processes."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{span.number}-{mode}-{sender}.bodies" for sender in range(senders)]
    with ProcessPoolExecutor(senders, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(_write_one, path, span, mode, range(sender, span.batches, senders))
            for sender, path in enumerate(paths)
        ]
        for job in jobs:
            job.result()
    return paths


def _write_one(path: Path, span: Span, mode: Mode, batches: range) -> None:
    save(path, _bodies(span, mode, batches))


def save(path: Path, sent: Iterable[Body]) -> None:
    """Keep bodies for `read`."""
    with path.open("wb") as file:
        for made in sent:
            file.write(_HEAD.pack(len(made.data), made.inflated, made.runs))
            file.write(made.data)


def read(path: Path) -> list[Body]:
    """A sender's bodies, in the order of sending."""
    found = []
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            size, inflated, runs = _HEAD.unpack(head)
            found.append(Body(file.read(size), inflated, runs))
    return found
