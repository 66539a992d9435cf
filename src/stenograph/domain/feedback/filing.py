"""Filing feedback where its run is, so that a project's feedback is read without asking its runs.

Feedback comes before its run, with it, or long after; and a run may change its project. So what cannot be filed when
it is written waits here for its run by id, and what was filed follows its run. Nothing depends on this being done:
feedback that is not filed is found all the same, only not as fast. docs/decisions/034-feedback-is-filed-with-its-run.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from stenograph.model.feedback import Feedback, refile
from stenograph.model.query import FeedbackQuery, RunQuery, RunSelection
from stenograph.model.runs import Run
from stenograph.store.api import RunStore
from stenograph.store.pending import Key
from stenograph.store.seen import SeenIds

MAX_WAITING: Final = 200_000
"""Runs that feedback waits for, 100 bytes each. Feedback for more of them stays where it is."""

_AT_ONCE: Final = 1000
_ALL: Final = 10_000_000


class Filing:
    """Used by the one writer of batches. `seen` knows which ids the store may hold."""

    def __init__(self, store: RunStore, seen: SeenIds) -> None:
        self._store = store
        self._seen = seen
        self._waiting: set[Key] = set()

    async def load(self) -> None:
        """Learn what an earlier process left waiting."""
        found = await self._store.unfiled_feedback(MAX_WAITING)
        self._waiting = {(workspace.int, run.int) for workspace, run in found}

    async def file(self, items: Sequence[Feedback], rows: Mapping[Key, Run]) -> list[Feedback]:
        """The items filed by their runs as these will be: `rows` are about to be written, others are looked up."""
        if not items:
            return []
        keys = [_key(item) for item in items]
        known = dict(rows)
        await self._look_up({key for key in keys if key is not None and key not in known}, known)
        return [
            item.filed(None if key is None else known.get(key)) for item, key in zip(items, keys, strict=True)
        ]

    async def _look_up(self, wanted: set[Key], known: dict[Key, Run]) -> None:
        ids = list(wanted)
        maybe = await asyncio.to_thread(self._seen.maybe, [run for _, run in ids])
        stored = [key for key, is_there in zip(ids, maybe, strict=True) if is_there]
        for workspace, part in _by_workspace(stored):
            selection = RunSelection(workspace=workspace, ids=part)
            for run in await self._store.page(
                RunQuery(selection=selection, columns=frozenset(), limit=len(part))
            ):
                known[workspace.int, run.id.int] = run

    def wait(self, items: Iterable[Feedback]) -> None:
        """Remember the runs of those that were written and are not filed."""
        for item in items:
            key = _key(item)
            if key is not None and item.home is None and not item.deleted:
                if len(self._waiting) >= MAX_WAITING:
                    return
                self._waiting.add(key)

    async def follow(self, written: Mapping[Key, Run], moved: Iterable[Key]) -> None:
        """File anew what was said of runs that have been written: of those waited for, and of those that `moved`."""
        wanted = {key for key in written if key in self._waiting} if self._waiting else set()
        # A run that no client has named a project for has none to file under.
        wanted = {key for key in wanted.union(moved) if written[key].project_id.int}
        for workspace, part in _by_workspace(wanted):
            of_run: dict[UUID, list[Feedback]] = {}
            query = FeedbackQuery(workspace=workspace, runs=part, limit=_ALL)
            for item in await self._store.feedback(query):
                assert item.run_id is not None
                of_run.setdefault(item.run_id, []).append(item)
            rows = [
                row for run, items in of_run.items() for row in refile(items, written[workspace.int, run.int])
            ]
            if rows:
                await self._store.write([], rows)
        self._waiting -= wanted


def _key(item: Feedback) -> Key | None:
    return None if item.run_id is None else (item.workspace.int, item.run_id.int)


def _by_workspace(keys: Iterable[Key]) -> list[tuple[UUID, tuple[UUID, ...]]]:
    """Slices of run ids short enough for one query, each of one workspace."""
    runs: dict[int, list[UUID]] = {}
    for workspace, run in keys:
        runs.setdefault(workspace, []).append(UUID(int=run))
    return [
        (UUID(int=workspace), tuple(ids[start : start + _AT_ONCE]))
        for workspace, ids in runs.items()
        for start in range(0, len(ids), _AT_ONCE)
    ]
