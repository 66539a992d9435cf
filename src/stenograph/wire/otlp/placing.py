"""Where spans stand: the ids of their runs, of their traces and parents, and their dotted orders.

A span knows its parent's id and nothing of what is above. Parents end after their children, so they come later, in
another request perhaps. What follows from that (docs/decisions/051):

- The id of a span's run follows from its trace id and span id; that of a span without a parent is the trace's id.
- A chain of parents that this request has up to its root gives a dotted order. A chain that leads out of the
  request begins with segments whose time is all noughts (places.UNKNOWN): readers fill them in.
- While a trace's root has not come, a run stands in for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from uuid import UUID

from stenograph.domain.recording import places
from stenograph.domain.recording.derive import stamp
from stenograph.domain.recording.ingest import Ingest
from stenograph.domain.recording.places import MAX_SEGMENTS, beside, run_of
from stenograph.model.runs import Micros
from stenograph.model.uuids import from_bytes, spelled
from stenograph.wire.otlp.conventions.draft import Draft
from stenograph.wire.otlp.mapping import Mapped
from stenograph.wire.otlp.spans import REMOTE, REMOTE_KNOWN

_BY_SPAN: Final = UUID(int=0)
"""Stands for a parent that is known by its span alone, until all spans of the request have their ids."""


@dataclass(slots=True, repr=False)
class Placed:
    """A span on its way to being a run. `order` is set last."""

    draft: Draft
    run: Mapped
    run_id: UUID
    trace: UUID
    parent: UUID | None = None
    above: Placed | None = None
    order: str | None = None

    @property
    def is_root(self) -> bool:
        return self.parent is None

    @property
    def own(self) -> str:
        return stamp(self.run.start) + spelled(self.run_id)

    @property
    def from_afar(self) -> bool:
        """Whether the parent is in another process, or there is none: such a run speaks for its whole trace."""
        span = self.draft.span
        return not span.parent_id or span.flags & (REMOTE_KNOWN | REMOTE) == REMOTE_KNOWN | REMOTE


@dataclass(slots=True, repr=False)
class Layout:
    """The spans of a request in their places, and the runs that have to stand in for roots."""

    spans: list[Placed] = field(default_factory=list)
    stand_ins: list[StandIn] = field(default_factory=list)


@dataclass(frozen=True, slots=True, repr=False)
class StandIn:
    """A trace whose root has not come: `like` is the span that tells most about it, `whole` if it may speak for it.
    `better` replaces what stood in for it before."""

    trace: UUID
    like: Placed
    whole: bool
    better: bool
    start: Micros


async def place(found: Sequence[tuple[Draft, Mapped]], workspace: UUID, ingest: Ingest) -> Layout:
    """Put the spans of one request in their places."""
    _join_sessions(found, workspace, ingest)
    layout = Layout()
    by_span: dict[bytes, Placed] = {}
    for draft, run in found:
        placed = await _identify(draft, run, workspace, ingest)
        layout.spans.append(placed)
        by_span.setdefault(draft.span.trace_id + draft.span.span_id, placed)
    for placed in layout.spans:
        span = placed.draft.span
        if placed.parent is _BY_SPAN:
            placed.above = by_span.get(span.trace_id + span.parent_id)
            above = placed.above.run_id if placed.above is not None else run_of(span.trace_id, span.parent_id)
            placed.parent = above if above != placed.run_id else placed.trace
    for placed in layout.spans:
        _order(placed, workspace, ingest)
    layout.stand_ins = _stand_ins(layout.spans, workspace, ingest)
    return layout


def _join_sessions(found: Sequence[tuple[Draft, Mapped]], workspace: UUID, ingest: Ingest) -> None:
    """Spans that do not name their session belong to that of their trace's other spans."""
    named = {draft.span.trace_id: draft.session for draft, _ in found if draft.session is not None}
    for trace_id, session in named.items():
        ingest.roots.join(workspace, trace_id, session)
    for draft, _ in found:
        if draft.session is None and draft.trace_id is None:
            draft.session = named.get(draft.span.trace_id) or ingest.roots.session(
                workspace, draft.span.trace_id
            )


async def _identify(draft: Draft, run: Mapped, workspace: UUID, ingest: Ingest) -> Placed:
    """The ids of a span's run, trace and parent; ids that are stated win."""
    span = draft.span
    trace = draft.trace_id
    above: UUID | None = None
    if trace is None and draft.session is not None:
        # A session is a trace. Its root is no span, but a run of its own with the session's id.
        trace = above = places.named(draft.session)
    trace = trace or _trace(span.trace_id)
    if draft.parent_id is not None and draft.parent_id != draft.run_id:
        parent: UUID | None = draft.parent_id
    elif span.parent_id:
        parent = _BY_SPAN
    else:
        parent = above
    run_id = draft.run_id
    if run_id is None and parent is None:
        first = await ingest.roots.claim(workspace, trace, span.span_id.hex())
        run_id, parent = (trace, None) if first else (beside(span.trace_id, span.span_id), trace)
    elif run_id is None:
        run_id = run_of(span.trace_id, span.span_id)
        if run_id == trace:  # LangSmith's rule says that this is the root, whatever is above it elsewhere
            first = await ingest.roots.claim(workspace, trace, span.span_id.hex())
            run_id, parent = (trace, None) if first else (beside(span.trace_id, span.span_id), trace)
    elif parent is None and run_id != trace:
        parent = trace  # a root with an id of its own stands under the trace's
    if parent == run_id:
        parent = trace if run_id != trace else None
    order = draft.dotted_order
    if order is not None and parent is None and run_id != trace:
        order = None
    return Placed(draft, run, run_id, trace, parent, order=order)


@lru_cache(10_000)
def _trace(trace_id: bytes) -> UUID:
    return from_bytes(trace_id)


def _order(one: Placed, workspace: UUID, ingest: Ingest) -> None:
    """Give a span and those above it their dotted orders."""
    chain: list[Placed] = []
    passed: set[int] = set()
    here: Placed | None = one
    while here is not None and here.order is None and id(here) not in passed and len(chain) < MAX_SEGMENTS:
        chain.append(here)
        passed.add(id(here))
        here = here.above
    if not chain:
        return
    if here is not None and here.order is not None and here.order.count(".") < MAX_SEGMENTS:
        order: str | None = here.order
    else:
        order = _outside(chain[-1], workspace, ingest)
    for placed in reversed(chain):
        order = placed.order = placed.own if order is None else f"{order}.{placed.own}"


def _outside(top: Placed, workspace: UUID, ingest: Ingest) -> str | None:
    """The dotted order of what is above a chain and not in this request; None above a root."""
    if top.parent is None:
        return None
    return places.above(top.trace, top.parent, ingest.pending_place(workspace, top.parent))


def _stand_ins(spans: Sequence[Placed], workspace: UUID, ingest: Ingest) -> list[StandIn]:
    """One for each trace of which neither this request nor, as far as is remembered, another had the root."""
    rooted = {placed.trace for placed in spans if placed.is_root}
    without: dict[UUID, list[Placed]] = {}
    for placed in spans:
        if placed.trace not in rooted:
            without.setdefault(placed.trace, []).append(placed)
    found: list[StandIn] = []
    for trace, members in without.items():
        speakers = [
            one for one in members if one.from_afar and one.above is None and one.draft.session is None
        ]
        needed = ingest.roots.stand_in(workspace, trace, bool(speakers))
        if needed is None:
            continue
        like = min(speakers or members, key=lambda one: one.run.start)
        start = min(one.run.start for one in members)
        found.append(StandIn(trace, like, bool(speakers), needed == "better", start))
    return found
