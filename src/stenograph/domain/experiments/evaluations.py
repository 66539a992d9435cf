"""Experiments as HoneyHive's clients make, list and change them. Callers check the permission.

Each is a project of its own, so that LangSmith's clients find it, with what they have no word for beside it.
docs/decisions/067-an-evaluation-is-a-project.md
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec

from stenograph.domain.experiments.sessions import ExperimentSessions
from stenograph.domain.projects.projects import MAX_NAME, MAX_NAME_BYTES
from stenograph.errors import Invalid, NotFound
from stenograph.model.datasets import DatasetQuery
from stenograph.model.evaluations import (
    OFFLINE_DATASET,
    OVER,
    Evaluation,
    EvaluationPatch,
    EvaluationQuery,
    EvaluationStatus,
    Experiment,
    project_name,
    with_metadata,
)
from stenograph.model.projects import DEFAULT_PROJECT, Project
from stenograph.store.api import MetaStore

EXTERNAL: Final = "EXT-"
"""What ids of datasets and datapoints begin with that a client keeps for itself."""

MAX_IDS: Final = 100_000
MAX_ID: Final = 1000
MAX_TEXT: Final = 1 << 20
MAX_JSON: Final = 16 << 20


class NewEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says of an experiment that it begins. `dataset` is the id of one of ours or of any other."""

    id: UUID | None = None
    name: str | None = None
    status: EvaluationStatus = EvaluationStatus.PENDING
    description: str | None = None
    metadata: dict[str, Any] | None = None
    within_id: UUID | None = None
    dataset: str | None = None
    event_ids: tuple[str, ...] = ()
    session_ids: tuple[str, ...] = ()
    datapoint_ids: tuple[str, ...] = ()
    results: bytes | None = None
    configuration: bytes | None = None
    evaluators: bytes | None = None
    passing_ranges: bytes | None = None


@dataclass(frozen=True, slots=True)
class EvaluationPage:
    """A page of experiments; how many match in all, and how many there are without the conditions."""

    experiments: list[Experiment]
    total: int
    unfiltered: int


@dataclass(frozen=True, slots=True)
class Changed:
    """An experiment as changed; `unknown` are the sessions it counts in that have not arrived."""

    experiment: Experiment
    unknown: tuple[str, ...] = ()


class Evaluations:
    """Experiments of one workspace at a time."""

    def __init__(self, meta: MetaStore, sessions: ExperimentSessions) -> None:
        self._store = meta.evaluations
        self._datasets = meta.datasets
        self._projects = meta.projects
        self._sessions = sessions

    async def create(self, workspace: UUID, new: NewEvaluation) -> Experiment:
        """Conflict when the id is taken; Invalid for an empty name and for what is beyond reason."""
        _check(new)
        dataset, reference = await self._dataset(workspace, new.dataset)
        metadata = new.metadata or {}
        if dataset is not None and dataset.startswith(EXTERNAL):
            metadata = {**metadata, OFFLINE_DATASET: dataset}
        elif dataset is None and isinstance(offline := metadata.get(OFFLINE_DATASET), str):
            dataset = offline
        project = _project(workspace, new, metadata, reference)
        said = Evaluation(
            workspace=workspace,
            project_id=project.id,
            name=new.name or project.name,
            project_name=project.name,
            status=new.status,
            created_at=project.created_at,
            modified_at=project.created_at,
            within_id=new.within_id,
            dataset=dataset,
            event_ids=new.event_ids,
            session_ids=new.session_ids,
            datapoint_ids=new.datapoint_ids,
            results=new.results,
            configuration=new.configuration,
            evaluators=new.evaluators,
            passing_ranges=new.passing_ranges,
        )
        made = await self._store.create(Experiment(project=project, evaluation=said))
        self._sessions.learn(made)
        await self._sessions.gather(made, new.event_ids)
        return made

    async def read(self, workspace: UUID, project_id: UUID) -> Experiment:
        """NotFound when there is no experiment of this id."""
        found = await self._store.read(workspace, project_id)
        if found is None:
            raise NotFound(f"There is no run {project_id}.")
        return found

    async def page(self, query: EvaluationQuery) -> EvaluationPage:
        everything = EvaluationQuery(workspace=query.workspace, within=query.within)
        return EvaluationPage(
            await self._store.find(query), await self._store.count(query), await self._store.count(everything)
        )

    async def within(self, workspace: UUID, project_id: UUID) -> list[UUID]:
        """The projects of experiments whose sessions a client that names this project expects to find in it.

        Those of experiments for which no project was named are expected where everything goes that names none.
        """
        project = await self._projects.read(workspace, project_id)
        is_default = project is not None and project.name == DEFAULT_PROJECT
        return await self._store.within(workspace, project_id, or_none=is_default)

    async def update(self, workspace: UUID, project_id: UUID, patch: EvaluationPatch) -> Changed:
        """NotFound when there is none."""
        _check(patch)
        if patch.dataset is not None:
            dataset, reference = await self._dataset(workspace, patch.dataset)
            patch = msgspec.structs.replace(patch, dataset=dataset, reference_dataset_id=reference)
        found = await self._store.update(workspace, project_id, patch, _now())
        if found is None:
            raise NotFound(f"There is no run {project_id}.")
        self._sessions.learn(found)
        return Changed(found, await self._sessions.gather(found, patch.event_ids or ()))

    async def dataset_names(self, workspace: UUID, experiments: Iterable[Experiment]) -> Mapping[UUID, str]:
        """The names of the datasets of ours that these are over."""
        ids = {each.project.reference_dataset_id for each in experiments} - {None}
        if not ids:
            return {}
        query = DatasetQuery(workspace=workspace, ids=tuple(each for each in ids if each is not None))
        return {dataset.id: dataset.name for dataset in await self._datasets.find(query)}

    async def _dataset(self, workspace: UUID, named: str | None) -> tuple[str | None, UUID | None]:
        """A dataset that is none of ours by its id, or one of ours."""
        if not named:
            return None, None
        try:
            ours = UUID(named)
        except ValueError:
            return named, None
        found = await self._datasets.read(workspace, ours, counted=False)
        return (named, None) if found is None else (None, ours)


def _project(
    workspace: UUID, new: NewEvaluation, metadata: dict[str, Any], reference: UUID | None
) -> Project:
    now = _now()
    project_id = new.id or uuid4()
    return Project(
        id=project_id,
        workspace=workspace,
        name=project_name(new.name or "experiment", project_id),
        start_time=now,
        created_at=now,
        modified_at=now,
        description=new.description,
        end_time=now if new.status in OVER else None,
        extra=with_metadata(None, metadata),
        reference_dataset_id=reference,
        num_examples=len(new.datapoint_ids) or None,
    )


def _check(stated: NewEvaluation | EvaluationPatch) -> None:
    """Invalid for what no table holds, and for what nobody means."""
    if stated.name is not None:
        if not stated.name.strip():
            raise Invalid("A run's name must not be empty.", ("body", "name"))
        if len(stated.name) > MAX_NAME or len(stated.name.encode(errors="replace")) > MAX_NAME_BYTES:
            raise Invalid(f"A run's name has at most {MAX_NAME} characters.", ("body", "name"))
        _check_text(stated.name, "name")
    if stated.description is not None:
        if len(stated.description) > MAX_TEXT:
            raise Invalid(f"A description has at most {MAX_TEXT} characters.", ("body", "description"))
        _check_text(stated.description, "description")
    if stated.dataset is not None:
        _check_id(stated.dataset, "dataset_id")
    for field in ("event_ids", "session_ids", "datapoint_ids"):
        ids = getattr(stated, field) or ()
        if len(ids) > MAX_IDS:
            raise Invalid(f"At most {MAX_IDS} are taken.", ("body", field))
        for each in ids:
            _check_id(each, field)
    for field in ("results", "configuration", "evaluators", "passing_ranges"):
        document = getattr(stated, field)
        if document is not None and len(document) > MAX_JSON:
            raise Invalid(f"More than {MAX_JSON} bytes are not taken.", ("body", field))


def _check_id(text: str, field: str) -> None:
    if not text or len(text) > MAX_ID:
        raise Invalid(f"An id has 1 to {MAX_ID} characters.", ("body", field))
    _check_text(text, field)


def _check_text(text: str, field: str) -> None:
    if "\0" in text:
        raise Invalid("A text must not contain the NUL character.", ("body", field))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid("This is not valid Unicode text.", ("body", field)) from None


def _now() -> int:
    return time.time_ns() // 1000
