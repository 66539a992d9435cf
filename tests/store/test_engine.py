"""The embedded engine itself: what readers may not do, and how long they may take."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from stenograph.errors import StoreUnavailable
from stenograph.store.runs.chdb import Chdb


def refusal(folder: Path, statement: str, seconds: float = 0) -> str:
    """What a reader is told."""

    async def ask() -> str:
        engine = Chdb(folder, readers=1, threads=1, memory=2**30, seconds=seconds)
        try:
            with pytest.raises(StoreUnavailable) as caught:
                await engine.query(statement)
            assert await engine.query("SELECT 1 AS one") == {"one": [1]}  # it lives
            return caught.value.message
        finally:
            await engine.close()

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "CREATE TABLE t (x UInt8) ENGINE = Memory",
        "SET readonly = 0",
        "SET max_execution_time = 5",
    ],
)
def test_readers_only_read(tmp_path: Path, statement: str) -> None:
    assert "READONLY" in refusal(tmp_path / "runs", statement)


def test_a_read_that_takes_too_long_names_the_setting(tmp_path: Path) -> None:
    endless = "SELECT count() FROM system.numbers WHERE number % 3 = 5"
    assert "STENOGRAPH_READ_TIMEOUT_SECONDS" in refusal(tmp_path / "runs", endless, seconds=0.2)


def test_a_read_that_needs_too_much_memory_names_the_setting(tmp_path: Path) -> None:
    huge = "SELECT length(groupArray(number)) FROM numbers(400000000)"
    assert "STENOGRAPH_ENGINE_MAX_MEMORY_BYTES" in refusal(tmp_path / "runs", huge)


def test_a_second_process_is_told_who_has_the_folder(tmp_path: Path) -> None:
    other = (
        "import sys; from pathlib import Path\n"
        "from stenograph.store.runs.chdb import Chdb\n"
        "from stenograph.errors import StoreUnavailable\n"
        "try:\n"
        "    Chdb(Path(sys.argv[1]), readers=1, threads=1, memory=2**30)\n"
        "except StoreUnavailable as error:\n"
        "    print(error.message)\n"
    )

    async def ask() -> str:
        engine = Chdb(tmp_path / "runs", readers=1, threads=1, memory=2**30)
        try:
            command = [sys.executable, "-c", other, str(tmp_path / "runs")]
            done = await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, timeout=60, check=True
            )
            return done.stdout
        finally:
            await engine.close()

    assert "another process has it open" in asyncio.run(ask())
