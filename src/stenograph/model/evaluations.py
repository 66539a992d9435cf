"""Evaluations: what HoneyHive's clients keep of an experiment beside its project, and the two together.

HoneyHive calls it a run, and knows nothing of our projects: its status, results and configuration are no member of
one. A project that is bound to a dataset is an experiment without an evaluation too. docs/honeyhive-experiments.md
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.model.projects import Project, metadata_of
from stenograph.model.runs import Micros

OFFLINE_DATASET: Final = "offline_dataset_id"
"""The member of an experiment's metadata that names a dataset which is kept elsewhere."""


class EvaluationStatus(StrEnum):
    """How far an experiment has come, by what its client says."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


OVER: Final = frozenset({EvaluationStatus.COMPLETED, EvaluationStatus.FAILED, EvaluationStatus.CANCELLED})
"""The states that nothing follows."""


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What a client said of the experiment whose project is `project_id`.

    `project_name` is what the project was called for it: names of projects are unique, `name` is not. `within_id` is
    the project in whose name the client spoke, None when it named none. `dataset` names a dataset that is none of
    ours. `event_ids` are the sessions that the client counts in; None when it has not said. JSON is the client's own:
    objects, and `evaluators` a list.
    """

    workspace: UUID
    project_id: UUID
    name: str
    project_name: str
    status: EvaluationStatus
    created_at: Micros
    modified_at: Micros
    within_id: UUID | None = None
    dataset: str | None = None
    is_active: bool = True
    event_ids: tuple[str, ...] | None = None
    session_ids: tuple[str, ...] = ()
    datapoint_ids: tuple[str, ...] = ()
    results: bytes | None = None
    configuration: bytes | None = None
    evaluators: bytes | None = None
    passing_ranges: bytes | None = None


class EvaluationPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to an experiment. None leaves a field as it is, members of `metadata` are added to those there are."""

    name: str | None = None
    description: str | None = None
    metadata: dict[str, Any] | None = None
    status: EvaluationStatus | None = None
    dataset: str | None = None
    reference_dataset_id: UUID | None = None
    is_active: bool | None = None
    event_ids: tuple[str, ...] | None = None
    session_ids: tuple[str, ...] | None = None
    datapoint_ids: tuple[str, ...] | None = None
    results: bytes | None = None
    configuration: bytes | None = None
    evaluators: bytes | None = None
    passing_ranges: bytes | None = None


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment as a whole. Without an evaluation it came from LangSmith's clients."""

    project: Project
    evaluation: Evaluation | None = None

    @property
    def name(self) -> str:
        """As its client named it, unless its project was renamed since."""
        said = self.evaluation
        return said.name if said is not None and said.project_name == self.project.name else self.project.name

    @property
    def status(self) -> EvaluationStatus:
        """As its client says; of a client that has no word for it, whether it has set an end."""
        if self.evaluation is not None:
            return self.evaluation.status
        over = self.project.end_time is not None
        return EvaluationStatus.COMPLETED if over else EvaluationStatus.RUNNING

    @property
    def modified_at(self) -> Micros:
        said = self.evaluation
        return self.project.modified_at if said is None else max(self.project.modified_at, said.modified_at)

    def changed(self, patch: EvaluationPatch, at: Micros) -> Experiment:
        """The experiment with these changes. One that had no evaluation has one from then on.

        A new name is the project's as well, and a status that nothing follows ends the project.
        """
        said = self.evaluation or Evaluation(
            workspace=self.project.workspace,
            project_id=self.project.id,
            name=self.project.name,
            project_name=self.project.name,
            status=self.status,
            created_at=at,
            modified_at=at,
        )
        stated = {field: getattr(patch, field) for field in _OF_EVALUATION}
        stated = {field: value for field, value in stated.items() if value is not None}
        project = _project(self.project, patch, at)
        if patch.name is not None:
            if patch.name == self.name:  # said again: a project that was renamed since keeps its new name
                del stated["name"]
            else:
                project = msgspec.structs.replace(project, name=project_name(patch.name, project.id))
                stated["project_name"] = project.name
        return Experiment(project=project, evaluation=msgspec.structs.replace(said, **stated, modified_at=at))


_OF_EVALUATION: Final = tuple(
    field for field in EvaluationPatch.__struct_fields__ if field in Evaluation.__struct_fields__
)


def _project(project: Project, patch: EvaluationPatch, at: Micros) -> Project:
    changes: dict[str, Any] = {"modified_at": at}
    if patch.description is not None:
        changes["description"] = patch.description
    if patch.reference_dataset_id is not None:
        changes["reference_dataset_id"] = patch.reference_dataset_id
    if patch.datapoint_ids:
        changes["num_examples"] = len(patch.datapoint_ids)
    if patch.metadata:
        changes["extra"] = with_metadata(project.extra, patch.metadata)
    if patch.status is not None:
        changes["end_time"] = (project.end_time or at) if patch.status in OVER else None
    return msgspec.structs.replace(project, **changes)


def with_metadata(extra: bytes | None, metadata: dict[str, Any]) -> bytes:
    """A project's `extra` with these members in its metadata."""
    whole = msgspec.json.decode(extra) if extra else {}
    known = metadata_of(extra)
    whole["metadata"] = {**(known if isinstance(known, dict) else {}), **metadata}
    return msgspec.json.encode(whole)


_MARK: Final = 8
_MAX_NAME: Final = 900
_MAX_BYTES: Final = 2400


def project_name(name: str, project_id: UUID) -> str:
    """What the project of an experiment of this name is called: as LangSmith's clients call theirs, with an ending
    that tells experiments of one name apart, and that no program traces to."""
    mark = project_id.hex[:_MARK]
    if name.endswith(mark):
        return name
    short = name[:_MAX_NAME].encode(errors="replace")[:_MAX_BYTES].decode(errors="ignore")
    return f"{short}-{mark}"


class EvaluationSort(StrEnum):
    """The orders of a list; ties fall to the id."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    NAME = "name"
    STATUS = "status"


class EvaluationQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which experiments of one workspace, in which order. None means no condition.

    `name_contains` ignores case. `dataset` is the id of one of ours or of any other. With `within` only those are
    found in whose making that project, or none, was named. An empty `ids` matches nothing. `since` and `until` bound
    the time of creation, both inclusive.
    """

    workspace: UUID
    ids: tuple[UUID, ...] | None = None
    dataset: str | None = None
    within: UUID | None = None
    name_contains: str | None = None
    status: EvaluationStatus | None = None
    since: Micros | None = None
    until: Micros | None = None
    sort: EvaluationSort = EvaluationSort.CREATED_AT
    descending: bool = True
    offset: int = 0
    limit: int | None = None
