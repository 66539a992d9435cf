"""A metadata store as it is when it was just made, to begin tests with: making one runs every migration."""

from __future__ import annotations

import asyncio
import functools
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stenograph.store.meta.database import open_meta


@functools.cache
def _new_store() -> bytes:
    async def make(path: Path) -> None:
        await (await open_meta(f"sqlite:///{path}")).close()

    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(1) as aside,
    ):  # callers may be on an event loop
        path = Path(folder) / "meta.db"
        aside.submit(lambda: asyncio.run(make(path))).result()
        assert [each.name for each in Path(folder).iterdir()] == [path.name], "it is not all in one file"
        return path.read_bytes()


def new_metadata(path: Path) -> str:
    """Its URL; what is at the path already stays."""
    if not path.exists():
        path.write_bytes(_new_store())
    return f"sqlite:///{path}"
