"""What every run store promises of feedback: pages, and what it comes to."""

from __future__ import annotations

import statistics
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.model.feedback import Feedback, FeedbackStat, refile
from stenograph.model.filters import HasTag
from stenograph.model.query import FeedbackQuery, RunSelection
from stenograph.model.runs import Run
from tests.store.conftest import OpenRuns
from tests.store.run_samples import HOUR, NOON, PROJECT, SECOND, feedback, ident, run, wait, write

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


STATES = ("as given", "filed", "nothing unfiled")
"""Feedback before its runs; filed by them, but for the piece whose run is nowhere; and without that piece."""


def trees_of(workspace: UUID) -> list[Run]:
    return [
        run(workspace, "r1", tags=["x"], thread_id="t"),
        run(workspace, "r1.a", 1, "r1"),
        run(workspace, "r2", 10, project_id=OTHER_PROJECT, thread_id="t"),
    ]


@pytest.fixture(params=STATES)
def state(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def judged(runs: OpenRuns, workspace: UUID, state: str) -> UUID:
    trees = trees_of(workspace)
    by_id = {tree.id: tree for tree in trees}
    write(runs.store, *trees, *given(workspace))
    if state != "as given":
        for item in given(workspace):
            where = by_id.get(item.run_id) if item.run_id else None
            if where is not None:
                write(runs.store, *refile([item], where))
            elif item.run_id is None:
                write(runs.store, item.filed(None), msgspec.structs.replace(item, deleted=True))
    if state == "nothing unfiled":
        write(runs.store, msgspec.structs.replace(given(workspace)[3], deleted=True, version=2))
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
def test_pages(runs: OpenRuns, judged: UUID, case: str, state: str) -> None:
    fields, expected = PAGES[case]
    if state == "nothing unfiled":
        everything = [number for number in range(5) if number != 3]
        start = fields.get("offset", 0)
        bounded = set(fields) <= {"limit", "offset"}
        expected = (
            everything[start : start + fields.get("limit", 100)]
            if bounded
            else [number for number in expected if number != 3]
        )
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


def test_at_most_ten_comments_and_the_first_ten_sources(runs: OpenRuns, workspace: UUID) -> None:
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
    assert (found.count, len(found.comments)) == (30, 10)
    assert found.sources == sorted(f'{{"n":{number}}}' for number in range(30))[:10]


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
    assert averages("all", is_root=False) == {"": {"other": (1, None)}}
    assert averages("project", since=NOON + 5 * SECOND) == {str(OTHER_PROJECT): {"ok": (1, 0.0)}}
    assert averages("run", until=NOON, projects=(PROJECT, OTHER_PROJECT)) == {r1: {"ok": (1, 1.0)}}
    assert averages("all", without_projects=(OTHER_PROJECT,)) == {"": {"ok": (1, 1.0), "other": (1, None)}}
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


@pytest.mark.parametrize("filed", [False, True])
def test_feedback_by_the_time_of_its_run(runs: OpenRuns, workspace: UUID, filed: bool) -> None:
    early, late = run(workspace, "a"), run(workspace, "b", 3600)
    on_late = feedback(workspace, "f1", "b", score=1.0)
    on_early = feedback(workspace, "f2", "a", score=0.0, created_at=NOON + 9 * HOUR)
    write(runs.store, early, late)
    write(runs.store, *((on_late.filed(late), on_early.filed(early)) if filed else (on_late, on_early)))
    found = wait(runs.store.feedback_series(RunSelection(workspace=workspace), HOUR))
    assert [(start, stats["ok"].avg) for start, stats in found.items()] == [(NOON, 0.0), (NOON + HOUR, 1.0)]
    shifted = wait(runs.store.feedback_series(RunSelection(workspace=workspace), HOUR, NOON + 10 * HOUR + 60))
    assert list(shifted) == [NOON - HOUR + 60, NOON + 60]


# -- filing ------------------------------------------------------------------------------------------------


def test_filing_anew_hides_the_place_that_was_left(runs: OpenRuns, workspace: UUID) -> None:
    """Also after the engine has merged what was written: of equal versions the last counts."""
    here = run(workspace, "a")
    there = msgspec.structs.replace(here, project_id=OTHER_PROJECT, version=2)
    first = feedback(workspace, "f", "a", score=1.0, project_id=UUID(int=1))
    write(runs.store, here, first)
    for place in (here, there):
        found = wait(runs.store.feedback(FeedbackQuery(workspace=workspace)))
        write(runs.store, *refile(found, place))
        (item,) = wait(runs.store.feedback(FeedbackQuery(workspace=workspace, runs=(here.id,))))
        assert item == first.filed(place)
        stored = wait(runs.store.stored_feedback([(workspace, first.id)]))[workspace, first.id]
        assert (stored.home, stored.deleted, stored.version) == (place.project_id, False, 1)
    write(runs.store, here.tombstone(2), there)
    assert wait(runs.store.feedback(FeedbackQuery(workspace=workspace, projects=(PROJECT,)))) == []
    assert stat_of(runs, workspace) == FeedbackStat(
        count=1, n=1, avg=1.0, stdev=0.0, min=1.0, max=1.0, sources=['{"type":"api"}']
    )
    runs.reopen()
    (item,) = wait(runs.store.feedback(FeedbackQuery(workspace=workspace, projects=(OTHER_PROJECT,))))
    assert item == first.filed(there)


def test_what_is_not_filed_is_named(runs: OpenRuns, workspace: UUID) -> None:
    def unfiled() -> set[UUID]:
        found = wait(runs.store.unfiled_feedback(1_000_000))
        return {run_id for owner, run_id in found if owner == workspace}

    here = run(workspace, "a")
    late, placed = feedback(workspace, "late", "b"), feedback(workspace, "placed", "a").filed(here)
    write(runs.store, here, late, placed, feedback(workspace, "on the project", None))
    assert unfiled() == {ident(workspace, "b")}
    assert len(wait(runs.store.unfiled_feedback(1))) == 1


def test_nothing_is_filed_under_the_nil_project(runs: OpenRuns, workspace: UUID) -> None:
    """Runs stand there until a client names a project for them; their feedback is found by the runs."""
    nil = UUID(int=0)
    stray = run(workspace, "a", project_id=nil)
    write(runs.store, stray, feedback(workspace, "f", "a", score=1.0), feedback(workspace, "g", "nowhere"))
    found = wait(runs.store.feedback(FeedbackQuery(workspace=workspace, projects=(nil,))))
    assert ident(workspace, "f") in {item.id for item in found}
    selection = RunSelection(workspace=workspace, ids=(stray.id,), projects=(nil,))
    stats = wait(runs.store.feedback_stats(selection, "run"))
    assert {key: stat.count for key, stat in stats[str(stray.id)].items()} == {"ok": 1}


# -- comparisons of experiments ----------------------------------------------------------------------------

FIRST, SECOND_ONE = UUID(int=0xC1), UUID(int=0xC2)


def test_feedback_of_comparisons(runs: OpenRuns, workspace: UUID, state: str) -> None:
    """Pairs of preferences: by comparison and experiment, whether filed or only stated; the rest stays out."""
    trees = trees_of(workspace)
    left, _, right = trees
    group = uuid4()

    def preferred(label: str, on: Run, score: float, comparison: UUID | None) -> Feedback:
        item = feedback(workspace, label, on.name, "preference", score=score, group_id=group)
        item = msgspec.structs.replace(item, comparative_experiment_id=comparison, project_id=on.project_id)
        return item if state == "as given" else item.filed(on)

    write(
        runs.store,
        *trees,
        preferred("p1", left, 1.0, FIRST),
        preferred("p2", right, 0.0, FIRST),
        preferred("p3", left, 0.0, FIRST),
        preferred("p4", right, 1.0, SECOND_ONE),
        preferred("p5", right, 1.0, None),
    )

    def averages(found: Any) -> Any:
        return {
            group: {key: (stat.n, stat.avg) for key, stat in stats.items()} for group, stats in found.items()
        }

    found = wait(runs.store.comparison_feedback_stats(workspace, [FIRST, SECOND_ONE, uuid4()]))
    assert {comparison: averages(by_project) for comparison, by_project in found.items()} == {
        FIRST: {PROJECT: {"preference": (2, 0.5)}, OTHER_PROJECT: {"preference": (1, 0.0)}},
        SECOND_ONE: {OTHER_PROJECT: {"preference": (1, 1.0)}},
    }
    assert wait(runs.store.comparison_feedback_stats(workspace, [])) == {}
    assert wait(runs.store.comparison_feedback_stats(uuid4(), [FIRST])) == {}

    of_both = RunSelection(workspace=workspace, projects=(PROJECT, OTHER_PROJECT))
    assert averages(wait(runs.store.feedback_stats(of_both, "project", FIRST))) == {
        str(PROJECT): {"preference": (2, 0.5)},
        str(OTHER_PROJECT): {"preference": (1, 0.0)},
    }
    by_id = RunSelection(workspace=workspace, ids=(right.id,))
    assert averages(wait(runs.store.feedback_stats(by_id, "run", SECOND_ONE))) == {
        str(right.id): {"preference": (1, 1.0)}
    }
    # What was given in a comparison is feedback on its run all the same.
    everything = wait(runs.store.feedback_stats(of_both, "project"))
    assert averages(everything)[str(OTHER_PROJECT)] == {"preference": (3, pytest.approx(2 / 3))}
    listed = wait(runs.store.feedback(FeedbackQuery(workspace=workspace, comparative_experiment=FIRST)))
    assert {item.id for item in listed} == {ident(workspace, label) for label in ("p1", "p2", "p3")}
    assert {item.group_id for item in listed} == {group}
