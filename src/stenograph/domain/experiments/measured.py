"""What an experiment's events were measured to be: the runs of its project, and of the sessions that its client counts
in, each with its metrics.

A metric is feedback that HoneyHive's clients find among an event's metrics (see model.feedback.shelf), of several
pieces under one key the newest. Numbers, true and false are computed with, texts only judged by category.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.domain.experiments.sessions import DATAPOINT_ID
from stenograph.domain.feedback.feedback import FeedbackService
from stenograph.domain.runs import RunReader
from stenograph.model.evaluations import Experiment
from stenograph.model.feedback import Feedback, Shelf, shelf, shelf_of
from stenograph.model.filters import Filter
from stenograph.model.query import FeedbackQuery, RunQuery, RunSelection
from stenograph.model.runs import Micros, Run

_ALL: Final = 10_000_000
_AT_ONCE: Final = 5_000

_OF_ROOT: Final = frozenset({"metadata", "reference_example_id"})
_OF_EVENT: Final = frozenset({"name", "run_type", "parent_run_id"})

KindOf = Callable[[Run], str]
"""What a face calls the type of a run."""

ROOT, TOP, BELOW = 0, 1, 2
"""How deep an event stands in its session: its root, a child of the root, or further down."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """The newest word on one metric of one event. `number` is None for a text. `by` is the type of its source."""

    value: bool | float | str
    number: float | None
    by: str


@dataclass(frozen=True, slots=True)
class MeasuredEvent:
    """One event of an experiment. `datapoint` is what its session answers, in the client's words."""

    id: UUID
    session: UUID
    name: str
    kind: str
    depth: int
    start_time: Micros
    datapoint: str | None = None
    metrics: Mapping[str, Measurement] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What results call this event's datapoint: the session stands for one that has no name."""
        return self.datapoint or str(self.session)


@dataclass(frozen=True, slots=True)
class EventQuestion:
    """Which events of an experiment: those that pass the filter, that started within the bounds, both inclusive."""

    filter: Filter | None = None
    since: Micros | None = None
    until: Micros | None = None


EVERYTHING: Final = EventQuestion()


class MeasuredEvents:
    """Reads them. Callers check the permission. Every read sees everything acknowledged before it."""

    def __init__(self, runs: RunReader, feedback: FeedbackService) -> None:
        self._runs = runs
        self._feedback = feedback

    async def of(
        self, experiment: Experiment, kind: KindOf, question: EventQuestion = EVERYTHING
    ) -> list[MeasuredEvent]:
        """All of an experiment's events, the oldest first, by ties the id."""
        parts = await self._parts(experiment)
        found: list[Run] = []
        given: dict[UUID, dict[str, Measurement]] = {}
        for part in parts:
            selection = replace(part, filter=question.filter, since=question.since, until=question.until)
            found += await self._page(selection, _OF_EVENT)
            for run_id, pieces in (await self._given(part)).items():
                given[run_id] = measurements(pieces)
        answered = await self._datapoints(parts, {run.trace_id for run in found})
        events = [
            MeasuredEvent(
                id=run.id,
                session=run.trace_id,
                name=run.name or "unknown",
                kind=kind(run),
                depth=ROOT if run.is_root else TOP if run.parent_run_id == run.trace_id else BELOW,
                start_time=run.start_time,
                datapoint=answered.get(run.trace_id),
                metrics=given.get(run.id, {}),
            )
            for run in found
        ]
        return sorted(events, key=lambda event: (event.start_time, event.id))

    async def feedback(self, workspace: UUID, runs: Sequence[UUID]) -> Mapping[UUID, list[Feedback]]:
        """All feedback on these runs, by run."""
        found: dict[UUID, list[Feedback]] = {}
        for start in range(0, len(runs), _AT_ONCE):
            ids = tuple(runs[start : start + _AT_ONCE])
            query = FeedbackQuery(workspace=workspace, runs=ids, on_runs=True, limit=_ALL)
            _gather(found, await self._feedback.page(query))
        return found

    async def sessions(self, experiment: Experiment) -> list[UUID]:
        """The ids of the roots in an experiment's project, the oldest first."""
        project = experiment.project
        inside = RunSelection(workspace=project.workspace, projects=(project.id,), is_root=True)
        return [run.id for run in await self._page(inside, frozenset())]

    async def sessions_of(
        self, workspace: UUID, experiments: Iterable[Experiment]
    ) -> Mapping[UUID, list[UUID]]:
        """The same for several, by project; one query."""
        projects = tuple(each.project.id for each in experiments)
        found: dict[UUID, list[UUID]] = {project: [] for project in projects}
        if projects:
            for run in await self._page(
                RunSelection(workspace=workspace, projects=projects, is_root=True), frozenset()
            ):
                found[run.project_id].append(run.id)
        return found

    async def metric_names(self, workspace: UUID, experiments: Iterable[Experiment]) -> list[str]:
        """The metrics that were measured in any of these projects, sorted. One statement, which adds up where the
        feedback is."""
        projects = tuple(each.project.id for each in experiments)
        if not projects:
            return []
        given = await self._runs.feedback_by_project(RunSelection(workspace=workspace, projects=projects))
        return sorted(
            {
                key
                for stats in given.values()
                for key, stat in stats.items()
                if (stat.n or stat.values) and any(map(_measures, stat.sources))
            }
        )

    async def _parts(self, experiment: Experiment) -> list[RunSelection]:
        """The project's runs, and those of sessions elsewhere that the client counts in."""
        project = experiment.project
        parts = [RunSelection(workspace=project.workspace, projects=(project.id,))]
        said = experiment.evaluation
        ids = tuple(filter(None, map(_as_uuid, said.event_ids or ()))) if said is not None else ()
        outside: list[UUID] = []
        for start in range(0, len(ids), _AT_ONCE):
            selection = RunSelection(workspace=project.workspace, ids=ids[start : start + _AT_ONCE])
            outside += [
                run.trace_id
                for run in await self._page(selection, frozenset())
                if run.project_id != project.id
            ]
        outside = list(dict.fromkeys(outside))
        for start in range(0, len(outside), _AT_ONCE):
            traces = tuple(outside[start : start + _AT_ONCE])
            parts.append(RunSelection(workspace=project.workspace, traces=traces))
        return parts

    async def _page(self, selection: RunSelection, columns: frozenset[str]) -> list[Run]:
        question = RunQuery(selection=selection, columns=columns, limit=_ALL, newest_first=False)
        return await self._runs.page(question)

    async def _given(self, part: RunSelection) -> dict[UUID, list[Feedback]]:
        query = FeedbackQuery(
            workspace=part.workspace,
            projects=part.projects,
            traces=part.traces,
            on_runs=True,
            limit=_ALL,
        )
        found: dict[UUID, list[Feedback]] = {}
        _gather(found, await self._feedback.page(query))
        return found

    async def _datapoints(
        self, parts: Iterable[RunSelection], wanted: set[UUID]
    ) -> Mapping[UUID, str | None]:
        """What each session answers: by its root's word, else by that of any of its events."""
        found: dict[UUID, str | None] = {}
        for part in parts:
            roots = await self._page(replace(part, is_root=True), _OF_ROOT)
            for run in roots:
                found[run.trace_id] = run.metadata.get(DATAPOINT_ID) or (
                    None if run.reference_example_id is None else str(run.reference_example_id)
                )
            unsaid = [trace for trace in wanted if not found.get(trace)]
            for start in range(0, len(unsaid), _AT_ONCE):
                traces = tuple(unsaid[start : start + _AT_ONCE])
                selection = replace(part, traces=traces)
                for run in await self._page(selection, frozenset({"metadata"})):
                    if said := run.metadata.get(DATAPOINT_ID):
                        found[run.trace_id] = found.get(run.trace_id) or said
        return found


def is_metric(piece: Feedback) -> bool:
    """Whether it says how good an event is by itself; a preference in a comparison does not."""
    return (
        piece.run_id is not None
        and piece.comparative_experiment_id is None
        and shelf(piece) is Shelf.METRICS
        and (piece.score is not None or piece.value is not None)
    )


def measurements(pieces: Iterable[Feedback]) -> dict[str, Measurement]:
    """The metrics of one event, by key."""
    newest: dict[str, Feedback] = {}
    for piece in sorted(pieces, key=lambda piece: (piece.modified_at, piece.created_at, str(piece.id))):
        if is_metric(piece):
            newest[piece.key] = piece
    found = ((key, _measurement(piece)) for key, piece in newest.items())
    return {key: measured for key, measured in found if measured is not None}


class _Source(msgspec.Struct, gc=False):
    type: str = ""


_source = msgspec.json.Decoder(_Source).decode


def _measures(source: str) -> bool:
    """Whether what comes from this source, a JSON object, is a metric."""
    try:
        kind = _source(source).type
    except (msgspec.DecodeError, RecursionError):
        kind = ""
    return shelf_of(kind, source.encode()) is Shelf.METRICS


def _measurement(piece: Feedback) -> Measurement | None:
    """None for an object or a list, which nothing can be made of."""
    document = piece.raw_score if piece.raw_score is not None or piece.score is not None else piece.value
    try:
        value: Any = piece.score if document is None else msgspec.json.decode(document)
        if isinstance(value, str):
            return Measurement(value, None, piece.source_type)
        number = float(value) if isinstance(value, bool | int | float) else math.nan
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError):
        return None
    return Measurement(value, number, piece.source_type) if math.isfinite(number) else None


def _gather(found: dict[UUID, list[Feedback]], pieces: Iterable[Feedback]) -> None:
    for piece in pieces:
        if piece.run_id is not None:
            found.setdefault(piece.run_id, []).append(piece)


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
