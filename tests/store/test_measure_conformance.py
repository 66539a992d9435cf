"""What every run store promises of figures over anything in a run, of names in its objects, and of counting."""

from __future__ import annotations

import statistics
from uuid import UUID

import pytest

from stenograph.model.feedback import Shelf
from stenograph.model.filters import And, Compare, Field, Not, Op
from stenograph.model.measures import (
    Aggregate,
    Choice,
    Constant,
    Figure,
    FigureQuery,
    Measure,
    NameCount,
    NamesQuery,
    OfTrace,
    Scaled,
    Span,
)
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import Micros
from stenograph.model.values import Document, InDocument, InFeedback
from tests.store.conftest import OpenRuns
from tests.store.run_samples import HOUR, NOON, PROJECT, SECOND, feedback, run, used, wait, write

ROOT = Compare(Field.IS_ROOT, Op.EQ, True)
ALL = And(())
DAY = 24 * HOUR


def figures(runs: OpenRuns, workspace: UUID, **wanted: object) -> list[Figure]:
    selection = RunSelection(workspace=workspace)
    return wait(runs.store.figures(FigureQuery(selection=selection, **wanted)))  # type: ignore[arg-type]


def test_counting(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, *(run(workspace, f"{n}", n) for n in range(5)), run(UUID(int=5), "stranger"))
    assert wait(runs.store.count(RunSelection(workspace=workspace))) == 5
    assert (
        wait(runs.store.count(RunSelection(workspace=workspace, filter=Compare(Field.NAME, Op.GT, "2")))) == 2
    )
    assert wait(runs.store.count(RunSelection(workspace=UUID(int=6)))) == 0


def test_pages_by_number_follow_each_other(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, *(run(workspace, f"{n}", n // 2) for n in range(7)))
    selection = RunSelection(workspace=workspace)
    names = [
        one.name
        for offset in (0, 3, 6, 9)
        for one in wait(
            runs.store.page(
                RunQuery(selection=selection, columns=frozenset({"name"}), limit=3, offset=offset)
            )
        )
    ]
    assert sorted(names, key=str) == [f"{n}" for n in range(7)]


VALUES = [1.0, 2.0, 3.0, 4.0, 10.0]


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        (Aggregate.COUNT, 5),
        (Aggregate.SUM, sum(VALUES)),
        (Aggregate.AVERAGE, statistics.fmean(VALUES)),
        (Aggregate.LEAST, 1),
        (Aggregate.MOST, 10),
        (Aggregate.P50, 3),
        (Aggregate.P75, 4),
        (Aggregate.P90, statistics.quantiles(VALUES, n=10, method="inclusive")[8]),
        (Aggregate.P95, statistics.quantiles(VALUES, n=20, method="inclusive")[18]),
        (Aggregate.P99, statistics.quantiles(VALUES, n=100, method="inclusive")[98]),
    ],
)
def test_every_aggregate(runs: OpenRuns, workspace: UUID, aggregate: Aggregate, expected: float) -> None:
    write(runs.store, *(run(workspace, f"{n}", metadata={"n": f"{value}"}) for n, value in enumerate(VALUES)))
    write(runs.store, run(workspace, "none"), run(workspace, "words", metadata={"n": "ten"}))
    found = figures(runs, workspace, measure=InDocument(Document.METADATA, ("n",)), aggregate=aggregate)
    assert found == [Figure(5, pytest.approx(expected))]


@pytest.mark.parametrize(
    ("span", "starts"),
    [
        (Span.MINUTE, [NOON, NOON + 60 * SECOND, NOON + HOUR, NOON + 6 * DAY, NOON + 12 * DAY]),
        (Span.HOUR, [NOON, NOON + HOUR, NOON + 6 * DAY, NOON + 12 * DAY]),
        (Span.DAY, [NOON - 12 * HOUR, NOON + 6 * DAY - 12 * HOUR, NOON + 12 * DAY - 12 * HOUR]),
        (Span.WEEK, [NOON - DAY - 12 * HOUR, NOON + 6 * DAY - 12 * HOUR]),
        (Span.MONTH, [NOON - 19 * DAY - 12 * HOUR, NOON + 12 * DAY - 12 * HOUR]),
    ],
)
def test_every_span_of_time(runs: OpenRuns, workspace: UUID, span: Span, starts: list[Micros]) -> None:
    """NOON is that of Tuesday, the 20th of January: six days later is a Monday, twelve the first of February."""
    ats = [0, 59, 60, 3600, 6 * 86_400, 12 * 86_400]
    write(runs.store, *(run(workspace, f"{at}", at) for at in ats))
    found = figures(runs, workspace, span=span)
    assert [one.start for one in found] == starts
    assert sum(one.count for one in found) == len(ats)


def test_fields_groups_and_nothing_to_group_by(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        run(workspace, "a", end_time=NOON + 2 * SECOND, inputs=b'{"who": {"name": "x"}}'),
        run(workspace, "b", end_time=NOON + 4 * SECOND, inputs=b'{"who": {"name": "x"}}'),
        run(workspace, "c", end_time=NOON + 9 * SECOND),
        run(workspace, "pending", end_time=None),
    )
    group = InDocument(Document.INPUTS, ("who", "name"))
    found = figures(runs, workspace, measure=Field.LATENCY, aggregate=Aggregate.AVERAGE, group=group)
    assert found == [Figure(2, 3.0, None, "x"), Figure(1, 9.0, None, None)]
    scaled = Scaled(Field.LATENCY, 1000)
    assert figures(runs, workspace, measure=scaled, aggregate=Aggregate.MOST) == [Figure(3, 9000.0)]
    assert figures(runs, workspace, group=Field.NAME, groups=2) == [
        Figure(1, 1, None, "a"),
        Figure(1, 1, None, "b"),
    ]
    assert len(figures(runs, workspace, group=Field.NAME, limit=3)) == 3
    assert figures(runs, workspace, measure=Field.NAME, aggregate=Aggregate.SUM) == []


def test_what_the_newest_feedback_says(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        *(run(workspace, label) for label in ("a", "b", "c")),
        feedback(workspace, "1", "a", "k", score=5.0, modified_at=NOON),
        feedback(workspace, "2", "a", "k", score=1.0, raw_score=b"true", modified_at=NOON + 1),
        feedback(workspace, "3", "b", "k", score=0.0, raw_score=b"false"),
        feedback(workspace, "4", "a", "label", value=b'"good"', source_type="app"),
    )
    metric, label = InFeedback(Shelf.METRICS, ("k",)), InFeedback(Shelf.FEEDBACK, ("label",))
    assert figures(runs, workspace, measure=metric, aggregate=Aggregate.AVERAGE) == [Figure(2, 0.5)]
    assert figures(runs, workspace, measure=metric, aggregate=Aggregate.SUM, group=label) == [
        Figure(1, 1.0, None, "good"),
        Figure(1, 0.0, None, None),
    ]


def test_choices_and_whole_traces(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        run(workspace, "root"),
        run(workspace, "llm", parent="root", usage=used(3, 4, total_cost=5 * 10**11)),
        run(workspace, "other", parent="root", usage=used(1, 0)),
    )
    tokens = Choice(
        ((ROOT, OfTrace(ALL, Field.TOTAL_TOKENS)), (Compare(Field.NAME, Op.EQ, "llm"), Field.TOTAL_TOKENS))
    )
    kind = Choice(((ROOT, Constant("session")), (Compare(Field.NAME, Op.EQ, "llm"), Constant("model"))))
    assert figures(runs, workspace, measure=tokens, aggregate=Aggregate.SUM, group=kind) == [
        Figure(1, 7.0, None, "model"),
        Figure(1, 8.0, None, "session"),
    ]
    cost: Measure = OfTrace(ALL, Field.TOTAL_COST)
    assert figures(runs, workspace, measure=cost, aggregate=Aggregate.MOST) == [Figure(3, 0.5)]
    assert figures(runs, workspace, measure=Field.TOTAL_COST, aggregate=Aggregate.MOST) == [Figure(1, 0.5)]
    below = OfTrace(Not(ROOT))
    assert figures(runs, workspace, measure=below, aggregate=Aggregate.LEAST) == [Figure(3, 2.0)]


def test_names_in_objects_and_keys_of_feedback(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        run(workspace, "old", -60, inputs=b'{"gone": 1}'),
        run(workspace, "root", inputs=b'{"q": 1, "x": {"y": 2}}', metadata={"env": "prod"}),
        run(
            workspace,
            "child",
            parent="root",
            inputs=b'{"q": 1}',
            extra=b'{"honeyhive": {"config": {"model": "m"}}}',
        ),
        run(workspace, "list", inputs=b"[1, 2]", project_id=UUID(int=9)),
        feedback(workspace, "1", "root", "ok", score=1.0),
        feedback(workspace, "2", "root", "ok", score=2.0),
        feedback(workspace, "3", "child", "stars", score=2.0, source_type="app"),
        feedback(workspace, "4", "old", "gone", score=2.0),
    )
    query = NamesQuery(
        selection=RunSelection(workspace=workspace, projects=(PROJECT,)),
        objects={
            "inputs": InDocument(Document.INPUTS, ()),
            "metadata": InDocument(Document.METADATA, ()),
            "config": InDocument(Document.EXTRA, (), ("honeyhive", "config")),
        },
        group=Choice(((ROOT, Constant("root")),)),
        newest=2,
    )
    found = wait(runs.store.names(query))
    assert sorted(found, key=str) == sorted(
        [
            NameCount("root", "inputs", "q", 1),
            NameCount("root", "inputs", "x", 1),
            NameCount("root", "metadata", "env", 1),
            NameCount(None, "inputs", "q", 1),
            NameCount(None, "config", "model", 1),
            NameCount("root", "metrics", "ok", 1),
            NameCount(None, "feedback", "stars", 1),
        ],
        key=str,
    )
