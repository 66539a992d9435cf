"""Evaluations: a part of the metadata seam. An experiment is a project with one, or one bound to a dataset."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from stenograph.model.evaluations import EvaluationPatch, EvaluationQuery, Experiment
from stenograph.model.runs import Micros


class Evaluations(Protocol):
    """Experiments with what HoneyHive's clients keep of them. They go with their project."""

    async def create(self, experiment: Experiment) -> Experiment:
        """The project and its evaluation, both or neither; as stored: an experiment over a dataset gets its number.

        Conflict, naming what, when the project's name or id is taken.
        """

    async def read(self, workspace: UUID, project_id: UUID) -> Experiment | None:
        """None for a project that is no experiment, too."""

    async def find(self, query: EvaluationQuery) -> list[Experiment]:
        """Names and states sort by code point; ties fall to the id, in the same direction."""

    async def count(self, query: EvaluationQuery) -> int:
        """How many match, whatever the page."""

    async def within(self, workspace: UUID, project_id: UUID, *, or_none: bool = False) -> list[UUID]:
        """The projects that have an evaluation for which this project was named; or none, with `or_none`."""

    async def claim(self, workspace: UUID, project_id: UUID, within: UUID) -> None:
        """Put an evaluation in the name of a project, unless it is in that of one already."""

    async def any(self, workspace: UUID) -> bool:
        """Whether there is one experiment at all."""

    async def update(
        self, workspace: UUID, project_id: UUID, patch: EvaluationPatch, at: Micros
    ) -> Experiment | None:
        """As changed (see Experiment.changed), None when there is none. Conflict when the new name is taken."""
