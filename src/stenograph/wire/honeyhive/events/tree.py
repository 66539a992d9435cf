"""A session as a tree of its events, `children` within `children`, with the roll-ups in its metadata. Pure.

One pass over the runs of the trace, however many: parents are found by their ids, not by dotted orders.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.domain.recording import places
from stenograph.model.feedback import Feedback
from stenograph.model.runs import Micros, Run
from stenograph.wire.honeyhive.events import rollups, shapes

COLUMNS: Final = (shapes.COLUMNS | places.COLUMNS) - {"dotted_order"}
"""The run store's columns that a tree is made of."""

MAX_DEPTH: Final = 100
"""Levels of `children`; what is below stands beside its parent on the last, since JSON readers have limits of
their own. Each event's `parent_id` and `children_ids` are right in any case."""


def tree(trace: UUID, runs: Sequence[Run], feedback: Iterable[Feedback]) -> dict[str, Any]:
    """The session's event. `runs` are all of the trace with COLUMNS, oldest first, at least one; `feedback` is theirs.

    An event whose parent is not there, or that is its own ancestor, stands under the session.
    """
    root, below = _below(trace, runs)
    given = shapes.by_run(feedback)
    rollup = rollups.of_trace(trace, runs, (item for items in given.values() for item in items))
    nodes = {root.id: _node(root, given.get(root.id, ()), rollup.members(root))}
    children: dict[UUID, list[UUID]] = {}
    queue: deque[tuple[Run, dict[str, Any], int]] = deque([(root, nodes[root.id], 1)])

    def hang(run: Run, above: Run, under: dict[str, Any], depth: int) -> None:
        node = nodes[run.id] = _node(run, given.get(run.id, ()))
        node["parent_id"] = above.id
        under["children"].append(node)
        children.setdefault(above.id, []).append(run.id)
        queue.append((run, node if depth < MAX_DEPTH else under, depth + 1))

    rest = iter(runs)
    while True:
        while queue:
            above, under, depth = queue.popleft()
            for run in below.get(above.id, ()):
                if run.id not in nodes:
                    hang(run, above, under, depth)
        left = next((run for run in rest if run.id not in nodes), None)
        if left is None:
            break
        hang(left, root, nodes[root.id], 1)  # one of a circle: nothing leads there
    for run_id, ids in children.items():
        nodes[run_id]["children_ids"] = nodes[run_id]["children_ids"] or ids
    ends = [run.end_time for run in runs if run.end_time is not None]
    if root.end_time is None and ends:
        _end(nodes[root.id], root, max(ends))
    return nodes[root.id]


def _below(trace: UUID, runs: Sequence[Run]) -> tuple[Run, dict[UUID, list[Run]]]:
    """The session's run, and the children of each run. What stands in where it has not come knows its place alone."""
    family = places.Family(runs)
    root = next((run for run in runs if run.id == trace), None)
    if root is None:
        first = runs[0]
        root = Run(
            workspace=first.workspace,
            id=trace,
            project_id=first.project_id,
            trace_id=trace,
            start_time=first.start_time,
            is_root=True,
            name="session",
            run_type="chain",
        )
    known = {run.id for run in runs}
    below: dict[UUID, list[Run]] = {}
    for run in runs:
        if run.id != root.id:
            parent = family.parent(run)
            below.setdefault(parent if parent in known else root.id, []).append(run)
    return root, below


def _node(run: Run, feedback: Iterable[Feedback], metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """An event as its tree has it: `end_time` and `duration` are required there, and a parent or error that is null
    is left out."""
    node = shapes.event(run, feedback, metadata)
    for name in ("parent_id", "error"):
        if node[name] is None:
            del node[name]
    if run.end_time is None:
        _end(node, run, run.start_time)
    node["children"] = []
    return node


def _end(node: dict[str, Any], run: Run, end: Micros) -> None:
    """When a session is over that nobody has ended: with the last of its events."""
    ended = shapes.event(msgspec.structs.replace(run, end_time=max(end, run.start_time)))
    node["end_time"], node["duration"] = ended["end_time"], ended["duration"]
