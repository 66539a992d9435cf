"""A conftest for a suite under LangSmith's pytest plugin that says which of its threads comes first.

When a test fails, the plugin sends the end of its run from a thread of a pool, and notes the error in the run from the
thread of the test: `langsmith/testing/_internal.py` hands the run to the pool before the exception leaves
`rh.trace(…, _end_on_exit=False)`, and nobody sends the run again. FIRST=error has the end wait for the error, FIRST=end
the error for the end.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from typing import Any
from uuid import UUID

from langsmith import run_helpers
from langsmith.testing import _internal

FIRST = os.environ["FIRST"]
SECONDS = 60

done: dict[UUID, threading.Event] = defaultdict(threading.Event)
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
    sent(suite, run_tree, *rest, **more)
    if FIRST == "end":
        done[run_tree.id].set()


run_helpers.trace._teardown = leave  # type: ignore[method-assign, assignment]
_internal._LangSmithTestSuite._end_run = send  # type: ignore[method-assign, assignment]
