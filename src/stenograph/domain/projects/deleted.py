"""Which projects are gone: what is refused at the door, left out of answers, and not written any more.

Deleting a project takes the engine a while. From the moment the metadata says that it is gone until its rows
are, this is what keeps them out of every answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID


class DeletedProjects:
    """One a process, filled at its start. An id stays in it for good: ids are not given out again."""

    def __init__(self) -> None:
        self._gone: set[tuple[int, int]] = set()
        self._closed: set[tuple[int, int]] = set()
        self._dropping: dict[UUID, frozenset[UUID]] = {}

    def add(self, workspace: UUID, projects: Iterable[UUID], *, rows_left: bool) -> None:
        """These are gone. With `rows_left`, readers leave them out until `dropped` is called."""
        found = frozenset(projects)
        self._gone.update((workspace.int, project.int) for project in found)
        if rows_left:
            self._dropping[workspace] = self._dropping.get(workspace, frozenset()) | found

    def close(self, workspace: UUID, projects: Iterable[UUID]) -> None:
        """From now on the recorder writes no runs of these. Until then it does, so that their files are known."""
        self._closed.update((workspace.int, project.int) for project in projects)

    def dropped(self, workspace: UUID, projects: Iterable[UUID]) -> None:
        """Their rows are gone too."""
        rest = self._dropping.get(workspace, frozenset()) - frozenset(projects)
        if rest:
            self._dropping[workspace] = rest
        else:
            self._dropping.pop(workspace, None)

    def gone(self, workspace: UUID, project: UUID | None) -> bool:
        """Whether this project was deleted."""
        return bool(self._gone) and project is not None and (workspace.int, project.int) in self._gone

    def closed(self, workspace: UUID, project: UUID | None) -> bool:
        """Whether what was acknowledged for this project is to be let go."""
        return bool(self._closed) and project is not None and (workspace.int, project.int) in self._closed

    def dropping(self, workspace: UUID) -> tuple[UUID, ...]:
        """The deleted projects whose rows may still be there; usually none."""
        return tuple(self._dropping.get(workspace, ()))
