"""What every run store promises of whole traces, by their roots: figures, and who gave feedback in them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from stenograph.model.feedback import Feedback, Shelf, shelf
from stenograph.model.runs import Run
from stenograph.model.stats import TraceFigures
from tests.store.conftest import OpenRuns
from tests.store.run_samples import HOUR, NOON, PROJECT, feedback, ident, run, used, wait, write

NOWHERE, ELSEWHERE = UUID(int=0), UUID(int=0xE15E)


def figures(runs: OpenRuns, *roots: Run) -> dict[UUID, TraceFigures]:
    return dict(wait(runs.store.trace_figures(roots[0].workspace, roots)))


def test_what_stands_below_the_roots(runs: OpenRuns, workspace: UUID) -> None:
    one, two, alone = (run(workspace, label, usage=used(100, 100)) for label in ("one", "two", "alone"))
    write(
        runs.store,
        one,
        two,
        alone,
        run(workspace, "a", 1, "one", run_type="llm", usage=used(1, 2, total_cost=5)),
        run(workspace, "b", 2, "a", "one", run_type="embedding", usage=used(10, 0)),
        run(workspace, "c", 3, "one", run_type="tool", usage=used(0, 0, total_cost=7)),
        run(workspace, "late", 4, "two", run_type="llm", project_id=NOWHERE),
        run(workspace, "other", 4, "two", project_id=ELSEWHERE),
    )
    assert figures(runs, one, two, alone) == {
        one.id: TraceFigures(runs=3, model_runs=2, usage=used(11, 2, total_cost=12)),
        two.id: TraceFigures(runs=1, model_runs=1),
    }
    assert figures(runs, two) == {two.id: TraceFigures(runs=1, model_runs=1)}
    assert figures(runs, alone) == {}
    assert wait(runs.store.trace_figures(workspace, [])) == {}
    stranger = msgspec.structs.replace(one, workspace=UUID(int=0xF))
    assert figures(runs, stranger) == {}


def test_only_the_newest_version_counts(runs: OpenRuns, workspace: UUID) -> None:
    root, child = run(workspace, "root"), run(workspace, "child", 1, "root", usage=used(1, 1))
    write(runs.store, root, child)
    write(runs.store, msgspec.structs.replace(child, version=2, usage=used(3, 4)))
    assert figures(runs, root) == {root.id: TraceFigures(runs=1, usage=used(3, 4))}
    write(runs.store, child.tombstone(3))
    assert figures(runs, root) == {}


def test_who_gave_feedback(runs: OpenRuns, workspace: UUID) -> None:
    """As model/feedback.py sorts it, filed or not."""
    marked = {"metrics": b'{"type":"api","metadata":{"honeyhive":"metrics"}}'}
    marked["feedback"] = marked["metrics"].replace(b'"metrics"', b'"feedback"')
    kinds: dict[str, dict[str, Any]] = {
        "metrics": {"source": marked["metrics"]},
        "feedback": {"source": marked["feedback"]},
        "app": {"source_type": "app"},
        "app metrics": {"source_type": "app", "source": marked["metrics"]},
        "api": {"source_type": "api", "source": b'{"metadata":{"x":"honeyhive"}}'},
        "junk": {"source_type": "app", "source": b'{"metadata":{"x":"honeyhive"}}'},
    }
    roots: list[Run] = []
    pieces: list[Feedback] = []
    for filed in (True, False):
        for kind, fields in kinds.items():
            root = run(workspace, f"{kind} {filed}", trace_id=ident(workspace, f"{kind} {filed}"))
            child = run(workspace, f"child of {root.name}", 1, root.name)
            roots.append(root)
            write(runs.store, root, child)
            piece = feedback(workspace, f"on {child.name}", child.name, **fields)
            pieces.append(piece.filed(child if filed else None))
    wait(runs.store.write([], pieces))
    expected = {
        root.trace_id for root, piece in zip(roots, pieces, strict=True) if shelf(piece) is Shelf.FEEDBACK
    }
    assert len(expected) == 6
    assert wait(runs.store.traces_with_feedback(workspace, roots)) == expected
    assert wait(runs.store.traces_with_feedback(workspace, roots[:1])) == set()
    assert wait(runs.store.traces_with_feedback(workspace, [])) == set()
    assert wait(runs.store.traces_with_feedback(UUID(int=0xF), roots)) == set()


def test_a_clock_that_is_behind(runs: OpenRuns, workspace: UUID) -> None:
    root = run(workspace, "root")
    hours = {"near": 23, "far": 25}
    for label, behind in hours.items():
        write(runs.store, run(workspace, label, 0, "root", start_time=NOON - behind * HOUR))
    write(runs.store, root)
    assert root.project_id == PROJECT
    assert figures(runs, root) == {root.id: TraceFigures(runs=2)}
    others = [run(workspace, f"root {number}") for number in range(20)]
    assert figures(runs, root, *others) == {root.id: TraceFigures(runs=1)}
