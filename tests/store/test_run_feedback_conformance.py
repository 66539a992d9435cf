"""What every run store promises of feedback: pages, and what it comes to."""

from __future__ import annotations

import statistics
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.model.feedback import Feedback, FeedbackStat
from stenograph.model.filters import HasTag
from stenograph.model.query import FeedbackQuery, RunSelection
from tests.store.conftest import OpenRuns
from tests.store.run_samples import HOUR, NOON, PROJECT, feedback, ident, run, wait, write

OTHER_PROJECT = UUID(int=0xBEEF)


def test_feedback_comes_back_as_it_was_given(runs: OpenRuns, workspace: UUID) -> None:
    full = Feedback(
        workspace=workspace,
        id=uuid4(),
        key="correct'\\ é",
        created_at=NOON,
        modified_at=NOON + 1,
        run_id=uuid4(),
        trace_id=uuid4(),
        project_id=uuid4(),
        score=-0.25,
        raw_score=b"-0.25",
        value=b'{"a":[1]}',
        comment="well \0 done",
        correction=b'{"b":null}',
        source_type="app",
        source=b'{"type":"app","user_id":"u"}',
        group_id=uuid4(),
        comparative_experiment_id=uuid4(),
        start_time=NOON - 5,
        extra=b"[]",
        error=True,
        version=9,
    )
    bare = feedback(workspace, "bare", "a", created_at=NOON - 1)
    empty = feedback(workspace, "empty", "a", created_at=NOON - 2, comment="")
    write(runs.store, full, bare, empty)
    assert wait(runs.store.feedback(FeedbackQuery(workspace=workspace))) == [full, bare, empty]


# -- pages -------------------------------------------------------------------------------------------------


def given(workspace: UUID) -> list[Feedback]:
    """Four pieces on runs and one on a project, newest first."""
    by_user = {"source": b'{"type":"app","user_id":"ann"}', "source_type": "app"}
    by_login = {"source": b'{"type":"app","ls_user_id":"bob"}', "source_type": "app"}
    rest: list[dict[str, Any]] = [
        {"run_label": "r1", "score": 1.0, "comment": "yes", **by_user},
        {"run_label": "r1.a", "key": "other", "value": b'"good"', **by_login},
        {"run_label": "r2", "score": 0.0, "comment": "", "comparative_experiment_id": UUID(int=4)},
        {"run_label": "nowhere", "source_type": "model"},
        {"run_label": None, "score": 5.0},
    ]
    return [
        feedback(workspace, f"f{number}", created_at=NOON - number, **one) for number, one in enumerate(rest)
    ]


@pytest.fixture
def judged(runs: OpenRuns, workspace: UUID) -> UUID:
    trees = [
        run(workspace, "r1", tags=["x"], thread_id="t"),
        run(workspace, "r1.a", 1, "r1"),
        run(workspace, "r2", 10, project_id=OTHER_PROJECT, thread_id="t"),
    ]
    write(runs.store, *trees, *given(workspace))
    elsewhere = uuid4()
    write(runs.store, *(msgspec.structs.replace(item, workspace=elsewhere) for item in given(workspace)))
    write(runs.store, *(msgspec.structs.replace(tree, workspace=elsewhere) for tree in trees))
    return workspace


PAGES: dict[str, tuple[dict[str, Any], list[int]]] = {
    "everything": ({}, [0, 1, 2, 3, 4]),
    "ids": ({"ids": ("f1", "f4", "none")}, [1, 4]),
    "runs": ({"runs": ("r1", "nowhere")}, [0, 3]),
    "traces": ({"traces": ("r1",)}, [0, 1]),
    "projects": ({"projects": (PROJECT,)}, [0, 1, 4]),
    "another project": ({"projects": (OTHER_PROJECT,)}, [2]),
    "without a project": ({"without_projects": (OTHER_PROJECT,)}, [0, 1, 3, 4]),
    "without the project": ({"without_projects": (PROJECT,)}, [2, 3]),
    "keys": ({"keys": ("other", "none")}, [1]),
    "sources": ({"sources": ("app", "model")}, [0, 1, 3]),
    "user": ({"users": ("ann",)}, [0]),
    "login": ({"users": ("bob", "it's")}, [1]),
    "with comment": ({"has_comment": True}, [0]),
    "without comment": ({"has_comment": False}, [1, 2, 3, 4]),
    "with score": ({"has_score": True}, [0, 2, 4]),
    "without score": ({"has_score": False}, [1, 3]),
    "on runs": ({"on_runs": True}, [0, 1, 2, 3]),
    "on projects": ({"on_runs": False}, [4]),
    "since": ({"created_since": NOON - 1}, [0, 1]),
    "until": ({"created_until": NOON - 3}, [3, 4]),
    "experiment": ({"comparative_experiment": UUID(int=4)}, [2]),
    "limit": ({"limit": 2}, [0, 1]),
    "offset": ({"limit": 2, "offset": 3}, [3, 4]),
    "beyond": ({"offset": 5}, []),
    "together": ({"runs": ("r1", "r2"), "has_score": True, "keys": ("ok",), "sources": ("app",)}, [0]),
}


@pytest.mark.parametrize("case", PAGES)
def test_pages(runs: OpenRuns, judged: UUID, case: str) -> None:
    fields, expected = PAGES[case]
    wanted = dict(fields)
    for name in ("ids", "runs", "traces"):
        if name in wanted:
            wanted[name] = tuple(ident(judged, label) for label in wanted[name])
    items = wait(runs.store.feedback(FeedbackQuery(workspace=judged, **wanted)))
    assert [item.id for item in items] == [ident(judged, f"f{number}") for number in expected]
    assert {item.workspace for item in items} <= {judged}


def test_ties_in_time_are_paged_without_gap(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, *(feedback(workspace, f"f{number}", "a") for number in range(25)))
    seen = [
        item.id
        for offset in range(0, 30, 7)
        for item in wait(runs.store.feedback(FeedbackQuery(workspace=workspace, limit=7, offset=offset)))
    ]
    assert len(seen) == 25
    assert set(seen) == {ident(workspace, f"f{number}") for number in range(25)}


# -- what it comes to --------------------------------------------------------------------------------------


def stat_of(runs: OpenRuns, workspace: UUID, key: str = "ok") -> FeedbackStat | None:
    return wait(runs.store.feedback_stats(RunSelection(workspace=workspace), "all")).get("", {}).get(key)


def test_numbers(runs: OpenRuns, workspace: UUID) -> None:
    scores = [0.0, 0.5, 1.0, 4.0]
    write(runs.store, run(workspace, "a"))
    write(runs.store, *(feedback(workspace, f"f{score}", "a", score=score) for score in scores))
    found = stat_of(runs, workspace)
    assert found is not None
    assert found.stdev == pytest.approx(statistics.pstdev(scores))
    assert msgspec.structs.replace(found, stdev=None) == FeedbackStat(
        count=4, n=4, avg=1.375, min=0.0, max=4.0, sources=['{"type":"api"}']
    )


def test_categories_booleans_comments_and_objects(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        run(workspace, "a"),
        feedback(workspace, "c1", "a", "category", value=b'"good"'),
        feedback(workspace, "c2", "a", "category", value=b'"good"'),
        feedback(workspace, "c3", "a", "category", value=b'"b\\u00e4d"'),
        feedback(workspace, "c4", "a", "category", value=b"null"),
        feedback(workspace, "b1", "a", "boolean", score=1.0, raw_score=b"true"),
        feedback(workspace, "b2", "a", "boolean", score=0.0, raw_score=b"false", value=b"true"),
        feedback(workspace, "n1", "a", "note", comment="fine", source=b'{"type":"app"}', source_type="app"),
        feedback(workspace, "n2", "a", "note", comment="", error=True),
        feedback(workspace, "o1", "a", "object", value=b'{"a":1}'),
    )
    found = wait(runs.store.feedback_stats(RunSelection(workspace=workspace), "all"))[""]
    api = ['{"type":"api"}']
    assert found["category"] == FeedbackStat(count=4, values={"good": 2, "bäd": 1}, sources=api)
    assert found["boolean"] == FeedbackStat(
        count=2, n=2, avg=0.5, stdev=0.5, min=0.0, max=1.0, values={"true": 1}, sources=api
    )
    assert found["object"] == FeedbackStat(count=1, sources=api)
    note = found["note"]
    assert msgspec.structs.replace(note, sources=[]) == FeedbackStat(count=2, errors=1, comments=["fine"])
    assert sorted(note.sources) == ['{"type":"api"}', '{"type":"app"}']


def test_at_most_ten_comments_and_sources(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, run(workspace, "a"))
    write(
        runs.store,
        *(
            feedback(workspace, f"f{number}", "a", comment=f"c{number}", source=b'{"n":%d}' % number)
            for number in range(30)
        ),
    )
    found = stat_of(runs, workspace)
    assert found is not None
    assert (found.count, len(found.comments), len(found.sources)) == (30, 10, 10)


def test_changes_and_withdrawals_count_at_once(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, run(workspace, "a"), feedback(workspace, "f", "a", score=1.0))
    write(runs.store, feedback(workspace, "f", "a", score=3.0, version=2))
    changed = stat_of(runs, workspace)
    assert changed is not None
    assert (changed.count, changed.avg) == (1, 3.0)
    write(runs.store, feedback(workspace, "f", "a", score=3.0, version=3, deleted=True))
    assert stat_of(runs, workspace) is None
    assert (
        wait(
            runs.store.feedback_stats(RunSelection(workspace=workspace, ids=(ident(workspace, "a"),)), "run")
        )
        == {}
    )


def test_groups(runs: OpenRuns, judged: UUID) -> None:
    def averages(by: Any, **selection: Any) -> dict[str, dict[str, tuple[int, float | None]]]:
        found = wait(runs.store.feedback_stats(RunSelection(workspace=judged, **selection), by))
        return {
            group: {key: (stat.count, stat.avg) for key, stat in stats.items()}
            for group, stats in found.items()
        }

    r1, child, r2 = (str(ident(judged, label)) for label in ("r1", "r1.a", "r2"))
    assert averages("all") == {"": {"ok": (2, 0.5), "other": (1, None)}}
    assert averages("run") == {r1: {"ok": (1, 1.0)}, child: {"other": (1, None)}, r2: {"ok": (1, 0.0)}}
    assert averages("project") == {
        str(PROJECT): {"ok": (1, 1.0), "other": (1, None)},
        str(OTHER_PROJECT): {"ok": (1, 0.0)},
    }
    assert averages("thread", is_root=True) == {"t": {"ok": (2, 0.5)}}
    assert averages("all", filter=HasTag("x")) == {"": {"ok": (1, 1.0)}}
    assert averages("all", projects=(OTHER_PROJECT,)) == {"": {"ok": (1, 0.0)}}
    assert averages("run", ids=(UUID(r1), UUID(child))) == {r1: {"ok": (1, 1.0)}, child: {"other": (1, None)}}
    assert averages("run", ids=(UUID(r1), UUID(r2)), projects=(PROJECT,)) == {r1: {"ok": (1, 1.0)}}
    assert averages("project", ids=(UUID(r1), UUID(r2))) == {
        str(PROJECT): {"ok": (1, 1.0)},
        str(OTHER_PROJECT): {"ok": (1, 0.0)},
    }
    assert averages("run", traces=(UUID(r1),), is_root=False) == {child: {"other": (1, None)}}
    assert averages("all", projects=(UUID(int=1),)) == {}


def test_feedback_of_projects(runs: OpenRuns, judged: UUID) -> None:
    found = wait(runs.store.project_feedback_stats(judged, [PROJECT, OTHER_PROJECT]))
    assert {project: {key: stat.avg for key, stat in stats.items()} for project, stats in found.items()} == {
        PROJECT: {"ok": 5.0}
    }
    assert wait(runs.store.project_feedback_stats(judged, [])) == {}
    assert wait(runs.store.project_feedback_stats(uuid4(), [PROJECT])) == {}


def test_feedback_by_the_time_of_its_run(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        run(workspace, "a"),
        run(workspace, "b", 3600),
        feedback(workspace, "f1", "b", score=1.0),
        feedback(workspace, "f2", "a", score=0.0, created_at=NOON + 9 * HOUR),
    )
    found = wait(runs.store.feedback_series(RunSelection(workspace=workspace), HOUR))
    assert [(start, stats["ok"].avg) for start, stats in found.items()] == [(NOON, 0.0), (NOON + HOUR, 1.0)]
    shifted = wait(runs.store.feedback_series(RunSelection(workspace=workspace), HOUR, NOON + 10 * HOUR + 60))
    assert list(shifted) == [NOON - HOUR + 60, NOON + 60]
