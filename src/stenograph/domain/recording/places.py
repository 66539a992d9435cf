"""Where runs stand in their trace when it came span by span: worked out when they are read.

A span's chain of parents may not have been known when it was recorded; its dotted order then has segments whose
time is all noughts (UNKNOWN). With the rest of the trace in the store the chain can be followed to the end. A parent
that never came is left out: its children stand under the root, so that no run is lost from the tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, TypeAlias
from uuid import UUID, uuid5

import msgspec

from stenograph.domain.recording.derive import stamp
from stenograph.domain.recording.roots import SPAN_ID, TRACE_ID
from stenograph.model.runs import Run
from stenograph.model.uuids import from_bytes

UNKNOWN: Final = "00000000T000000000000Z"
"""Stands before the id of a run of which nothing is known yet: its start cannot be told."""

COLUMNS: Final = frozenset({"parent_run_id", "dotted_order", "metadata"})
"""What `Family` reads of each run of a trace."""

_MAX_DEPTH: Final = 1000

MAX_SEGMENTS: Final = 100
"""Segments of one dotted order before it begins anew: a chain of 100,000 runs would fill the memory."""

_NAMED: Final = UUID("5b0f5a5e-6a1c-5d7e-9a52-3f0f2f0c7b11")
"""The namespace of the ids of HoneyHive's sessions and events whose own id is no uuid."""

Known: TypeAlias = "tuple[UUID, str]"
"""The trace and the dotted order of a run."""


def named(text: str) -> UUID:
    """The id of a HoneyHive session or event: the uuid that its client gave it, or one that follows from the text."""
    try:
        return UUID(text)
    except ValueError:
        return uuid5(_NAMED, text)


def above(trace: UUID, parent: UUID, known: Known | None) -> str:
    """The dotted order of a run's parent: as it is `known`, else as much as can be said of it."""
    if known is not None and known[0] == trace and known[1].count(".") < MAX_SEGMENTS:
        return known[1]
    root = f"{UNKNOWN}{trace}"
    return root if parent == trace else f"{root}.{UNKNOWN}{parent}"


def run_of(trace_id: bytes, span_id: bytes) -> UUID:
    """The id of a span's run: the span's id, then eight bytes that follow from its trace.

    LangSmith's exporter makes a span's id of the first eight bytes of its run's: so a span that begins like its
    trace's id is the root, whose run has the trace's id.
    """
    if span_id == trace_id[:8]:
        return from_bytes(trace_id)
    return beside(trace_id, span_id)


def beside(trace_id: bytes, span_id: bytes) -> UUID:
    """The same for a span that is not the root, whatever its id."""
    return from_bytes(span_id + _mark(trace_id))


@lru_cache(10_000)
def _mark(trace_id: bytes) -> bytes:
    """What the ids of a trace's runs have in common."""
    return blake2b(trace_id, digest_size=8).digest()


def also_named(run: Run) -> UUID | None:
    """The id by which children that came as spans name this run, where it has another one: a root, or a run whose
    client gave it an id. Needs the run's metadata."""
    try:
        trace_id, span_id = (bytes.fromhex(run.metadata.get(key, "")) for key in (TRACE_ID, SPAN_ID))
    except ValueError:
        return None
    if len(trace_id) != 16 or len(span_id) != 8:
        return None
    named = run_of(trace_id, span_id)
    return named if named != run.id else None


def is_known(dotted_order: str | None) -> bool:
    """Whether a dotted order says all that there is to say."""
    return not (dotted_order or "").startswith(UNKNOWN)


class Family:
    """The runs of one or more traces, each with COLUMNS."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs = {run.id: run for run in runs}
        self._also = {other: run.id for run in self._runs.values() if (other := also_named(run)) is not None}
        self._orders: dict[UUID, str] = {}

    def parent(self, run: Run) -> UUID | None:
        """The run's parent, or the trace's root where the parent is not there."""
        known = self._above(run)
        return run.parent_run_id if known is None else known.id

    def _above(self, run: Run) -> Run | None:
        parent = run.parent_run_id
        if parent is None:
            return None
        found = self._runs.get(parent)
        if found is None:
            other = self._also.get(parent)
            found = self._runs.get(other) if other is not None else None
        if found is None or found.id == run.id:
            found = self._runs.get(run.trace_id)
        return found if found is None or found.id != run.id else None

    def order(self, run: Run) -> str:
        """The dotted order, as far as the trace is there."""
        chain: list[Run] = []
        passed: set[UUID] = set()
        here: Run | None = run
        above: str | None = None
        while here is not None and here.id not in passed and len(chain) < _MAX_DEPTH:
            above = self._orders.get(here.id)
            if above is None and is_known(here.dotted_order):
                above = here.dotted_order
            if above is not None:
                break
            chain.append(here)
            passed.add(here.id)
            here = self._above(here)
        for one in reversed(chain):
            own = stamp(one.start_time) + str(one.id)
            if above is not None:
                above = f"{above}.{own}"
            elif one.parent_run_id is None:
                above = own
            else:
                above = one.dotted_order or own
            self._orders[one.id] = above
        return above or run.dotted_order or ""

    def orders(self) -> dict[UUID, str]:
        """The dotted orders of those runs of which the store does not have the whole."""
        return {run.id: self.order(run) for run in self._runs.values() if not is_known(run.dotted_order)}

    def parents(self) -> dict[bytes, bytes | None]:
        """Of each run its parent, by their bytes."""
        above = ((run.id.bytes, self.parent(run)) for run in self._runs.values())
        return {run: None if parent is None else parent.bytes for run, parent in above}

    def placed(self, run: Run) -> Run:
        """The run in its place."""
        if is_known(run.dotted_order):
            return run
        whole = self._runs.get(run.id, run)
        return msgspec.structs.replace(run, parent_run_id=self.parent(whole), dotted_order=self.order(whole))


def was_span(run: Run) -> bool:
    """Whether the run came as a span, by the look of its id."""
    return beside(run.trace_id.bytes, run.id.bytes[:8]) == run.id


def unplaced(runs: Sequence[Run]) -> tuple[UUID, ...]:
    """The traces of those runs whose place is not known."""
    return tuple({run.trace_id: None for run in runs if not is_known(run.dotted_order)})
