"""The process that makes a report out of traces: so that the server goes on recording meanwhile, on its own core and
with its own lock, and so that a job that is cancelled ends at once and takes its memory along.

Started by working.py with a folder. It reads frames (four bytes of length, then MessagePack) from its input, says how
far it is on its output, a line of JSON each, and leaves what it found in the folder:

    traces    the texts and figures of all traces, once all have come
    read      the same with what a model has read in them, where one reads each
    vectors   what came of embedding them
    analysis  the result

Each is written under another name first, so that what is there is whole. A process that finds them goes on from there.
A model is asked by the server: questions go out in a line, and the answers come in a frame. It ends with its input,
which is how it learns that the server has gone.
"""

from __future__ import annotations

import contextlib
import os
import queue
import struct
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import UUID

import msgspec

from stenograph.domain.insights.describing.questions import Answer, Answered, Question, Wording, decoded

TRACES: Final = "traces"
READ: Final = "read"
VECTORS: Final = "vectors"
ANALYSIS: Final = "analysis"

NICENESS: Final = 10
"""Recording comes first."""

TOKENS: Final = 128
"""Word pieces of a text that the model reads here: subjects are told early."""

_LENGTH: Final = struct.Struct(">I")
_SAID_EVERY: Final = 32


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """A trace of a thread, whose text is read."""

    inputs: bytes | None = None
    outputs: bytes | None = None
    error: str | None = None


class RawTrace(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A trace as the run store has it: seconds, dollars, payloads as JSON. With `turns` it is a thread, see
    threads.py, and has no payloads of its own."""

    run_id: UUID
    project_id: UUID
    start_time: int
    name: str = ""
    inputs: bytes | None = None
    outputs: bytes | None = None
    error: str | None = None
    failed: bool = False
    latency: float | None = None
    first_token: float | None = None
    tokens: int | None = None
    cost: float | None = None
    feedback: dict[str, float] = {}
    attributes: dict[str, Any] = {}
    turns: list[Turn] = []


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to make: the first frame. `needs` are attributes that have to be true of a trace. With `wording` a model is
    asked."""

    job_id: UUID
    seed: int = 0
    hierarchy: tuple[int, ...] | None = None
    partitions: dict[str, str] | None = None
    summary_prompt: str | None = None
    needs: tuple[str, ...] = ()
    threads: int = 1
    wording: Wording | None = None


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """Traces, of the window or before it; the last frame says so."""

    traces: list[RawTrace] = []
    before: bool = False
    last: bool = False


class Said(msgspec.Struct, frozen=True):
    """A line of the process. What it asks has to be answered, within that share of the budget."""

    stage: str
    done: int = 0
    of: int = 0
    questions: tuple[Question, ...] = ()
    share: float = 1.0


def framed(value: msgspec.Struct) -> bytes:
    body = msgspec.msgpack.encode(value)
    return _LENGTH.pack(len(body)) + body


def whole(folder: Path, name: str) -> bool:
    """Whether that step is done."""
    return (folder / name).exists()


def main() -> None:
    folder = Path(sys.argv[1])
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICENESS)
    source = sys.stdin.buffer
    order = msgspec.msgpack.decode(_frame(source), type=Order)
    if not whole(folder, TRACES):
        _collect(folder, order, source)
    answered: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(source.fileno(), answered), daemon=True).start()
    if not whole(folder, ANALYSIS):
        _analyse(folder, order, _Asking(answered))
    _say("done", 1, 1)


def _frame(source: BinaryIO) -> bytes:
    """The next one. Its input ending in between is the server's end."""
    head = source.read(_LENGTH.size)
    body = source.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
    if not body:
        sys.exit(3)
    return body


def _listen(source: int, answered: queue.SimpleQueue[bytes]) -> None:
    """Pass answers on, and end with the input. Past the buffer, which is empty by now: nothing more comes before it is
    asked for, and the end of the process would wait for the buffer's lock."""

    def exactly(size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = os.read(source, min(size - len(parts), 1 << 20))
            if not part:
                os._exit(3)
            parts += part
        return bytes(parts)

    while True:
        answered.put(exactly(_LENGTH.unpack(exactly(_LENGTH.size))[0]))


class _Asking:
    """Asks the server to ask, and waits."""

    def __init__(self, answered: queue.SimpleQueue[bytes]) -> None:
        self._answered = answered

    def __call__(self, stage: str, questions: Sequence[Question], share: float) -> list[Answer | None]:
        if not questions:
            return []
        _write(Said(stage, 0, len(questions), tuple(questions), share))
        found = msgspec.msgpack.decode(self._answered.get(), type=Answered).answers
        return [None if content is None else decoded(content) for content in found]


def _say(stage: str, done: int, of: int) -> None:
    _write(Said(stage, done, of))


def _write(said: Said) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.buffer.flush()


def _collect(folder: Path, order: Order, source: BinaryIO) -> None:
    """Texts take a hundredth of the payloads they are in: only they are kept."""
    from stenograph.domain.insights.analysis import TraceRow

    encoder, decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Frame)
    rows: list[TraceRow] = []
    before: list[str] = []
    while True:
        frame = decoder.decode(_frame(source))
        for trace in frame.traces:
            if frame.before:
                before.append(text_of(trace, order.summary_prompt).whole)
            elif _may_stay(trace, order):
                rows.append(_row(trace, order.summary_prompt))
        if frame.last:
            break
    rows.sort(key=lambda row: row.run_id.bytes)
    _keep(folder, TRACES, encoder.encode((rows, before)))


def _may_stay(trace: RawTrace, order: Order) -> bool:
    """What is not known of a trace yet, a model may find."""
    unknown = order.wording is not None
    return all(trace.attributes.get(name, unknown) is True for name in order.needs)


def text_of(trace: RawTrace, template: str | None) -> Any:
    """What a trace is about (a TraceText). `template` says where to look."""
    from stenograph.domain.insights import texts

    if trace.turns:
        turns = [(turn.inputs, turn.outputs, turn.error) for turn in trace.turns]
        return texts.of_thread(turns) if not template else texts.of_thread_template(template, turns)
    if template:
        return texts.of_template(template, trace.inputs, trace.outputs, trace.error)
    return texts.of_trace(trace.inputs, trace.outputs, trace.error)


def _row(trace: RawTrace, template: str | None) -> Any:
    from stenograph.domain.insights.analysis import TraceRow

    text = text_of(trace, template)
    return TraceRow(
        run_id=trace.run_id,
        project_id=trace.project_id,
        start_time=trace.start_time,
        text=text.whole,
        topic=text.topic,
        error=(trace.error or "").strip().split("\n", 1)[0][:300],
        failed=trace.failed,
        latency=trace.latency,
        first_token=trace.first_token,
        tokens=trace.tokens,
        cost=trace.cost,
        feedback=trace.feedback,
        attributes=trace.attributes,
    )


def _read(folder: Path, order: Order, ask: _Asking) -> tuple[list[Any], list[str]]:
    """The traces; by a model, where attributes are to be found in them or all are to be summed up."""
    from stenograph.domain.insights.analysis import TraceRow

    is_read = whole(folder, READ)
    content = (folder / (READ if is_read else TRACES)).read_bytes()
    rows, before = msgspec.msgpack.decode(content, type=tuple[list[TraceRow], list[str]])
    wording = order.wording
    if is_read:
        return rows, before
    if wording is None or not (wording.attributes or wording.reads_all):
        return [row for row in rows if all(row.attributes.get(name) is True for name in order.needs)], before
    from stenograph.domain.insights.describing.reading import read_all

    rows = read_all(rows, wording, ask, order.needs)
    if wording.reads_all:
        before = []  # texts of the window before are not summed up, and would be of no cluster
    _keep(folder, READ, msgspec.msgpack.encode((rows, before)))
    return rows, before


def _analyse(folder: Path, order: Order, ask: _Asking) -> None:
    import numpy as np

    from stenograph.domain.insights import analysis
    from stenograph.domain.insights.vectors import Embedded
    from stenograph.llm.embedding import LocalEmbedder

    rows, before = _read(folder, order, ask)
    if not rows:
        _keep(folder, ANALYSIS, msgspec.msgpack.encode(analysis.EMPTY_ANALYSIS))
        return
    report = _Sparing()
    embed = LocalEmbedder(tokens=TOKENS, threads=order.threads).embed_now
    distinct = analysis.Distinct(rows, before)
    path = folder / VECTORS
    if path.exists():
        with np.load(path) as kept:
            agreement = float(kept["agreement"])
            agreed = None if np.isnan(agreement) else agreement
            vectors = Embedded(kept["clustered"], kept["model"], agreed, kept["sample"])
    else:
        vectors = analysis.embed_all(distinct, embed, order.seed, report)
        with _written(folder, VECTORS) as file:
            agreement = np.nan if vectors.agreement is None else vectors.agreement
            np.savez(
                file,
                clustered=vectors.clustered,
                model=vectors.model,
                agreement=agreement,
                sample=vectors.sample,
            )
    plan = analysis.Plan(
        job_id=order.job_id,
        seed=order.seed,
        hierarchy=order.hierarchy,
        partitions=order.partitions,
    )
    words = None
    if order.wording is not None:
        from stenograph.domain.insights.describing.contrast import Contrast
        from stenograph.domain.insights.describing.overview import overview

        words = Contrast(rows, order.wording, ask)
    found = analysis.analyse(rows, plan, distinct, vectors, embed, report, words)
    if order.wording is not None:
        found = overview(found, rows, order.wording, ask)
    _keep(folder, ANALYSIS, msgspec.msgpack.encode(found))


class _Sparing:
    """Says how far it is, but not at each of many steps."""

    def __init__(self) -> None:
        self._said: tuple[str, int] = ("", 0)

    def __call__(self, stage: str, done: int, of: int) -> None:
        last, at = self._said
        if stage != last or done - at >= _SAID_EVERY or done == of:
            self._said = (stage, done)
            _say(stage, done, of)


def _keep(folder: Path, name: str, content: bytes) -> None:
    with _written(folder, name) as file:
        file.write(content)


@contextlib.contextmanager
def _written(folder: Path, name: str) -> Iterator[BinaryIO]:
    """A file that is there whole, or not at all."""
    making = folder / f"{name}.{os.getpid()}.new"
    with making.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    making.rename(folder / name)


if __name__ == "__main__":
    main()
