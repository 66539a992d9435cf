"""The SQL of every statement on runs and feedback, pinned in tests/golden/queries; UPDATE_GOLDEN=1 writes it anew."""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path
from uuid import UUID

import pytest

from stenograph.model.feedback import Shelf
from stenograph.model.feedback_formulas import Aggregation, Applied, Formula, FormulaPart
from stenograph.model.filters import (
    Compare,
    Field,
    HasTag,
    Op,
    PairKind,
    PairTest,
    Part,
    Search,
    TestOp,
    all_of,
)
from stenograph.model.measures import (
    Aggregate,
    Choice,
    Constant,
    FigureQuery,
    NamesQuery,
    OfTrace,
    Scaled,
    Span,
)
from stenograph.model.query import Cursor, FeedbackQuery, RunQuery, RunSelection, ThreadQuery
from stenograph.model.retention import DAY, Aging, Queued, Term
from stenograph.model.runs import Run
from stenograph.model.values import Document, InDocument, InFeedback
from stenograph.store.runs import aging, feedback_query, figures, measures, query
from stenograph.store.runs.feedback_query import Asked
from stenograph.store.runs.query import Statement

GOLDEN = Path(__file__).parent.parent / "golden" / "queries"

WORKSPACE, PROJECT, OTHER = UUID(int=0xA), UUID(int=0xB), UUID(int=0xC)
ONE, TWO = UUID(int=1), UUID(int=2)
NOON = 1_768_910_400_000_000
HOUR = 3_600_000_000
MONTH_AGO = NOON - 30 * DAY
AGING = Aging(
    workspace=WORKSPACE,
    now=NOON,
    rest=Term(MONTH_AGO, None),
    terms=(Term(NOON - 60 * DAY, NOON - 90 * DAY, (PROJECT,)), Term(None, None, (OTHER,))),
)
AGING_SOME = Aging(
    workspace=WORKSPACE,
    now=NOON,
    rest=Term(None, None),
    terms=(Term(MONTH_AGO, None, (PROJECT,)),),
    without=(OTHER,),
    after=(5, ONE),
    limit=10,
)
COLUMNS = frozenset({"name", "inputs"})

PLAIN = RunSelection(workspace=WORKSPACE, projects=(PROJECT,), is_root=True)
BOUNDED = RunSelection(workspace=WORKSPACE, projects=(PROJECT,), is_root=True, since=NOON, until=NOON + HOUR)
FILTERED = RunSelection(workspace=WORKSPACE, projects=(PROJECT,), is_root=True, filter=HasTag("x"))
FORMULAS = (
    Applied(
        Formula(
            key="it's all",
            aggregation=Aggregation.AVERAGE,
            parts=(FormulaPart("correct", 2.0), FormulaPart("polite", 1.0)),
        ),
        (PROJECT,),
    ),
    Applied(
        Formula(key="sum", aggregation=Aggregation.SUM, parts=(FormulaPart("correct", -0.5),)),
        (PROJECT, OTHER),
    ),
)
COMPOSED = RunSelection(
    workspace=WORKSPACE,
    projects=(PROJECT,),
    filter=all_of(
        [
            PairTest(PairKind.FEEDBACK, Part.KEY, TestOp.EQ, ("it's all",)),
            PairTest(PairKind.FEEDBACK, Part.SCORE, TestOp.GT, (0.5,)),
        ]
    ),
    formulas=FORMULAS,
)
EVERYTHING = RunSelection(
    workspace=WORKSPACE,
    projects=(PROJECT, OTHER),
    without_projects=(ONE,),
    ids=(ONE, TWO),
    traces=(ONE,),
    parent_run=TWO,
    reference_examples=(ONE,),
    run_type="llm",
    has_error=True,
    is_root=False,
    since=NOON,
    until=NOON + HOUR,
    filter=Search("needle"),
    trace_filter=HasTag("x"),
    tree_filter=Compare(Field.NAME, Op.EQ, "it's"),
)
RUNS = [
    Run(workspace=WORKSPACE, id=TWO, project_id=PROJECT, trace_id=ONE, start_time=NOON + 5),
    Run(workspace=WORKSPACE, id=ONE, project_id=PROJECT, trace_id=ONE, start_time=NOON, is_root=True),
]
IDS = [(WORKSPACE, ONE), (OTHER, TWO)]
ALL_FEEDBACK = FeedbackQuery(
    workspace=WORKSPACE,
    ids=(ONE,),
    runs=(ONE, TWO),
    traces=(TWO,),
    projects=(PROJECT,),
    without_projects=(OTHER,),
    keys=("ok",),
    sources=("app",),
    users=("ann",),
    has_comment=True,
    has_score=False,
    on_runs=True,
    created_since=NOON,
    created_until=NOON + HOUR,
    comparative_experiment=ONE,
    limit=5,
    offset=10,
)


def page(selection: RunSelection, **rest: object) -> Statement:
    return query.page(RunQuery(selection=selection, columns=COLUMNS, **rest))  # type: ignore[arg-type]


KIND = Choice(((Compare(Field.IS_ROOT, Op.EQ, True), Constant("root")), (HasTag("x"), Field.NAME)))
COST = Choice(
    (
        (Compare(Field.IS_ROOT, Op.EQ, True), OfTrace(HasTag("y"), Field.TOTAL_COST)),
        (HasTag("x"), Field.TOTAL_COST),
    )
)
NAMED = NamesQuery(
    selection=PLAIN,
    objects={"inputs": InDocument(Document.INPUTS, ()), "metadata": InDocument(Document.METADATA, ())},
    group=KIND,
)


STATEMENTS: dict[str, Statement] = {
    "count": query.count(FILTERED),
    "page_offset": page(PLAIN, limit=5, offset=10),
    "figures": measures.figures(FigureQuery(selection=RunSelection(workspace=WORKSPACE))),
    "figures_by_time": measures.figures(
        FigureQuery(
            selection=BOUNDED,
            measure=Scaled(Field.LATENCY, 1000),
            aggregate=Aggregate.P95,
            span=Span.WEEK,
            group=KIND,
        )
    ),
    "figures_of_documents": measures.figures(
        FigureQuery(
            selection=FILTERED,
            measure=InDocument(Document.METADATA, ("a", "b")),
            aggregate=Aggregate.SUM,
            group=InDocument(Document.EXTRA, ("c", "d")),
        )
    ),
    "figures_of_feedback": measures.figures(
        FigureQuery(
            selection=PLAIN,
            measure=InFeedback(Shelf.METRICS, ("it's",)),
            aggregate=Aggregate.AVERAGE,
            group=InFeedback(Shelf.FEEDBACK, ("k",)),
        )
    ),
    "figures_of_traces": measures.figures(
        FigureQuery(selection=PLAIN, measure=COST, aggregate=Aggregate.SUM, span=Span.DAY)
    ),
    "names": measures.names(NAMED),
    "feedback_names": measures.feedback_names(NAMED),
    "page": page(PLAIN),
    "page_bounded": page(BOUNDED, limit=5),
    "page_after": page(PLAIN, after=Cursor(NOON, ONE)),
    "page_oldest_first": page(PLAIN, newest_first=False, after=Cursor(NOON, ONE)),
    "page_filtered": page(FILTERED),
    "page_by_id": page(RunSelection(workspace=WORKSPACE, ids=(ONE,))),
    "page_by_trace": page(RunSelection(workspace=WORKSPACE, traces=(ONE,)), newest_first=False),
    "page_everything": page(EVERYTHING),
    "answered_examples": query.answered_examples(PLAIN),
    "stored": query.stored(IDS),
    "every_place": query.every_place(IDS),
    "changed": query.changed(WORKSPACE, 1_790_000_000_000_000, 5000),
    "descendants": query.descendants(WORKSPACE, RUNS, 100),
    "descendants_all": query.descendants(WORKSPACE, RUNS, None),
    "tree": query.tree(RunSelection(workspace=WORKSPACE, traces=(RUNS[0].trace_id,)), 100),
    "mean_sizes": query.mean_sizes(WORKSPACE, 7),
    "family": query.family(RUNS[0], 100),
    "family_without": query.family(RUNS[0], 100, (OTHER,)),
    "family_all": query.family(RUNS[0], None),
    "stats": figures.stats(RunSelection(workspace=WORKSPACE)),
    "stats_of_roots": figures.stats(PLAIN),
    "stats_by_tag": figures.stats(PLAIN, "tag", "", 5),
    "stats_by_metadata": figures.stats(FILTERED, "metadata", "env", 5),
    "stats_by_project": figures.stats(RunSelection(workspace=WORKSPACE), "project", "", 5),
    "series": figures.stats(BOUNDED, "name", "", 10, HOUR, NOON),
    "trace_sums": figures.trace_sums(PLAIN),
    "trace_sums_bounded": figures.trace_sums(BOUNDED),
    "trace_sums_filtered": figures.trace_sums(FILTERED),
    "trace_sums_by_tag": figures.trace_sums(PLAIN, "tag"),
    "trace_sums_by_metadata": figures.trace_sums(BOUNDED, "metadata", "env"),
    "trace_sums_by_type": figures.trace_sums(PLAIN, "run_type"),
    "trace_sums_series": figures.trace_sums(PLAIN, "name", "", HOUR, NOON),
    "facets": figures.facets(PLAIN, 10),
    "metadata_facets_of_all": figures.metadata_facets(RunSelection(workspace=WORKSPACE), 10),
    "metadata_facets": figures.metadata_facets(PLAIN, 10),
    "parts": figures.parts(BOUNDED, [Compare(Field.STATUS, Op.EQ, "error"), HasTag("x")], HOUR),
    "parts_by_metadata": figures.parts(PLAIN, [HasTag("x")], HOUR, "metadata", "env", NOON),
    "last_starts": figures.last_starts(RunSelection(workspace=WORKSPACE)),
    "files": query.files(RunSelection(workspace=WORKSPACE, traces=(ONE,))),
    "metadata_values": figures.metadata_values(PLAIN, [], 10),
    "metadata_values_named": figures.metadata_values(PLAIN, ["env", "it's"], 10),
    "threads": figures.threads(ThreadQuery(selection=PLAIN, limit=20, offset=40)),
    "thread_usage": figures.thread_usage(PLAIN, ["t1", "t2"]),
    "drop_feedback": query.drop_feedback(WORKSPACE, [PROJECT]),
    "drop_runs": query.drop_runs(WORKSPACE, [PROJECT]),
    "unfinished": query.unfinished("runs", PROJECT),
    "with_rows": query.with_rows([PROJECT]),
    "feedback": feedback_query.feedback(FeedbackQuery(workspace=WORKSPACE)),
    "feedback_everything": feedback_query.feedback(ALL_FEEDBACK),
    "feedback_on_projects": feedback_query.feedback(
        FeedbackQuery(workspace=WORKSPACE, has_score=True, on_runs=False)
    ),
    "stored_feedback": feedback_query.stored_feedback(IDS),
    "deleted_feedback": feedback_query.deleted_feedback(IDS),
    "feedback_stats": feedback_query.feedback_stats(Asked(PLAIN, "all")),
    "feedback_stats_by_run": feedback_query.feedback_stats(
        Asked(RunSelection(workspace=WORKSPACE, ids=(ONE, TWO)), "run")
    ),
    "feedback_stats_by_project": feedback_query.feedback_stats(
        Asked(RunSelection(workspace=WORKSPACE, ids=(ONE,), projects=(PROJECT,)), "project")
    ),
    "feedback_stats_all_filed": feedback_query.feedback_stats(
        Asked(RunSelection(workspace=WORKSPACE, ids=(ONE, TWO), projects=(PROJECT,)), "run", unfiled=False)
    ),
    "feedback_all_filed": feedback_query.feedback(ALL_FEEDBACK, unfiled=False),
    "feedback_stats_by_thread": feedback_query.feedback_stats(Asked(PLAIN, "thread")),
    "feedback_stats_filtered": feedback_query.feedback_stats(Asked(FILTERED, "all")),
    "feedback_stats_in_comparison": feedback_query.feedback_stats(Asked(PLAIN, "project"), TWO),
    "feedback_stats_of_a_workspace": feedback_query.feedback_stats(
        Asked(
            RunSelection(workspace=WORKSPACE, without_projects=(OTHER,), since=NOON, until=NOON + HOUR),
            "project",
        )
    ),
    "feedback_stats_series": feedback_query.feedback_stats(Asked(PLAIN, "all", stride=HOUR, origin=NOON)),
    "composite_stats": feedback_query.composite_stats(Asked(PLAIN, "project"), FORMULAS),
    "composite_stats_filtered": feedback_query.composite_stats(Asked(FILTERED, "run"), FORMULAS[:1]),
    "composite_stats_series": feedback_query.composite_stats(
        Asked(PLAIN, "all", unfiled=False, stride=HOUR, origin=NOON), FORMULAS[:1]
    ),
    "page_filtered_by_composite": page(COMPOSED),
    "comparison_feedback_stats": feedback_query.comparison_feedback_stats(WORKSPACE, [ONE, TWO]),
    "traces": figures.traces(WORKSPACE, RUNS),
    "traces_with_feedback": feedback_query.traces_with_feedback(WORKSPACE, RUNS, True),
    "traces_with_feedback_all_filed": feedback_query.traces_with_feedback(WORKSPACE, RUNS[:1], False),
    "unfiled_feedback": feedback_query.unfiled_feedback(1000),
    "aged": aging.aged(AGING),
    "aged_of_some_projects": aging.aged(AGING_SOME),
    "in_use": aging.in_use(AGING, [ONE, TWO]),
    "in_use_of_some_projects": aging.in_use(AGING_SOME, [ONE]),
    "judged": aging.judged(WORKSPACE, [ONE, TWO]),
    "holding": aging.holding(WORKSPACE, Queued(frozenset((ONE,)), frozenset(("it's a thread",)))),
    "touched": aging.touched(WORKSPACE, [ONE], 7),
    "project_feedback_stats": feedback_query.project_feedback_stats(WORKSPACE, [PROJECT, OTHER]),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_sql_is_as_recorded(name: str) -> None:
    sql, values = STATEMENTS[name]
    text = sql + "\n" + "".join(f"-- {key} = {value}\n" for key, value in values.items())
    golden = GOLDEN / f"{name}.sql"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text)
    assert golden.read_text() == text


@pytest.mark.parametrize("name", STATEMENTS)
def test_values_are_bound_and_stay_in_their_workspace(name: str) -> None:
    sql, values = STATEMENTS[name]
    assert set(re.findall(r"\{(\w+):\w", sql)) <= set(values)
    assert "it's" not in sql
    if name not in ("unfinished", "with_rows", "unfiled_feedback"):
        reads = sql.count("FROM runs") + sql.count("FROM feedback") + sql.count("ALTER TABLE")
        assert sql.count("workspace_id = ") + sql.count("workspace_id IN ") >= reads


def test_every_statement_is_pinned() -> None:
    """Each builder of these modules is recorded, and there is no file without a statement."""
    built = {
        name
        for module in (query, figures, measures, feedback_query, aging)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and function.__annotations__.get("return") == "Statement"
        if not name.startswith("_")
    }
    assert built == {name for name in built if any(pinned.startswith(name) for pinned in STATEMENTS)}
    assert {file.stem for file in GOLDEN.glob("*.sql")} == set(STATEMENTS)
