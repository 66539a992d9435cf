"""Work behind the requests that goes on in rounds, from start to stop, whatever happens in one of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog

from stenograph.errors import Overloaded, StoreUnavailable

log = structlog.get_logger(__name__)


class Rounds:
    """`do` is one round: it says after how many seconds there may be more to do. `what` is its name in the log.

    After a round that failed the next comes `pause` seconds later when a store was away, `idle` seconds otherwise.
    """

    def __init__(
        self, what: str, do: Callable[[], Awaitable[float]], *, pause: float = 5.0, idle: float = 30.0
    ) -> None:
        self._what = what
        self._do = do
        self._pause = pause
        self._idle = idle
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self, under_way: Iterable[asyncio.Task[Any]] = ()) -> None:
        """With the tasks that its rounds have begun."""
        running = [*under_way, *([self._task] if self._task is not None else [])]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._task = None

    def wake(self) -> None:
        """There is something new: the next round begins at once."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                following = await self._do()
            except (Overloaded, StoreUnavailable) as trouble:
                log.warning("work waits for a store", work=self._what, reason=trouble.message[:500])
                following = self._pause
            except Exception:
                log.exception("work cannot go on; trying again", work=self._what)
                following = self._idle
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(following):
                    await self._wake.wait()
