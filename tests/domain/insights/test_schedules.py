"""Reports by the clock: begun once when due, made up for once after a standstill, and no more without a schedule."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from stenograph.domain.insights.configs import Configs
from stenograph.domain.insights.reports import Reports
from stenograph.main import assemble
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.insights import InsightJob, ReportRequest, SavedConfig
from stenograph.model.projects import ProjectQuery
from stenograph.observability import Metrics
from stenograph.settings import Settings
from stenograph.store.open import open_stores

HOUR = 3600 * 10**9


def asked(saved: SavedConfig) -> ReportRequest:
    return msgspec.json.decode(saved.config, type=ReportRequest)


def at_eight(work: Callable[[Configs, Reports, UUID, list[int]], Any], folder: Path) -> None:
    """With a clock that the test sets, at 07:00 of the first of January 2026."""

    async def session() -> None:
        stores = await open_stores(Settings(data_dir=folder))
        services, _ = assemble(Settings(data_dir=folder), stores, Metrics())
        clock = [1_767_250_800 * 10**9]
        reports = services.insights.reports
        configs = Configs(stores.meta, reports, services.projects, asked, clock=lambda: clock[0])
        home = (await services.projects.find(ProjectQuery(workspace=DEFAULT_WORKSPACE)))[0].id
        try:
            await work(configs, reports, home, clock)
        finally:
            await stores.runs.close()
            await stores.meta.close()

    asyncio.run(session())


async def jobs(reports: Reports, home: UUID) -> list[InsightJob]:
    return await reports.page(DEFAULT_WORKSPACE, home, 0, 100)


def test_a_schedule_begins_a_report_each_time_it_is_due(tmp_path: Path) -> None:
    async def work(configs: Configs, reports: Reports, home: UUID, clock: list[int]) -> None:
        config = msgspec.json.encode(ReportRequest(last_n_hours=24, seed=3))
        saved = await configs.create(DEFAULT_WORKSPACE, home, "Daily", config, None, "0 8 * * *")
        await configs.turn()
        assert await jobs(reports, home) == []
        clock[0] += HOUR
        await configs.turn()
        await configs.turn()
        (job,) = await jobs(reports, home)
        assert (job.name, job.config_id, job.is_scheduled, job.request.seed) == ("Daily", saved.id, True, 3)
        clock[0] += 72 * HOUR
        await configs.turn()
        await configs.turn()
        assert len(await jobs(reports, home)) == 2
        stored = await configs.read(DEFAULT_WORKSPACE, home, saved.id)
        await configs.update(msgspec.structs.replace(stored, schedule_cron=None))
        clock[0] += 72 * HOUR
        await configs.turn()
        assert len(await jobs(reports, home)) == 2

    at_eight(work, tmp_path)
