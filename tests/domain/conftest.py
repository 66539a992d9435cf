"""What the recorder's tests share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from stenograph.domain.recording import recorder
from tests.recording import House, house

Work = Callable[[House], Awaitable[None]]


@pytest.fixture
def on_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Work], None]:
    """Runs a coroutine on fresh stores. What fails is tried again at once."""
    monkeypatch.setattr(recorder, "_PAUSE", 0.01)

    async def session(work: Work) -> None:
        async with house(tmp_path) as made:
            await work(made)

    return lambda work: asyncio.run(session(work))
