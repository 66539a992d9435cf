"""What feedback is set up to be: a part of the metadata seam. The feedback itself is in the run store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from stenograph.model.feedback_formulas import FeedbackFormula, Formula
from stenograph.model.feedback_setup import FeedbackConfig, FeedbackToken
from stenograph.model.runs import Micros


class FeedbackConfigs(Protocol):
    """The shape of feedback, one a key and workspace. A deleted one is kept until its key gets another."""

    async def create(self, config: FeedbackConfig) -> None:
        """Conflict, naming the key, when it has one."""

    async def put(self, config: FeedbackConfig) -> None:
        """Create or replace."""

    async def read(self, workspace: UUID, key: str) -> FeedbackConfig | None: ...

    async def page(
        self,
        workspace: UUID,
        keys: Sequence[str] | None = None,
        key_contains: str | None = None,
        descending: bool = True,
        offset: int = 0,
        limit: int | None = None,
        with_deleted: bool = False,
    ) -> list[FeedbackConfig]:
        """By the time of the last change, ties by key. `key_contains` ignores case."""

    async def delete(self, workspace: UUID, key: str, at: Micros) -> bool:
        """Whether there was one. It is read and listed no more, unless deleted ones are asked for."""


class FeedbackFormulas(Protocol):
    """Formulas of projects and datasets, which they go with."""

    async def create(self, formula: FeedbackFormula) -> None:
        """NotFound when there is no such project or dataset; Conflict when it has one of that key."""

    async def read(self, workspace: UUID, formula_id: UUID) -> FeedbackFormula | None: ...

    async def page(
        self,
        workspace: UUID,
        dataset: UUID | None = None,
        project: UUID | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[FeedbackFormula]:
        """Oldest first."""

    async def replace(
        self, workspace: UUID, formula_id: UUID, formula: Formula, at: Micros
    ) -> FeedbackFormula | None:
        """As changed, None when there is none; Conflict when its project or dataset has one of the new key."""

    async def delete(self, workspace: UUID, formula_id: UUID) -> bool:
        """Whether there was one."""

    async def of_projects(
        self, workspace: UUID, projects: Sequence[UUID] | None = None
    ) -> Mapping[UUID, Sequence[FeedbackFormula]]:
        """By project, of these or of all, the formulas for its runs: its own, then those of its reference dataset,
        oldest first. Projects without any are absent."""


class FeedbackTokens(Protocol):
    """Tokens for giving feedback without a key."""

    async def create(self, tokens: Sequence[FeedbackToken]) -> None:
        """All or none. Conflict when an id is taken."""

    async def resolve(self, token: UUID) -> FeedbackToken | None:
        """What a token allows, expired ones too. The token is the permission: no workspace is asked for."""

    async def page(
        self, workspace: UUID, run_id: UUID, offset: int = 0, limit: int | None = None
    ) -> list[FeedbackToken]:
        """A run's tokens, oldest first."""
