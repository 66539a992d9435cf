"""All that reports are made with. Gathers the services of this room."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stenograph.domain.annotation.items import QueueItems
from stenograph.domain.datasets.datasets import Datasets
from stenograph.domain.examples.examples import Examples
from stenograph.domain.insights.configs import Configs, Read
from stenograph.domain.insights.describing.drafting import Drafting
from stenograph.domain.insights.describing.writers import Writers
from stenograph.domain.insights.keeping_up import KeepingUp
from stenograph.domain.insights.reports import Reports
from stenograph.domain.insights.selecting import ParseFilter, Selecting
from stenograph.domain.insights.working import InsightWork
from stenograph.domain.projects.projects import Projects
from stenograph.domain.runs import RunReader
from stenograph.store.api import MetaStore


@dataclass(frozen=True, slots=True)
class Insights:
    """Reports, what they are made of again and again, and the work behind them: to be started and stopped."""

    reports: Reports
    configs: Configs
    drafting: Drafting
    work: InsightWork
    keeping_up: KeepingUp

    @classmethod
    def over(
        cls,
        meta: MetaStore,
        runs: RunReader,
        folder: Path,
        *,
        projects: Projects,
        queues: QueueItems,
        datasets: Datasets,
        examples: Examples,
        parse: ParseFilter,
        read: Read,
        keep_up_seconds: float,
        writers: Writers,
    ) -> Insights:
        """Put together over the stores. `folder` is for work under way; `parse` and `read` are the face's whose
        filters and saved requests these are."""
        selecting = Selecting(runs, parse)
        work = InsightWork(meta, selecting, folder, writers)
        reports = Reports(meta, work, selecting, projects, queues, datasets, examples, writers)
        configs = Configs(meta, reports, projects, read)
        work.schedules = configs.turn
        return cls(
            reports, configs, Drafting(writers, selecting), work, KeepingUp(meta, selecting, keep_up_seconds)
        )

    async def start(self) -> None:
        await self.work.start()
        await self.keeping_up.start()

    async def stop(self) -> None:
        """Leave what is under way to the next start."""
        await self.keeping_up.stop()
        await self.work.stop()
