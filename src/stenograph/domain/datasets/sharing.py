"""Sharing a dataset: an unguessable link opens its examples, its experiments, their runs and feedback; nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID, uuid4

from stenograph.domain.datasets.datasets import Datasets
from stenograph.errors import NotFound
from stenograph.model.datasets import Dataset
from stenograph.model.projects import Project, ProjectQuery
from stenograph.model.query import FeedbackQuery, RunSelection
from stenograph.model.sharing import Share, ShareKind
from stenograph.store.api import MetaStore

_NOTHING: Final = "not found"
"""The same for a token that never was, one that was revoked, and anything that the dataset does not own."""


@dataclass(frozen=True, slots=True)
class OpenedDataset:
    """What a token opens: one dataset, and the experiments over it as they are at this moment."""

    dataset: Dataset
    experiments: tuple[UUID, ...]

    @property
    def workspace(self) -> UUID:
        return self.dataset.workspace

    def among(self, wanted: Sequence[UUID]) -> tuple[UUID, ...]:
        """Those of the experiments that are wanted; all when none is named."""
        if not wanted:
            return self.experiments
        named = frozenset(wanted)
        return tuple(each for each in self.experiments if each in named)

    def confine(self, selection: RunSelection) -> RunSelection | None:
        """The part of a selection that lies in the experiments; None when that is nothing.

        Naming no project means all of them to a store, so an empty part must never be asked for.
        """
        projects = self.among(selection.projects)
        return replace(selection, workspace=self.workspace, projects=projects) if projects else None

    def confine_feedback(self, query: FeedbackQuery) -> FeedbackQuery | None:
        """The part of a feedback query that lies in the experiments; None when that is nothing."""
        projects = self.among(query.projects)
        return replace(query, workspace=self.workspace, projects=projects) if projects else None


class DatasetSharing:
    """A dataset has at most one link. What it opens is looked up for each request: closed means closed at once."""

    def __init__(self, meta: MetaStore, datasets: Datasets) -> None:
        self._shares = meta.shares
        self._projects = meta.projects
        self._dataset_store = meta.datasets
        self._datasets = datasets

    async def share(self, workspace: UUID, dataset_id: UUID) -> Share:
        """The dataset's link, made when there is none; NotFound for an unknown dataset."""
        await self._datasets.check(workspace, dataset_id)
        return await self._shares.ensure(
            Share(
                token=uuid4(),
                workspace=workspace,
                kind=ShareKind.DATASET,
                target_id=str(dataset_id),
                created_at=time.time_ns() // 1000,
            )
        )

    async def shared(self, workspace: UUID, dataset_id: UUID) -> Share | None:
        """The dataset's link, if it has one; NotFound for an unknown dataset."""
        await self._datasets.check(workspace, dataset_id)
        found = await self._shares.of(workspace, ShareKind.DATASET, [str(dataset_id)])
        return found[0] if found else None

    async def unshare(self, workspace: UUID, dataset_id: UUID) -> None:
        """Close the link at once. No error when there is none."""
        await self._datasets.check(workspace, dataset_id)
        await self._shares.revoke_target(workspace, ShareKind.DATASET, str(dataset_id))

    async def open(self, token: UUID, *, counted: bool = False) -> OpenedDataset:
        """What a token opens; NotFound, whatever the reason, when it opens no dataset.

        Unless `counted`, what is counted of the dataset's examples and experiments is left out.
        """
        share = await self._shares.resolve(token)
        if share is None or share.kind is not ShareKind.DATASET:
            raise NotFound(_NOTHING)
        target = UUID(share.target_id)
        dataset, experiments = await asyncio.gather(
            self._dataset_store.read(share.workspace, target, counted=counted),
            self._projects.find(ProjectQuery(workspace=share.workspace, reference_datasets=(target,))),
        )
        if dataset is None:
            raise NotFound(_NOTHING)
        return OpenedDataset(dataset, tuple(project.id for project in experiments))

    async def open_some(self, tokens: Iterable[UUID]) -> list[OpenedDataset]:
        """What these tokens open, each dataset once; those that open nothing are left out."""
        found: dict[UUID, OpenedDataset] = {}
        for token in dict.fromkeys(tokens):
            try:
                opened = await self.open(token)
            except NotFound:
                continue
            found[opened.dataset.id] = opened
        return list(found.values())

    async def experiments(self, opened: Sequence[OpenedDataset]) -> list[Project]:
        """The experiments of these, newest first."""
        found: list[Project] = []
        for each in opened:
            query = ProjectQuery(workspace=each.workspace, reference_datasets=(each.dataset.id,))
            found += await self._projects.find(query)
        return sorted(found, key=lambda project: project.start_time, reverse=True)


def nothing() -> NotFound:
    """For what is not part of a shared dataset."""
    return NotFound(_NOTHING)
