"""What is known of runs without waiting for a flush: in memory first, then in the run store.

For those who write and have to know where: a reader is owed all that was acknowledged, and asks domain/runs.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from stenograph.domain.recording.derive import NO_PROJECT, derive
from stenograph.domain.recording.places import Known
from stenograph.domain.recording.recorder import Recorder
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import NO_USAGE, Facts, Micros, Run, merge
from stenograph.store.api import RunStore


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands, as far as somebody has said so."""

    trace_id: UUID | None = None
    dotted_order: str | None = None
    project_id: UUID | None = None
    start_time: Micros | None = None

    @property
    def place(self) -> Known | None:
        if self.trace_id is None or self.dotted_order is None:
            return None
        return self.trace_id, self.dotted_order


class KnownRuns:
    """One a process."""

    def __init__(self, recorder: Recorder, store: RunStore) -> None:
        self._recorder = recorder
        self._store = store

    async def standing(self, workspace: UUID, runs: Collection[UUID]) -> Mapping[UUID, Standing]:
        """Where these runs stand; those that nobody has heard of are absent. At most one query."""
        found: dict[UUID, Standing] = {}
        partly: set[UUID] = set()
        for run in runs:
            waiting = self._recorder.pending.get(workspace, run)
            if waiting is not None and (waiting.patches or waiting.base is not None):
                found[run] = _standing(merge(waiting.base, waiting.patches))
            if (run not in found or found[run].project_id is None) and self._recorder.may_be_stored(run):
                partly.add(run)
        if partly:
            selection = RunSelection(workspace=workspace, ids=tuple(partly))
            columns = frozenset({"dotted_order"})
            for row in await self._store.page(
                RunQuery(selection=selection, columns=columns, limit=len(partly))
            ):
                found[row.id] = _over(row, found.get(row.id, Standing()))
        return found

    async def run(self, workspace: UUID, run_id: UUID) -> Run | None:
        """The run as it stands, but for its usage; None when there is none."""
        waiting = self._recorder.pending.get(workspace, run_id)
        patches = list(waiting.patches) if waiting is not None else []
        base = waiting.base if waiting is not None else None
        if base is None and self._recorder.may_be_stored(run_id):
            base = (await self._store.stored([(workspace, run_id)])).get((workspace, run_id))
        if base is not None and base.deleted:
            if not any(patch.create for patch in patches):
                return None
            base = None
        if base is None and not patches:
            return None
        return derive(merge(base, patches), 0, lambda *_: NO_USAGE)


def _standing(facts: Facts) -> Standing:
    return Standing(facts.trace_id, facts.dotted_order, facts.project_id, facts.start_time)


def _over(row: Run, said: Standing) -> Standing:
    """What has been said since the row was written wins."""
    return Standing(
        said.trace_id or row.trace_id,
        said.dotted_order or row.dotted_order,
        said.project_id or (row.project_id if row.project_id != NO_PROJECT else None),
        row.start_time if said.start_time is None else said.start_time,
    )
