"""The stores that the conformance tests run on. A further engine is one more entry of `METADATA_URLS` or
`RUN_STORE_URLS`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

import pytest

from stenograph.model.access import Workspace
from stenograph.model.projects import Project
from stenograph.settings import Settings
from stenograph.store.api import MetaStore, RunStore
from stenograph.store.meta.database import open_meta
from stenograph.store.open import open_runs
from tests.metadata import new_metadata

Result = TypeVar("Result")
Work = Callable[[MetaStore], Awaitable[Result]]

METADATA_URLS: dict[str, Callable[[Path], str]] = {"sqlite": lambda folder: f"sqlite:///{folder / 'meta.db'}"}

OTHER = UUID("00000000-0000-4000-8000-00000000000b")


@pytest.fixture(params=METADATA_URLS)
def meta_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return METADATA_URLS[request.param](tmp_path)


@pytest.fixture
def meta(meta_url: str) -> Callable[[Work[Result]], Result]:
    """Runs a coroutine on the opened store, in which a second workspace, of the id OTHER, exists."""

    if meta_url.startswith("sqlite:///"):
        new_metadata(Path(meta_url.removeprefix("sqlite:///")))

    async def session(work: Work[Result]) -> Result:
        store = await open_meta(meta_url)
        try:
            if await store.workspaces.read(OTHER) is None:
                await store.workspaces.create(
                    Workspace(id=OTHER, name="Other", handle="other", created_at=2),
                    Project(
                        id=uuid4(), workspace=OTHER, name="default", start_time=1, created_at=1, modified_at=1
                    ),
                )
            return await work(store)
        finally:
            await store.close()

    return lambda work: asyncio.run(session(work))


# -- the run store -----------------------------------------------------------------------------------------

RUN_STORE_URLS: dict[str, Callable[[Path], str]] = {"chdb": lambda folder: f"chdb://{folder / 'runs'}"}

NOT_PROMISED: dict[str, dict[str, str]] = {"chdb": {}}
"""By store: the conformance tests that it does not pass, each with the reason."""


@dataclass
class OpenRuns:
    """A run store that tests of one module share, each in workspaces of its own."""

    name: str
    url: str
    folder: Path
    store: RunStore

    def reopen(self) -> None:
        """Close it and open it again, as after a clean restart."""
        asyncio.run(self.store.close())
        self.store = asyncio.run(_open_runs(self.url, self.folder))


async def _open_runs(url: str, folder: Path) -> RunStore:
    return await open_runs(Settings(data_dir=folder, runs_url=url, settle_seconds=0))


@pytest.fixture(scope="module", params=RUN_STORE_URLS)
def open_run_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenRuns]:
    """A process opens one embedded engine at a time, so this closes with the module."""
    folder = tmp_path_factory.mktemp("run-store")
    url = RUN_STORE_URLS[request.param](folder)
    opened = OpenRuns(request.param, url, folder, asyncio.run(_open_runs(url, folder)))
    yield opened
    asyncio.run(opened.store.close())


@pytest.fixture
def runs(open_run_store: OpenRuns, request: pytest.FixtureRequest) -> OpenRuns:
    name = getattr(request.node, "originalname", request.node.name)
    if reason := NOT_PROMISED[open_run_store.name].get(name):
        pytest.skip(reason)
    return open_run_store


@pytest.fixture
def workspace() -> UUID:
    """One that nobody else writes to."""
    return uuid4()
