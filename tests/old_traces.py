"""Traces that a server has had for a long time: written into its run store while it is down.

`python -m tests.old_traces FOLDER PROJECT LABEL…`: an engine is a process's own, and the tests' may have one already.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID, uuid5

from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.runs import Run
from stenograph.settings import Settings
from stenograph.store.open import open_runs
from tests.conftest import Server

AGE = 60
"""Days that they are old."""


def trace_of(project: str, label: str) -> UUID:
    """The id of the trace, and of its root."""
    return uuid5(UUID(project), label)


def have_had(server: Server, project: str, *labels: str) -> None:
    """Have a server come back with a trace for each label, of two runs, in a project that it knows."""
    server.stop()
    asked = [sys.executable, "-m", "tests.old_traces", str(server.data_dir), project, *labels]
    subprocess.run(asked, check=True, cwd=Path(__file__).parent.parent, timeout=120)
    server.start()


async def _write(folder: Path, project: str, labels: list[str]) -> None:
    then = time.time_ns() // 1000 - AGE * 86_400_000_000
    store = await open_runs(Settings(data_dir=folder, settle_seconds=0))
    try:
        rows = [_run(UUID(project), label, child, then) for label in labels for child in (False, True)]
        await store.write(rows, [])
    finally:
        await store.close()


def _run(project: UUID, label: str, child: bool, then: int) -> Run:
    root = trace_of(str(project), label)
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(then / 1_000_000)) + f"{then % 1_000_000:06d}Z"
    run = uuid5(root, "child") if child else root
    return Run(
        workspace=DEFAULT_WORKSPACE,
        id=run,
        project_id=project,
        trace_id=root,
        parent_run_id=root if child else None,
        dotted_order=f"{stamp}{root}" + (f".{stamp}{run}" if child else ""),
        start_time=then,
        end_time=then + 1_000_000,
        received_at=then,
        version=then,
        is_root=not child,
        name=f"{label} child" if child else label,
        run_type="llm" if child else "chain",
        status="success",
        inputs=b'{"q": 1}',
        outputs=b'{"a": 2}',
        metadata={"ls_run_depth": str(int(child))},
    )


if __name__ == "__main__":
    asyncio.run(_write(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
