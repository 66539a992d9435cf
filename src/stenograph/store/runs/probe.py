"""Try the embedded engine in a process of its own: `python -m stenograph.store.runs.probe FOLDER MEMORY`.

For the doctor. A library that cannot work on a machine may kill its process while it loads, so the one who
asks must not be that process. Prints the engine's version, or to standard error why it cannot be used.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from stenograph.errors import StoreUnavailable
from stenograph.store.runs.chdb import Chdb

LOCKED = 3
"""The exit status that says: another process has the folder open."""


async def probe(folder: Path, memory: int) -> str:
    """The version of the engine once it has opened `folder` and answered a query; StoreUnavailable if not."""
    try:
        engine = Chdb(folder, readers=1, threads=1, memory=memory)
    except ImportError as error:
        raise StoreUnavailable(f"the engine cannot be loaded: {error}") from error
    except StoreUnavailable:
        raise
    except Exception as error:
        raise StoreUnavailable(f"the run store at {folder} cannot be opened: {error}") from error
    try:
        answer = await engine.query("SELECT version() AS version")
        version: bytes = answer["version"][0]
        return version.decode()
    finally:
        await engine.close()


def main() -> int:
    """0 and the version on standard output, LOCKED, or 1."""
    try:
        print(asyncio.run(probe(Path(sys.argv[1]), int(sys.argv[2]))))
    except StoreUnavailable as error:
        print(error.message, file=sys.stderr)
        # What the engine says of a folder that is taken has an empty reason in its middle.
        taken = "another process" in error.message or "EmbeddedServer: . (" in error.message
        return LOCKED if taken else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
