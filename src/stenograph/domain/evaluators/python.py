"""Running a user's Python program on an event, in a process of its own that can do nothing but compute.

The process confines itself before it runs the program (see cage/): here it is started with nothing in its environment,
fed, listened to within bounds, and killed with all that it may have started when its time is over. What it says is a
stranger's word.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Final

import msgspec

import stenograph
from stenograph.domain.evaluators.cage.confinement import unsupported
from stenograph.domain.evaluators.verdicts import EvaluationFailed, Verdict
from stenograph.errors import Unsupported

OFF: Final = (
    "evaluators in Python are off here: the operator turns them on with STENOGRAPH_PYTHON_EVALUATORS=true"
)

MAX_EVENT: Final = 8 * 1024 * 1024
MAX_ANSWER: Final = 256 * 1024
"""Bytes of the event that goes in, and of what comes out."""

STARTING: Final = 10.0
"""Seconds that a process may take beside those of the program: to start, on a machine that is busy."""

_BEGIN: Final = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from stenograph.domain.evaluators.cage.program import main; main()"
)
_SOURCE: Final = str(Path(stenograph.__file__).parents[1])


class _Answer(msgspec.Struct):
    value: bool | int | float | str | None = None
    explanation: str | None = None
    error: str | None = None
    unconfined: str | None = None


_answer = msgspec.json.Decoder(_Answer).decode


class PythonEvaluators:
    """Runs programs, so many at a time, if the operator allows it at all."""

    def __init__(self, *, is_on: bool, seconds: float, memory: int, at_once: int) -> None:
        self._is_on = is_on
        self._seconds = seconds
        self._memory = memory
        self._slots = asyncio.Semaphore(at_once)

    @property
    def problem(self) -> str | None:
        """Why no program can be run here, as a sentence; None when it can."""
        if not self._is_on:
            return OFF
        reason = unsupported()
        return None if reason is None else f"evaluators in Python cannot be run here: {reason}"

    async def run(self, code: str, event: bytes) -> Verdict:
        """What the program returns for the event, a JSON object.

        EvaluationFailed with the reason when it returns nothing usable, or not in time; Unsupported where it cannot be
        run, in particular not confined.
        """
        if self.problem is not None:
            raise Unsupported(self.problem)
        if len(event) > MAX_EVENT:
            raise EvaluationFailed(
                f"the event has {len(event)} bytes; evaluators in Python take at most {MAX_EVENT}"
            )
        task = {
            "code": code,
            "event": msgspec.Raw(event),
            "seconds": self._seconds,
            "memory": self._memory,
            "parent": os.getpid(),
        }
        async with self._slots:
            said, status = await self._process(msgspec.json.encode(task))
        return self._verdict(said, status)

    async def _process(self, task: bytes) -> tuple[bytes, int | None]:
        """What a process says of its task, and how it ended: None when it was killed for saying too much."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", _BEGIN, _SOURCE,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={}, cwd="/", start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._seconds + STARTING):
                _, said = await asyncio.gather(_feed(process, task), _listen(process))
                return said, None if len(said) > MAX_ANSWER else await process.wait()
        except TimeoutError:
            return b"", -signal.SIGALRM
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STARTING):
                        await asyncio.gather(_empty(process), process.wait())

    def _verdict(self, said: bytes, status: int | None) -> Verdict:
        if status is None:
            raise EvaluationFailed(f"it said more than {MAX_ANSWER} bytes")
        if status in (-signal.SIGALRM, -signal.SIGXCPU):
            raise EvaluationFailed(f"it took longer than {self._seconds:g} seconds")
        try:
            found = _answer(said)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise EvaluationFailed(_ended(status)) from None
        if found.unconfined is not None:
            raise Unsupported(f"evaluators in Python cannot be run here: {found.unconfined[:500]}")
        if found.error is not None:
            raise EvaluationFailed(found.error)
        if found.value is None:
            raise EvaluationFailed("it returned nothing")
        return Verdict(found.value, found.explanation)


def _ended(status: int) -> str:
    if status >= 0:
        return "it ended without saying what it found"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = str(-status)
    return f"its process was ended by {name}"


async def _feed(process: asyncio.subprocess.Process, task: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(task)
        await process.stdin.drain()
    process.stdin.close()
    with contextlib.suppress(ConnectionError):
        await process.stdin.wait_closed()


async def _listen(process: asyncio.subprocess.Process) -> bytes:
    """All that it says, or a little more than it may."""
    assert process.stdout is not None
    said = bytearray()
    while len(said) <= MAX_ANSWER and (part := await process.stdout.read(MAX_ANSWER + 1 - len(said))):
        said += part
    return bytes(said)


async def _empty(process: asyncio.subprocess.Process) -> None:
    """Read what is left. asyncio counts a process as ended once its pipes are closed, and sees that of a pipe only
    while it reads it: whoever stops listening to a flood would wait for ever."""
    assert process.stdout is not None
    while await process.stdout.read(MAX_ANSWER):
        pass
