"""What every run store promises of composite scores: statistics and filters, over given feedback that it finds."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.model.feedback import Feedback, FeedbackStat, Stats
from stenograph.model.feedback_formulas import (
    Aggregation,
    Applied,
    Formula,
    FormulaPart,
    with_composites,
)
from stenograph.model.filters import Exists, Filter, HasTag, Not, PairKind, PairTest, Part, TestOp, all_of
from stenograph.model.query import RunSelection
from stenograph.model.runs import Run
from tests.store.conftest import OpenRuns
from tests.store.run_samples import HOUR, NOON, PROJECT, SECOND, feedback, found, ident, run, wait, write

OTHER_PROJECT = UUID(int=0xBEEF)

QUALITY = Formula(
    key="quality",
    aggregation=Aggregation.AVERAGE,
    parts=(FormulaPart("correct", 3.0), FormulaPart("polite'", 1.0)),
)
PENALTY = Formula(key="penalty", aggregation=Aggregation.SUM, parts=(FormulaPart("correct", -2.0),))
EVERYWHERE = (PROJECT, OTHER_PROJECT)

# run, its scores by key, and the composites that follow
SCORES: dict[str, tuple[dict[str, list[float | None]], float | None, float | None]] = {
    "both": ({"correct": [1.0], "polite'": [0.0]}, 0.75, -2.0),
    "several": ({"correct": [1.0, 0.0], "polite'": [0.5, 0.5, 0.5]}, 0.5, -1.0),
    "one part": ({"correct": [0.25]}, None, -0.5),
    "no number": ({"correct": [1.0], "polite'": [None]}, None, -2.0),
    "neither": ({"other": [1.0]}, None, None),
    "elsewhere": ({"correct": [0.5], "polite'": [0.5]}, 0.5, -1.0),
}


@pytest.fixture(params=[False, True], ids=["as given", "filed"])
def judged(request: pytest.FixtureRequest, runs: OpenRuns, workspace: UUID) -> UUID:
    rows: list[Run | Feedback] = []
    for number, (name, (scores, _, _)) in enumerate(SCORES.items()):
        project = OTHER_PROJECT if name == "elsewhere" else PROJECT
        one = run(workspace, name, number * 600, project_id=project, thread_id="t", tags=[name[0]])
        items = [
            feedback(workspace, f"{name} {key} {index}", name, key, score=score, comment="c")
            for key, given in scores.items()
            for index, score in enumerate(given)
        ]
        theirs = uuid4()
        rows += [one, *(item.filed(one) if request.param else item for item in items)]
        rows += [msgspec.structs.replace(item, workspace=theirs, score=99.0) for item in items]
    write(runs.store, *rows)
    return workspace


def asked(
    workspace: UUID, *formulas: Formula, where: tuple[UUID, ...] = EVERYWHERE, **more: Any
) -> RunSelection:
    return RunSelection(
        workspace=workspace, formulas=tuple(Applied(formula, where) for formula in formulas), **more
    )


def scores_of(runs: OpenRuns, selection: RunSelection, by: Any, key: str) -> dict[str, Any]:
    stats = wait(runs.store.feedback_stats(selection, by))
    return {group: (of[key].n, of[key].avg) for group, of in stats.items() if key in of}


def test_by_run(runs: OpenRuns, judged: UUID) -> None:
    both = asked(judged, QUALITY, PENALTY)
    for key, at in (("quality", 1), ("penalty", 2)):
        expected = {
            str(ident(judged, name)): (1, row[at]) for name, row in SCORES.items() if row[at] is not None
        }
        assert scores_of(runs, both, "run", key) == expected
        ids = tuple(ident(judged, name) for name in SCORES)
        named = asked(judged, QUALITY, PENALTY, ids=ids)
        assert scores_of(runs, named, "run", key) == expected


def test_the_store_and_the_model_compute_the_same(runs: OpenRuns, judged: UUID) -> None:
    plain = wait(runs.store.feedback_stats(RunSelection(workspace=judged), "run"))
    stored = wait(runs.store.feedback_stats(asked(judged, QUALITY, PENALTY), "run"))

    def comparable(stats: Stats) -> dict[str, FeedbackStat]:
        return {
            key: msgspec.structs.replace(stat, sources=sorted(stat.sources)) for key, stat in stats.items()
        }

    assert {group: comparable(of) for group, of in stored.items()} == {
        group: comparable(with_composites(of, [QUALITY, PENALTY])) for group, of in plain.items()
    }


def test_groups_and_selections(runs: OpenRuns, judged: UUID) -> None:
    formulas = asked(judged, QUALITY)
    assert scores_of(runs, formulas, "all", "quality") == {"": (3, pytest.approx(1.75 / 3))}
    assert scores_of(runs, formulas, "project", "quality") == {
        str(PROJECT): (2, 0.625),
        str(OTHER_PROJECT): (1, 0.5),
    }
    assert scores_of(runs, asked(judged, QUALITY, is_root=True), "thread", "quality") == {
        "t": (3, pytest.approx(1.75 / 3))
    }
    assert scores_of(runs, asked(judged, QUALITY, filter=HasTag("b")), "all", "quality") == {"": (1, 0.75)}
    assert scores_of(runs, asked(judged, QUALITY, since=NOON + 601 * SECOND), "all", "quality") == {
        "": (1, 0.5)
    }
    assert scores_of(runs, asked(judged, QUALITY, projects=(OTHER_PROJECT,)), "all", "quality") == {
        "": (1, 0.5)
    }


def test_a_formula_is_that_of_its_projects(runs: OpenRuns, judged: UUID) -> None:
    here = asked(judged, QUALITY, where=(OTHER_PROJECT,))
    assert scores_of(runs, here, "project", "quality") == {str(OTHER_PROJECT): (1, 0.5)}
    nowhere = asked(judged, QUALITY, where=(OTHER_PROJECT,), projects=(PROJECT,))
    assert scores_of(runs, nowhere, "project", "quality") == {}
    assert scores_of(runs, nowhere, "project", "correct") == {str(PROJECT): (5, 0.65)}
    # Two of one key, each in its own project, are one key in a group of both.
    other = msgspec.structs.replace(PENALTY, key="quality")
    two = RunSelection(
        workspace=judged, formulas=(Applied(QUALITY, (OTHER_PROJECT,)), Applied(other, (PROJECT,)))
    )
    assert scores_of(runs, two, "all", "quality") == {"": (5, pytest.approx((0.5 - 2 - 1 - 0.5 - 2) / 5))}


def test_what_was_given_under_the_key_counts_beside_it(runs: OpenRuns, judged: UUID) -> None:
    write(runs.store, feedback(judged, "given", "both", "quality", score=0.25))
    stats = wait(runs.store.feedback_stats(asked(judged, QUALITY, projects=(PROJECT,)), "all"))[""]["quality"]
    assert (stats.count, stats.n, stats.min, stats.max) == (3, 3, 0.25, 0.75)
    assert stats.avg == pytest.approx(0.5)


def test_changes_count_at_once(runs: OpenRuns, judged: UUID) -> None:
    formulas = asked(judged, QUALITY, ids=(ident(judged, "both"),))
    part = feedback(judged, "both polite' 0", "both", "polite'", score=1.0, version=2)
    listed = wait(runs.store.stored_feedback([(judged, part.id)]))[judged, part.id]
    write(runs.store, msgspec.structs.replace(part, home=listed.home))
    assert list(scores_of(runs, formulas, "run", "quality").values()) == [(1, 1.0)]
    write(runs.store, msgspec.structs.replace(part, home=listed.home, version=3, deleted=True))
    assert scores_of(runs, formulas, "run", "quality") == {}


def test_series(runs: OpenRuns, judged: UUID) -> None:
    write(
        runs.store,
        run(judged, "late", 7200),
        feedback(judged, "l1", "late", "correct", score=0.0),
        feedback(judged, "l2", "late", "polite'", score=0.0),
    )
    found = wait(runs.store.feedback_series(asked(judged, QUALITY, projects=(PROJECT,)), HOUR))
    assert {start: of["quality"].avg for start, of in found.items() if "quality" in of} == {
        NOON: 0.625,
        NOON + 2 * HOUR: 0.0,
    }


def test_an_overflow_is_no_score(runs: OpenRuns, judged: UUID) -> None:
    wild = Formula(
        key="wild",
        aggregation=Aggregation.SUM,
        parts=(FormulaPart("correct", 1e12), FormulaPart("big", 1e12)),
    )
    write(runs.store, feedback(judged, "big", "both", "big", score=1e300))
    assert scores_of(runs, asked(judged, wild), "all", "wild") == {}


# -- filters -----------------------------------------------------------------------------------------------


def of_key(op: TestOp, key: str) -> PairTest:
    return PairTest(PairKind.FEEDBACK, Part.KEY, op, (key,))


def scored(op: TestOp, *scores: float) -> PairTest:
    return PairTest(PairKind.FEEDBACK, Part.SCORE, op, scores)


KEY = of_key(TestOp.EQ, "quality")
WITH_QUALITY = {"both", "several", "elsewhere"}
FILTERS: dict[str, tuple[Filter, set[str]]] = {
    "key": (all_of([KEY]), WITH_QUALITY),
    "exists": (Exists(PairKind.FEEDBACK, "quality"), WITH_QUALITY),
    "score": (all_of([KEY, scored(TestOp.GT, 0.5)]), {"both"}),
    "exact score": (all_of([KEY, scored(TestOp.IN, 0.5, 9.0)]), {"several", "elsewhere"}),
    "another score": (all_of([KEY, scored(TestOp.EQ, 0.5).flipped()]), {"both"}),
    "no such key": (all_of([KEY.flipped()]), set(SCORES) - WITH_QUALITY),
    "not": (Not(all_of([KEY, scored(TestOp.GT, 0.5)])), set(SCORES) - {"both"}),
    "pattern": (all_of([of_key(TestOp.LIKE, "qual%")]), WITH_QUALITY),
    "some score": (all_of([scored(TestOp.EQ, 0.75)]), {"both"}),
    "given scores too": (all_of([scored(TestOp.LTE, -2.0)]), {"both", "no number"}),
    "without comment": (
        all_of([KEY, PairTest(PairKind.FEEDBACK, Part.COMMENT, TestOp.EQ, (None,))]),
        WITH_QUALITY,
    ),
    "with a source": (all_of([KEY, PairTest(PairKind.FEEDBACK, Part.SOURCE, TestOp.EQ, ("api",))]), set()),
    "given keys": (all_of([of_key(TestOp.EQ, "other")]), {"neither"}),
}


@pytest.mark.parametrize("case", FILTERS)
def test_filters(runs: OpenRuns, judged: UUID, case: str) -> None:
    wanted, expected = FILTERS[case]
    applied = (Applied(QUALITY, EVERYWHERE), Applied(PENALTY, EVERYWHERE))
    assert set(found(runs.store, judged, filter=wanted, formulas=applied)) == expected
    here = expected - {"elsewhere"}
    assert set(found(runs.store, judged, filter=wanted, formulas=applied, projects=(PROJECT,))) == here
    assert set(found(runs.store, judged, trace_filter=wanted, formulas=applied, projects=(PROJECT,))) == here
    assert set(found(runs.store, judged, tree_filter=wanted, formulas=applied)) == expected


def test_filters_keep_to_the_projects_of_a_formula(runs: OpenRuns, judged: UUID) -> None:
    only = (Applied(QUALITY, (OTHER_PROJECT,)),)
    assert found(runs.store, judged, filter=all_of([KEY]), formulas=only) == ["elsewhere"]
    assert found(runs.store, judged, filter=all_of([KEY])) == []


def test_filters_and_statistics_go_together(runs: OpenRuns, judged: UUID) -> None:
    selection = asked(judged, QUALITY, filter=all_of([KEY, scored(TestOp.LT, 0.7)]))
    assert scores_of(runs, selection, "all", "quality") == {"": (2, 0.5)}
    assert wait(runs.store.stats(selection))[""].run_count == 2


def test_many_formulas_of_many_parts(runs: OpenRuns, workspace: UUID) -> None:
    """As many as are allowed: the engine takes a statement of that size."""
    one = run(workspace, "a")
    keys = [f"key {number}" for number in range(50)]
    write(
        runs.store,
        one,
        *(feedback(workspace, key, "a", key, score=float(at)).filed(one) for at, key in enumerate(keys)),
    )
    formulas = [
        Formula(
            key=f"total {number}",
            aggregation=Aggregation.AVERAGE,
            parts=tuple(FormulaPart(key, 1.0 + number) for key in keys),
        )
        for number in range(50)
    ]
    stats = wait(runs.store.feedback_stats(asked(workspace, *formulas), "all"))[""]
    assert {stats[formula.key].avg for formula in formulas} == {24.5}
    either = asked(workspace, *formulas, filter=all_of([scored(TestOp.EQ, 24.5)]))
    assert set(wait(runs.store.stats(either))) == {""}
