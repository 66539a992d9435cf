"""Which experiment a session is recorded in: HoneyHive's clients say so in its metadata, or in that of its events.

`metadata.run_id` names an experiment, which is a project: what says so is recorded there, whatever project its client
names, and so is the rest of its session, which may not say so. `metadata.datapoint_id` is the datapoint, and so the
example, that the session answers, where the experiment is over a dataset of ours.
docs/decisions/068-sessions-follow-their-experiment.md

Spans ask for every session that they name, so all answers are remembered. Spans without a session do not ask.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from stenograph.domain.recording.known import KnownRuns
from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.runs import RunReader
from stenograph.model.evaluations import Experiment
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import RunPatch
from stenograph.store.api import MetaStore

RUN_ID: Final = "run_id"
DATAPOINT_ID: Final = "datapoint_id"
"""The members of metadata that name an experiment, and what a session of it answers."""


class _Named(msgspec.Struct, gc=False):
    run_id: Any = None
    datapoint_id: Any = None


_named = msgspec.json.Decoder(_Named).decode


def named_in(metadata: bytes | None) -> tuple[object, object]:
    """What a JSON object says under RUN_ID and DATAPOINT_ID; None where it says nothing."""
    if metadata is None or (b'"run_id"' not in metadata and b'"datapoint_id"' not in metadata):
        return None, None
    try:
        found = _named(metadata)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, None
    return found.run_id, found.datapoint_id


CACHE_TTL: Final = 5.0
"""Seconds for which an experiment is taken to be, or not to be: how long another process's change may go unnoticed."""

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")

_EXPERIMENTS: Final = 10_000
_SESSIONS: Final = 100_000
_DATAPOINTS: Final = 10_000
_AT_ONCE: Final = 1_000
_ALL: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Belonging:
    """The project that a session is recorded in, and the example that its root answers."""

    project: UUID
    example: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Over:
    """An experiment, and the dataset of ours that it is over. `is_open`: it is in the name of no project yet."""

    project: UUID
    dataset: UUID | None
    is_open: bool = False

    @classmethod
    def of(cls, experiment: Experiment) -> _Over:
        said = experiment.evaluation
        is_open = said is not None and said.within_id is None
        return cls(experiment.project.id, experiment.project.reference_dataset_id, is_open)


class ExperimentSessions:
    """One a process."""

    def __init__(
        self,
        meta: MetaStore,
        known: KnownRuns,
        recorder: Recorder,
        runs: RunReader,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._evaluations = meta.evaluations
        self._datapoints = meta.datapoints
        self._known = known
        self._recorder = recorder
        self._runs = runs
        self._clock = clock
        self._experiments: OrderedDict[tuple[int, int], tuple[float, _Over | None]] = OrderedDict()
        self._sessions: OrderedDict[tuple[int, int], Belonging | None] = OrderedDict()
        self._examples: OrderedDict[tuple[int, int, int], tuple[float, UUID]] = OrderedDict()
        self._without: dict[UUID, float] = {}

    async def of(
        self,
        workspace: UUID,
        session: UUID,
        run: object = None,
        datapoint: object = None,
        *,
        client: Callable[[], Awaitable[UUID]] | None = None,
    ) -> Belonging | None:
        """Where to record something of this session; None for where its client says, as when the experiment is gone.

        `run` and `datapoint` are what its metadata has as run_id and datapoint_id, whatever JSON that is. When they
        put a session into an experiment that is known to be elsewhere, all of it moves there. `client` tells the
        project that the client names, where it names one: an experiment that was begun in no project's name is in that
        one's from then on.
        """
        key = (workspace.int, session.int)
        over = None
        if isinstance(run, str) and (named := _as_uuid(run)) is not None:
            over = await self._experiment(workspace, named)
        if over is None or self._recorder.deleted.gone(workspace, over.project):
            found = await self._remembered(workspace, session)
            gone = found is not None and self._recorder.deleted.gone(workspace, found.project)
            return None if gone else found
        if over.is_open and client is not None:
            await self._claim(workspace, over, await client())
        found = await self._belonging(workspace, over, datapoint)
        known = self._sessions.get(key)
        if known is not None and known.project == found.project:
            if found.example is None or found.example == known.example:
                return known
            _keep(self._sessions, key, found, _SESSIONS)
            await self._recorder.accept([_patch(workspace, session, found, root=True)], [])
            return found
        _keep(self._sessions, key, found, _SESSIONS)
        home = known.project if known is not None else await self._home(workspace, session)
        if home is not None and home != found.project:
            await self._move(workspace, {session: found})
        return found

    def learn(self, experiment: Experiment) -> None:
        """This experiment has just been made or changed here."""
        self._without.pop(experiment.project.workspace, None)
        self._remember(experiment.project.workspace, experiment.project.id, _Over.of(experiment))

    async def gather(self, experiment: Experiment, event_ids: Sequence[str]) -> tuple[str, ...]:
        """Have those of these sessions in the experiment's project that say so themselves and are elsewhere.

        Returns the ids of which nothing has arrived. Sessions that do not say so stay where they are: they were
        recorded for something else, and would be deleted with the experiment.
        """
        project = experiment.project
        wanted = {found: each for each in event_ids if (found := _as_uuid(each)) is not None}
        over = _Over.of(experiment)
        arrived: set[UUID] = set()
        moving: dict[UUID, Belonging] = {}
        for ids in _batches(list(wanted)):
            selection = RunSelection(workspace=project.workspace, ids=ids)
            columns = frozenset({"metadata"})
            for run in await self._runs.page(RunQuery(selection=selection, columns=columns, limit=len(ids))):
                arrived.add(run.id)
                if run.project_id != project.id and run.metadata.get(RUN_ID) == str(project.id):
                    datapoint = run.metadata.get(DATAPOINT_ID)
                    moving[run.trace_id] = await self._belonging(project.workspace, over, datapoint)
        for session, belonging in moving.items():
            _keep(self._sessions, (project.workspace.int, session.int), belonging, _SESSIONS)
        await self._move(project.workspace, moving)
        return tuple(each for each in event_ids if _as_uuid(each) not in arrived)

    # -- what is known ---------------------------------------------------------------------------------------

    async def _experiment(self, workspace: UUID, project_id: UUID) -> _Over | None:
        key = (workspace.int, project_id.int)
        entry = self._experiments.get(key)
        if entry is not None and entry[0] > self._clock():
            return entry[1]
        found = await self._evaluations.read(workspace, project_id)
        over = None if found is None else _Over.of(found)
        self._remember(workspace, project_id, over)
        return over

    def _remember(self, workspace: UUID, project_id: UUID, over: _Over | None) -> None:
        key = (workspace.int, project_id.int)
        _keep(self._experiments, key, (self._clock() + CACHE_TTL, over), _EXPERIMENTS)

    async def _claim(self, workspace: UUID, over: _Over, named: UUID) -> None:
        """HoneyHive's clients begin an experiment without a project, and name theirs on its sessions alone."""
        await self._evaluations.claim(workspace, over.project, named)
        self._remember(workspace, over.project, replace(over, is_open=False))

    async def _belonging(self, workspace: UUID, over: _Over, datapoint: object) -> Belonging:
        named = _as_uuid(datapoint) if isinstance(datapoint, str) else None
        if over.dataset is None or named is None:
            return Belonging(over.project)
        return Belonging(over.project, await self._example(workspace, over.dataset, named))

    async def _example(self, workspace: UUID, dataset: UUID, datapoint: UUID) -> UUID:
        """The example that a datapoint is in this dataset: one of another id, where it was put into a second one. One
        that the dataset does not have, or no longer, is taken for the example of its id."""
        key = (workspace.int, dataset.int, datapoint.int)
        entry = self._examples.get(key)
        if entry is not None and entry[0] > self._clock():
            return entry[1]
        for copy in await self._datapoints.copies(workspace, [datapoint]):
            if copy.dataset == dataset:
                _keep(self._examples, key, (self._clock() + CACHE_TTL, copy.example), _DATAPOINTS)
                return copy.example
        return datapoint

    async def _remembered(self, workspace: UUID, session: UUID) -> Belonging | None:
        """Where a session is of which this word does not say it: what is remembered, else where its root is."""
        key = (workspace.int, session.int)
        if key in self._sessions:
            return self._sessions[key]
        if await self._has_none(workspace):
            return None
        home = await self._home(workspace, session)
        over = None if home is None else await self._experiment(workspace, home)
        if key not in self._sessions:  # another request may have been quicker
            _keep(self._sessions, key, None if over is None else Belonging(over.project), _SESSIONS)
        return self._sessions[key]

    async def _has_none(self, workspace: UUID) -> bool:
        """Whether the workspace has no experiments at all, as most that only trace."""
        until = self._without.get(workspace)
        if until is not None and until > self._clock():
            return True
        if await self._evaluations.any(workspace):
            self._without.pop(workspace, None)
            return False
        self._without[workspace] = self._clock() + CACHE_TTL
        return True

    async def _home(self, workspace: UUID, session: UUID) -> UUID | None:
        """The project that the session's root is recorded in; None when it has not come."""
        found = (await self._known.standing(workspace, [session])).get(session)
        return None if found is None else found.project_id

    # -- moving ----------------------------------------------------------------------------------------------

    async def _move(self, workspace: UUID, sessions: Mapping[UUID, Belonging]) -> None:
        """Have all that was recorded of these sessions in their experiments' projects."""
        for traces in _batches(list(sessions)):
            selection = RunSelection(workspace=workspace, traces=traces)
            runs = await self._runs.page(RunQuery(selection=selection, columns=frozenset(), limit=_ALL))
            await self._recorder.accept(
                [
                    _patch(workspace, run.id, sessions[run.trace_id], root=run.id == run.trace_id)
                    for run in runs
                    if run.project_id != sessions[run.trace_id].project
                ],
                [],
            )


def _patch(workspace: UUID, run_id: UUID, belonging: Belonging, *, root: bool) -> RunPatch:
    return RunPatch(
        workspace=workspace,
        id=run_id,
        create=False,
        received_at=time.time_ns() // 1000,
        project_id=belonging.project,
        reference_example_id=belonging.example if root else None,
    )


def _batches(ids: Sequence[UUID]) -> Iterable[tuple[UUID, ...]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield tuple(ids[start : start + _AT_ONCE])


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _keep(memory: OrderedDict[_K, _V], key: _K, value: _V, size: int) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > size:
        memory.popitem(last=False)
