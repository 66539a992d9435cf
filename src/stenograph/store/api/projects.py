"""Projects and what hangs on them: a part of the metadata seam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from stenograph.model.dead_letters import DeadLetter, DeadLetterNote
from stenograph.model.prices import ModelPrice
from stenograph.model.projects import Project, ProjectPatch, ProjectQuery
from stenograph.model.runs import Micros
from stenograph.model.views import SavedView, ViewPatch, ViewType


class Projects(Protocol):
    """Projects. A deleted one is never returned; its name is free again, its id is not."""

    async def create(self, project: Project) -> Project:
        """As stored: an experiment gets its number. Conflict, naming what, when a name or the id is taken."""

    async def ensure(self, project: Project) -> Project:
        """The project of that name, or else this one, created. Never a Conflict, whoever calls at once.

        Not for experiments: no number is given. A read when the name is there.
        """

    async def read(self, workspace: UUID, project_id: UUID) -> Project | None: ...

    async def find_named(self, workspace: UUID, name: str) -> Project | None: ...

    async def find_canonical(self, workspace: UUID, name: str) -> Project | None:
        """The project that Julep's clients call that: by its canonical name, or else by its name.
        No experiment."""

    async def find(self, query: ProjectQuery) -> list[Project]:
        """Names sort by code point; ties fall to the id, in the same direction. `metadata` has to be JSON."""

    async def update(
        self, workspace: UUID, project_id: UUID, patch: ProjectPatch, at: Micros
    ) -> Project | None:
        """As changed, None when there is none. Conflict when the new name is taken.

        One that is bound to another dataset gets the next number there.
        """

    async def delete(self, workspace: UUID, project_ids: Sequence[UUID], at: Micros) -> list[UUID]:
        """The ids that were there. Saved views, formulas, share links, configurations, charts and items of annotation
        queues go with them; runs are the run store's."""

    async def deleted(self) -> list[tuple[UUID, UUID]]:
        """(workspace, project) of every project that was ever deleted, of all workspaces: for the server itself."""


class Views(Protocol):
    """Saved views, each in a project."""

    async def create(self, view: SavedView) -> None:
        """NotFound when the workspace has no such project; Conflict when the id is taken."""

    async def of_project(
        self, workspace: UUID, project_id: UUID, kind: ViewType | None = None
    ) -> list[SavedView]:
        """Oldest first."""

    async def read(self, workspace: UUID, project_id: UUID, view_id: UUID) -> SavedView | None: ...

    async def update(
        self, workspace: UUID, project_id: UUID, view_id: UUID, patch: ViewPatch, at: Micros
    ) -> SavedView | None:
        """As changed, None when there is none."""

    async def delete(self, workspace: UUID, project_id: UUID, view_id: UUID) -> bool:
        """Whether there was one."""


class Prices(Protocol):
    """A workspace's own model prices."""

    async def all(self, workspace: UUID) -> list[ModelPrice]:
        """Newest first."""

    async def read(self, workspace: UUID, price_id: UUID) -> ModelPrice | None: ...

    async def create(self, price: ModelPrice) -> None:
        """Conflict when the id is taken."""

    async def replace(self, price: ModelPrice) -> bool:
        """Whether there was one of that id to replace."""

    async def delete(self, workspace: UUID, price_id: UUID) -> bool:
        """Whether there was one."""


class DeadLetters(Protocol):
    """Acknowledged records that the run store would not take."""

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Idempotent by id. Takes any workspace, known or not, and any text as the reason."""

    async def page(
        self, workspace: UUID, replayed: bool | None = False, offset: int = 0, limit: int | None = None
    ) -> list[DeadLetter]:
        """Oldest first: those that wait, those that were replayed, or (None) both."""

    async def notes(
        self,
        workspace: UUID | None,
        replayed: bool | None = False,
        *,
        subjects: Sequence[UUID] | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[DeadLetterNote]:
        """As `page`, without records: of one workspace, or (None) of every one, unreadable records among them. With
        `subjects`, only what speaks of these."""

    async def read(self, workspace: UUID | None, letter_id: UUID) -> DeadLetter | None:
        """One letter; of any workspace for None."""

    async def count(self, workspace: UUID) -> int:
        """How many wait."""

    async def forget(self, letters: Sequence[DeadLetter]) -> int:
        """How many of these there were; none of them is afterwards."""

    async def mark_replayed(self, workspace: UUID, letter_ids: Sequence[UUID], at: Micros) -> int:
        """How many of these were waiting."""
