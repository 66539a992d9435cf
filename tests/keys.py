"""API keys, made as `stenograph keys create --new` makes them, without starting a program for each."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stenograph.domain.access import Access
from stenograph.model.access import DEFAULT_WORKSPACE, Caller, Role
from stenograph.store.meta.database import open_meta
from tests.metadata import new_metadata


def issue(data_dir: Path, workspace: str = "default", role: str = "write") -> str:
    """A key's secret. The workspace, by its name, is made when there is none. Works beside a running server."""
    with ThreadPoolExecutor(1) as aside:  # callers may be on an event loop
        return aside.submit(lambda: asyncio.run(_issue(data_dir, workspace, Role(role)))).result()


async def _issue(data_dir: Path, workspace: str, role: Role) -> str:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    meta = await open_meta(new_metadata(data_dir / "meta.db"))
    try:
        access, operator = Access(meta, is_open=False), Caller(DEFAULT_WORKSPACE, Role.ADMIN)
        there_are = await access.list_workspaces(operator)
        owner = next((one for one in there_are if workspace in (one.handle, one.name)), None)
        owner = owner or await access.create_workspace(operator, workspace)
        return (await access.create_key(operator, "tests", role, owner.id)).secret
    finally:
        await meta.close()
