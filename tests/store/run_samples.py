"""Runs and feedback to write in tests: each with what matters to the test, and sound defaults for the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import NAMESPACE_OID, UUID, uuid5

from stenograph.model.feedback import Feedback
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import Run, Usage
from stenograph.store.api import RunStore

Result = TypeVar("Result")

SECOND = 1_000_000
HOUR = 3600 * SECOND
NOON = 1_768_910_400 * SECOND  # 2026-01-20 12:00 UTC, a Tuesday
PROJECT = uuid5(NAMESPACE_OID, "project")
KEY = frozenset({"id"})


def ident(workspace: UUID, label: str) -> UUID:
    """An id that a test can name."""
    return uuid5(workspace, label)


def run(
    workspace: UUID,
    label: str,
    at: int = 0,
    parent: str | None = None,
    root: str | None = None,
    **fields: Any,
) -> Run:
    """A finished run of one second that started `at` seconds after NOON; `parent` is below `root` or is the root."""
    root = root or parent or label
    path = list(dict.fromkeys([root, parent or root, label]))
    given: dict[str, Any] = {
        "project_id": PROJECT,
        "trace_id": ident(workspace, root),
        "start_time": NOON + at * SECOND,
        "end_time": NOON + (at + 1) * SECOND,
        "version": 1,
        "is_root": parent is None,
        "parent_run_id": ident(workspace, parent) if parent else None,
        "dotted_order": ".".join(f"20260120T120000000000Z{ident(workspace, part)}" for part in path),
        "name": label,
        "run_type": "chain",
        "status": "success",
        "tags": [],
    }
    return Run(workspace=workspace, id=ident(workspace, label), **{**given, **fields})


def feedback(workspace: UUID, label: str, run_label: str | None, key: str = "ok", **fields: Any) -> Feedback:
    """A piece of feedback on a run, or on PROJECT when there is no run."""
    given: dict[str, Any] = {
        "created_at": NOON,
        "modified_at": NOON,
        "run_id": ident(workspace, run_label) if run_label else None,
        "project_id": None if run_label else PROJECT,
        "version": 1,
    }
    return Feedback(workspace=workspace, id=ident(workspace, label), key=key, **{**given, **fields})


def used(prompt: int, completion: int, **rest: Any) -> Usage:
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion, **rest)


def wait(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


def write(store: RunStore, *rows: Run | Feedback) -> None:
    wait(
        store.write(
            [row for row in rows if isinstance(row, Run)], [row for row in rows if isinstance(row, Feedback)]
        )
    )


def found(store: RunStore, workspace: UUID, **selection: Any) -> list[str]:
    """The names of the selected runs, newest first."""
    wanted = RunSelection(workspace=workspace, **selection)
    page = wait(store.page(RunQuery(selection=wanted, columns=frozenset({"name"}), limit=1000)))
    return [one.name or "" for one in page]
