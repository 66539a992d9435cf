"""Evaluators and their tasks: a part of the metadata seam."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from stenograph.model.evaluators import (
    Candidates,
    Evaluator,
    EvaluatorType,
    Task,
    TaskKey,
    TaskStatus,
    Version,
)
from stenograph.model.runs import Micros


class Evaluators(Protocol):
    """Evaluators and their versions. Names are unique in a project, and among those that are for all projects."""

    async def create(self, evaluator: Evaluator) -> None:
        """With its first version. Conflict, naming the name, when that is taken."""

    async def read(self, workspace: UUID, evaluator_id: UUID) -> Evaluator | None: ...

    async def find(
        self,
        workspace: UUID,
        ids: Sequence[UUID] | None = None,
        kind: EvaluatorType | None = None,
        project: str | None = None,
    ) -> list[Evaluator]:
        """Oldest first. With a `project` those for it and those for all projects."""

    async def enabled(self, workspace: UUID | None = None) -> list[Evaluator]:
        """Those whose live version is for new events; of all workspaces for the server itself."""

    async def versions(self, workspace: UUID, evaluator_id: UUID) -> list[Version]:
        """Oldest first; empty when there is no such evaluator."""

    async def named(self, workspace: UUID, version_ids: Sequence[UUID]) -> Mapping[UUID, Evaluator]:
        """By version, the evaluator with that version in the place of its live one. Those that are gone are absent."""

    async def add(self, version: Version, *, deploy: bool) -> Version | None:
        """As stored, with the number that follows; None when there is no such evaluator.

        Live at once with `deploy`: Conflict when another evaluator has its name.
        """

    async def deploy(self, workspace: UUID, evaluator_id: UUID, number: int, at: Micros) -> Version | None:
        """The version, live from now on; None when there is none. Conflict when another evaluator has its name."""

    async def delete(self, workspace: UUID, evaluator_id: UUID) -> bool:
        """Whether there was one. Its versions and tasks go with it; feedback that it gave stays."""


class EvaluatorTasks(Protocol):
    """What evaluators have still to do, and what became of it. One process works on them at a time."""

    async def note(self, candidates: Sequence[Candidates]) -> None:
        """Keep these: on disk at return."""

    async def noted(self, limit: int) -> list[Candidates]:
        """The oldest of all workspaces."""

    async def sort(self, candidates: Candidates, tasks: Sequence[Task]) -> int:
        """Put tasks in the place of candidates, in one step; how many are new.

        Of a run and a version that have a task there is none the more. Those of evaluators that are gone are left out.
        """

    async def due(
        self, at: Micros, limit: int, without: Collection[TaskKey] = ()
    ) -> tuple[list[Task], Micros | None]:
        """Waiting tasks of all workspaces whose time has come, the longest due first; and when the next comes after
        that, None when there is none."""

    async def change(self, tasks: Sequence[Task]) -> None:
        """Write these as they are now. Those that are gone stay so."""

    async def waiting_for(self, workspace: UUID, run_id: UUID) -> frozenset[UUID]:
        """The evaluators that have a waiting task for this run."""

    async def count(
        self, workspace: UUID | None = None, evaluator_id: UUID | None = None
    ) -> Mapping[TaskStatus, int]:
        """Of one evaluator, or of all, for the server itself. Candidates do not count: they are no tasks yet."""

    async def page(
        self,
        workspace: UUID,
        evaluator_id: UUID,
        status: TaskStatus | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[Task]:
        """The last changed first, ties by run and version."""

    async def take_up(self, workspace: UUID, evaluator_id: UUID, at: Micros) -> int:
        """Have failed tasks of the live version wait again, due at once; how many."""

    async def forget(self, before: Micros) -> int:
        """Delete tasks that were over before this time; how many."""
