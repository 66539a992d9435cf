"""Rendering templates in processes of their own, with limits of time, size and memory."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from stenograph.errors import Invalid, StoreUnavailable

LONGEST_TEMPLATE: Final = 200_000
LONGEST_TEXT: Final = 1_000_000
"""Characters of one template, and of what comes of it."""

SECONDS: Final = 3.0
"""For all templates of one call; an ordinary one takes less than a millisecond."""

_STARTING: Final = 60.0
"""Seconds that a process may take to start; half a second does on a machine with nothing else to do."""

_LINE: Final = 64 << 20
_WORKER: Final = "stenograph.domain.templates.worker"


class Renderer:
    """Renders Jinja templates. Up to `most` processes, started when first needed and kept."""

    def __init__(self, most: int = 2, seconds: float = SECONDS) -> None:
        self._idle: list[asyncio.subprocess.Process] = []
        self._places = asyncio.Semaphore(most)
        self._seconds = seconds

    async def render(self, templates: Sequence[str], variables: Mapping[str, Any]) -> list[str]:
        """The texts of the templates, in their order. `variables` are values that JSON has.

        Invalid, in a sentence for the author, when a template cannot be rendered or goes over a limit.
        """
        if not any("{" in template for template in templates):
            return list(templates)  # nothing that Jinja would look at
        for template in templates:
            if len(template) > LONGEST_TEMPLATE:
                raise Invalid(f"a template has at most {LONGEST_TEMPLATE} characters, not {len(template)}")
        asked = json.dumps(
            {"templates": list(templates), "variables": variables, "longest": LONGEST_TEXT}
        ).encode()
        async with self._places:
            worker = self._idle.pop() if self._idle else await _start()
            try:
                answer = await asyncio.wait_for(_ask(worker, asked), self._seconds)
            except TimeoutError:
                await _end(worker)
                raise Invalid(f"The template takes longer than {self._seconds:g} seconds.") from None
            except BaseException:
                await asyncio.shield(_end(worker))
                raise
            if answer is None:
                await _end(worker)
                raise Invalid("The template takes too much memory.")
            self._idle.append(worker)
        if "error" in answer:
            raise Invalid(answer["error"])
        texts: list[str] = answer["texts"]
        return texts

    async def close(self) -> None:
        while self._idle:
            await _end(self._idle.pop())


async def _start() -> asyncio.subprocess.Process:
    """In an environment that says where the code is, and nothing else."""
    try:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _WORKER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            limit=_LINE,
            start_new_session=True,
        )
    except OSError as error:
        raise StoreUnavailable(f"Templates cannot be rendered now: {error.strerror}.") from None
    assert worker.stdout is not None
    try:
        ready = await asyncio.wait_for(worker.stdout.readline(), _STARTING)
    except BaseException as error:
        await asyncio.shield(_end(worker))
        if isinstance(error, TimeoutError):
            raise StoreUnavailable("Templates cannot be rendered now: the machine is too busy.") from None
        raise
    if not ready:
        await _end(worker)
        raise StoreUnavailable("Templates cannot be rendered now: their process does not start.")
    return worker


async def _ask(worker: asyncio.subprocess.Process, asked: bytes) -> dict[str, Any] | None:
    """None when the process has ended."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        worker.stdin.write(asked + b"\n")
        await worker.stdin.drain()
    line = await worker.stdout.readline()
    if not line.endswith(b"\n"):
        return None
    answer: dict[str, Any] = json.loads(line)
    return answer


async def _end(worker: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        worker.kill()
    await worker.wait()
