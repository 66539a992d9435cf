"""Taking in runs: what a run must be, which project it belongs to, how its files are kept.

Each run is judged on its own: a bad one is refused with its reason and the others of its request are kept.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from uuid import UUID

from stenograph.domain.projects.projects import Projects
from stenograph.domain.recording.known import KnownRuns
from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.recording.roots import Roots
from stenograph.domain.unclaimed_files import UnclaimedFiles
from stenograph.errors import Invalid, NotFound, TooLarge
from stenograph.model.feedback import Feedback
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import RUN_TYPES, RunPatch, parse_dotted_order
from stenograph.model.uuids import spelled
from stenograph.store.api import RunStore

_STAMP = len("20240131T093000000000Z")

MAX_NAME = 4_000
"""Characters of a run's name; longer ones are refused, since names are shown and grouped by."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one run, file or piece of feedback of a request was not taken. `what` is the client's own name for it."""

    what: str
    reason: str
    kind: str = "run"
    too_large: bool = False


@dataclass(slots=True)
class Delivery:
    """One request's worth of checked contents, filled by a face."""

    patches: list[RunPatch] = field(default_factory=list)
    feedback: list[Feedback] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def check(patch: RunPatch) -> None:
    """Invalid, with what is wrong and what is allowed, unless this patch may be recorded."""
    if patch.run_type is not None and patch.run_type not in RUN_TYPES:
        close = get_close_matches(patch.run_type, RUN_TYPES, 1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise Invalid(
            f"run_type {patch.run_type[:100]!r} is not one of {', '.join(sorted(RUN_TYPES))}{meant}",
            where=("run_type",),
        )
    if patch.name is not None and len(patch.name) > MAX_NAME:
        raise Invalid(
            f"name has {len(patch.name)} characters; at most {MAX_NAME} are allowed", where=("name",)
        )
    if patch.dotted_order is not None:
        _check_place(patch)


_SEGMENT = r"[0-9]{8}T[0-9]{12}Z[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PLACE = re.compile(rf"{_SEGMENT}(?:\.{_SEGMENT})*")
_LONG_PLACE = 2_000
"""Characters above which a place is not remembered: thirty levels."""


@lru_cache(1000)
def _is_usual(place: str) -> bool:
    return _PLACE.fullmatch(place) is not None


def _is_usually_spelled(order: str) -> bool:
    """What is above a run is above its siblings, too: that is looked at once for all of them."""
    above, _, own = order.rpartition(".")
    if not above or len(above) > _LONG_PLACE:
        return _PLACE.fullmatch(order) is not None
    return _PLACE.fullmatch(own) is not None and _is_usual(above)


def _check_place(patch: RunPatch) -> None:
    """dotted_order has to be readable and to end in this run, or trees could not be built."""
    assert patch.dotted_order is not None
    order = patch.dotted_order
    if (
        order.endswith(spelled(patch.id))
        and (patch.trace_id is None or order.startswith(spelled(patch.trace_id), _STAMP))
        and _is_usually_spelled(order)
    ):
        return  # the usual spelling, without parsing an id a segment
    try:
        path = parse_dotted_order(patch.dotted_order)
    except ValueError as error:
        raise Invalid(
            f"dotted_order cannot be read ({error}); expected segments like 20240131T093000000000Z<run id> "
            "joined by dots",
            where=("dotted_order",),
        ) from None
    if path[-1][1] != patch.id:
        raise Invalid(
            f"dotted_order ends in run {path[-1][1]}, not in this run's id {patch.id}",
            where=("dotted_order",),
        )
    if patch.trace_id is not None and path[0][1] != patch.trace_id:
        raise Invalid(
            f"trace_id {patch.trace_id} is not the first run of dotted_order, {path[0][1]}",
            where=("trace_id",),
        )


class Ingest:
    """The one way in for runs and feedback, whichever face they come through."""

    def __init__(
        self,
        recorder: Recorder,
        store: RunStore,
        projects: Projects,
        files: UnclaimedFiles,
        *,
        max_runs_per_trace: int,
    ) -> None:
        self._recorder = recorder
        self._store = store
        self._projects = projects
        self._files = files
        self._traces = TraceCounter(max_runs_per_trace)
        self.roots = Roots(recorder, store)
        self.known = KnownRuns(recorder, store)

    async def project(self, workspace: UUID, name: str | None) -> UUID:
        """The id of the project of this name, made when it is new; `default` for none."""
        return await self._projects.get_or_create(workspace, name or "default")

    async def known_project(self, workspace: UUID, project: UUID) -> UUID:
        """The same id; Invalid unless the workspace has a project of it."""
        try:
            await self._projects.read(workspace, project)
        except NotFound:
            raise Invalid(
                f"session_id {project} is not a project of this workspace", where=("session_id",)
            ) from None
        return project

    def admit(self, patch: RunPatch) -> None:
        """Check one patch; Invalid or TooLarge when it may not be recorded."""
        check(patch)
        if self._recorder.deleted.gone(patch.workspace, patch.project_id):
            raise Invalid(f"project {patch.project_id} was deleted", where=("session_id",))
        if patch.create and patch.trace_id is not None:
            self._traces.count(patch.workspace, patch.trace_id)

    async def record(self, delivery: Delivery) -> None:
        """Make the admitted contents durable, files first, so that no run names a file that is not there."""
        if not delivery.files:
            await self._recorder.accept(delivery.patches, delivery.feedback)
            return
        async with self._files.storing({key for key, _ in delivery.files}):
            await asyncio.gather(*(self._files.put(key, data) for key, data in delivery.files))
            await self._recorder.accept(delivery.patches, delivery.feedback)

    async def parent_place(self, workspace: UUID, parent: UUID) -> tuple[UUID, str] | None:
        """Trace and dotted order of a run, for children posted without their own. In memory first: a parent
        has mostly just been posted."""
        if (known := self.pending_place(workspace, parent)) is not None:
            return known
        stored = await self._store.page(
            RunQuery(
                selection=RunSelection(workspace=workspace, ids=(parent,)),
                columns=frozenset({"dotted_order"}),
                limit=1,
            )
        )
        if stored and stored[0].dotted_order:
            return stored[0].trace_id, stored[0].dotted_order
        return None

    def pending_place(self, workspace: UUID, run_id: UUID) -> tuple[UUID, str] | None:
        """Trace and dotted order of a run that is still in memory and has stated them."""
        known = self._recorder.pending.get(workspace, run_id)
        for patch in known.patches if known is not None else ():
            if patch.trace_id is not None and patch.dotted_order is not None:
                return patch.trace_id, patch.dotted_order
        return None


class TraceCounter:
    """Keeps traces within their limit. Counts since the start of the process, for the traces seen lately."""

    _REMEMBERED = 200_000

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: OrderedDict[tuple[int, int], int] = OrderedDict()

    def count(self, workspace: UUID, trace: UUID) -> None:
        """One more run of this trace; TooLarge when that is one too many."""
        if not self._limit:
            return
        key = (workspace.int, trace.int)
        count = self._counts.pop(key, 0) + 1
        self._counts[key] = count
        if len(self._counts) > self._REMEMBERED:
            self._counts.popitem(last=False)
        if count > self._limit:
            raise TooLarge(
                f"trace {trace} has reached {self._limit} runs (limit STENOGRAPH_MAX_RUNS_PER_TRACE)"
            )


def refusal(what: str, error: Invalid | TooLarge, kind: str = "run") -> Refusal:
    """The record of one refused part."""
    where = ".".join(str(step) for step in getattr(error, "where", ()))
    reason = f"{where}: {error.message}" if where and where not in error.message else error.message
    return Refusal(what, reason, kind, isinstance(error, TooLarge))


def summary(refused: Sequence[Refusal], limit: int = 20) -> str:
    """The refusals as one text for a person."""
    lines = [f"{item.kind} {item.what}: {item.reason}" for item in refused[:limit]]
    if len(refused) > limit:
        lines.append(f"… and {len(refused) - limit} more")
    return "; ".join(lines)
