"""A conftest for a suite under LangSmith's pytest plugin that says which of its threads comes first.

When a test fails, the plugin sends the end of its run from a thread of a pool, and notes the error in the run from the
thread of the test: `langsmith/testing/_internal.py` hands the run to the pool before the exception leaves
`rh.trace(…, _end_on_exit=False)`, and nobody sends the run again. FIRST=error has the end wait for the error,
FIRST=end the error for the end. FIRST=call has the end wait until the test was called and its cassette closed: a
request that asks the pool for a connection while vcrpy takes its patches off looks for a class of connection that no
longer comes, for ever (`patched_get_conn` in `vcr/patch.py`).
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Generator
from typing import Any
from uuid import UUID

import pytest
from langsmith import run_helpers
from langsmith.testing import _internal

FIRST = os.environ["FIRST"]
SECONDS = 60

done: dict[UUID, threading.Event] = defaultdict(threading.Event)
called = threading.Event()
left, sent = run_helpers.trace._teardown, _internal._LangSmithTestSuite._end_run


def leave(trace: Any, *raised: Any) -> None:
    if FIRST == "end" and not trace._end_on_exit:
        assert done[trace.new_run.id].wait(SECONDS)
    left(trace, *raised)
    if FIRST == "error":
        done[trace.new_run.id].set()


def send(suite: Any, run_tree: Any, *rest: Any, **more: Any) -> None:
    if FIRST == "error":
        assert done[run_tree.id].wait(SECONDS)
    if FIRST == "call":
        assert called.wait(SECONDS)
    sent(suite, run_tree, *rest, **more)
    if FIRST == "end":
        done[run_tree.id].set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, Any, Any]:
    try:
        return (yield)
    finally:
        called.set()


run_helpers.trace._teardown = leave  # type: ignore[method-assign, assignment]
_internal._LangSmithTestSuite._end_run = send  # type: ignore[method-assign, assignment]
