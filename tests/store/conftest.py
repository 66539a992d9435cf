"""The stores that the conformance tests run on. A further engine is one more entry of `METADATA_URLS`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

import pytest

from stenograph.model.access import Workspace
from stenograph.model.projects import Project
from stenograph.store.api import MetaStore
from stenograph.store.meta.database import open_meta

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
