"""Evaluators: what computes a metric of runs, in versions of which one is live; and the tasks of those that run by
themselves."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

import msgspec

from stenograph.model.runs import Micros


class EvaluatorType(StrEnum):
    PYTHON = "PYTHON"
    """`criteria` is a program that gets the event and returns the value."""
    LLM = "LLM"
    """`criteria` is a prompt with {{ paths }} into the event; a model answers with the value."""
    HUMAN = "HUMAN"
    """`criteria` tells people what to look at."""
    COMPOSITE = "COMPOSITE"
    """Computed from the values of other metrics on the same event; `criteria` may name how."""


COMPUTED: Final = frozenset({EvaluatorType.PYTHON, EvaluatorType.LLM, EvaluatorType.COMPOSITE})
"""Those that the server can run."""


class ReturnType(StrEnum):
    FLOAT = "float"
    BOOLEAN = "boolean"
    STRING = "string"
    CATEGORICAL = "categorical"


class Threshold(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a value passes: within `min` and `max`, both inclusive; equal to `pass_when`; one of the categories."""

    min: float | None = None
    max: float | None = None
    pass_when: bool | float | None = None
    passing_categories: tuple[str, ...] = ()


class Category(msgspec.Struct, frozen=True):
    """What a categorical metric may say, and what number that counts as."""

    category: str
    score: float | None


class ChildMetric(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of a composite. `id` is that of its evaluator, as the client knows it; `scale` its highest value."""

    name: str
    weight: float
    id: str | None = None
    scale: int | None = None


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """All that a version of an evaluator says. `name` is the key of the feedback that it gives.

    `scale` is the highest value of a float. `filters` is the client's own JSON: which events it is for, a list in the
    language of the face that took it. Of those, `sampling_percentage` are evaluated.
    """

    name: str
    type: EvaluatorType
    criteria: str
    description: str | None = ""
    return_type: ReturnType = ReturnType.FLOAT
    enabled_in_prod: bool = False
    needs_ground_truth: bool = False
    sampling_percentage: float = 10.0
    model_provider: str | None = None
    model_name: str | None = None
    scale: int | None = None
    threshold: Threshold | None = None
    categories: tuple[Category, ...] = ()
    child_metrics: tuple[ChildMetric, ...] = ()
    filters: msgspec.Raw = msgspec.Raw(b"[]")

    @property
    def runs_by_itself(self) -> bool:
        """Whether new events are evaluated as they come."""
        return self.enabled_in_prod and self.type in COMPUTED and self.sampling_percentage > 0

    def samples(self, run_id: UUID) -> bool:
        """Whether this event is among those to evaluate: see `share`."""
        return share(run_id) * 100 < self.sampling_percentage


def share(run_id: UUID) -> float:
    """Where a run falls between 0 and 1: the same for every evaluator, so that what a composite is made of is there,
    and what a smaller percentage chooses is part of what a larger one does."""
    digest = hashlib.blake2b(run_id.bytes, digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A definition as it was once written down. Nothing of it ever changes. `number` counts from 1."""

    id: UUID
    workspace: UUID
    evaluator_id: UUID
    number: int
    message: str
    created_at: Micros
    definition: Definition

    @property
    def name(self) -> str:
        return f"v{self.number}"

    @property
    def sha(self) -> str:
        """Names what the version says: 64 hexadecimal digits, equal for equal definitions."""
        return hashlib.sha256(msgspec.json.encode(self.definition, order="sorted")).hexdigest()


class Evaluator(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluator and the version of it that is live. `project` names the one project that it is for; empty: all."""

    id: UUID
    workspace: UUID
    project: str
    created_at: Micros
    updated_at: Micros | None
    live: Version

    @property
    def definition(self) -> Definition:
        return self.live.definition


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """Runs that ended, noted before anything else could forget them: which of them the evaluators of `versions` are for
    is still to be found out. `since` and `until` bound their start times."""

    id: UUID
    workspace: UUID
    versions: tuple[UUID, ...]
    runs: tuple[UUID, ...]
    since: Micros
    until: Micros
    noted_at: Micros


class TaskStatus(StrEnum):
    """
    waiting --evaluated--> done
       |  ^---may pass---|
       |----it is not for this event, after all--> skipped
       |----will not pass, or was tried too often--> failed --taken up again--> waiting
    """

    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


TaskKey: TypeAlias = "tuple[UUID, UUID, UUID]"
"""Workspace, version and run."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One run to be evaluated by one version of an evaluator; there is never more than one of these.

    `reason` is what went wrong last, or why the run was skipped. `due_at` is when a waiting task is tried next.
    """

    workspace: UUID
    version_id: UUID
    run_id: UUID
    evaluator_id: UUID
    project_id: UUID
    start_time: Micros
    created_at: Micros
    modified_at: Micros
    due_at: Micros
    status: TaskStatus = TaskStatus.WAITING
    attempts: int = 0
    reason: str | None = None

    @property
    def key(self) -> TaskKey:
        return self.workspace, self.version_id, self.run_id
