"""What every run store promises of values inside runs: which runs a test on one finds. Meaning: model/values.py."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stenograph.model.feedback import Feedback, Shelf
from stenograph.model.filters import (
    Compare,
    Field,
    Filter,
    Not,
    Op,
    PairKind,
    Pairs,
    PairTest,
    Part,
    TestOp,
    Text,
    TraceCount,
)
from stenograph.model.filters import Contains as ContainsText
from stenograph.model.runs import Run
from stenograph.model.values import Document, InDocument, InFeedback, Reading, ValueOp, ValueTest
from tests.effort import tries
from tests.store.conftest import OpenRuns
from tests.store.run_samples import NOON, SECOND, feedback, found, run, used, write

INPUTS, METADATA, EXTRA = Document.INPUTS, Document.METADATA, Document.EXTRA
EXISTS, EQ, GT, LT, CONTAINS = ValueOp.EXISTS, ValueOp.EQ, ValueOp.GT, ValueOp.LT, ValueOp.CONTAINS


def carrying(workspace: UUID, label: str, document: Any, **fields: Any) -> Run:
    """A run whose inputs, extra and metadata hold the same."""
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    members = json.loads(text)
    flat = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in members.items()
        if value is not None
    }
    return run(
        workspace,
        label,
        inputs=text.encode(),
        extra=f'{{"metadata":{text}}}'.encode(),
        metadata=flat,
        **fields,
    )


def path(text: str) -> tuple[str, ...]:
    return tuple(text.split("."))


def at(place: str, op: ValueOp, value: Any = None, document: Document = INPUTS) -> ValueTest:
    reading = (
        Reading.FLAG
        if isinstance(value, bool)
        else Reading.NUMBER
        if isinstance(value, float)
        else Reading.TEXT
    )
    return ValueTest(InDocument(document, path(place)), op, reading, value)


def moment_at(place: str, op: ValueOp, value: int) -> ValueTest:
    return ValueTest(InDocument(INPUTS, path(place)), op, Reading.MOMENT, value)


# -- documents -------------------------------------------------------------------------------------------

DOCUMENTS: dict[str, Any] = {
    "nested": {"a": {"b": {"c": "deep"}}, "n": 5, "yes": True, "text": "5", "empty": "", "none": None},
    "dotted": {"a.b": {"c": "flat"}, "a": {"b.c": "half"}},
    "list": {"chat": [{"role": "user", "content": "Hällo"}, {"role": "bot", "content": ["x", "y"]}], "no": []},
    "numbered": {"chat": {"0": {"content": "named"}}},
    "odd": '{ "a" : {"b" : {"c":"say \\"hi\\" \\\\ a\\/b"}}, "n": 5.0, "quoted\\"key": 1, "é": "ü" }',
    "times": {"iso": "2026-01-20T13:00:00+01:00", "naive": "2026-01-20 12:00", "day": "2026-01-21",
              "millis": 1768910400000, "digits": "1768910400000", "words": "yesterday", "year": "2026-13-40"},
    "nothing": {},
}  # fmt: skip

CASES: list[tuple[ValueTest, set[str]]] = [
    (at("a.b.c", EXISTS), {"nested", "dotted", "odd"}),
    (at("a.b.c", EQ, "deep"), {"nested"}),
    (at("a.b.c", EQ, "flat"), {"dotted"}),
    (at("a.b.c", EQ, "half"), {"dotted"}),
    (at("a.b.c", EQ, 'say "hi" \\ a/b'), {"odd"}),
    (at("a.b", EXISTS), {"nested", "dotted", "odd"}),
    (at("a.b", CONTAINS, "DEEP"), {"nested"}),
    (at("n", EQ, 5.0), {"nested", "odd"}),
    (at("n", EQ, "5"), {"nested", "odd"}),
    (at("n", GT, 4.5), {"nested", "odd"}),
    (at("n", LT, 5.0), set()),
    (at("text", EQ, 5.0), {"nested"}),
    (at("text", GT, 4.0), {"nested"}),
    (at("yes", EQ, True), {"nested"}),
    (at("yes", EQ, False), set()),
    (at("yes", GT, 0.0), set()),
    (at("empty", EXISTS), {"nested"}),
    (at("empty", EQ, ""), {"nested"}),
    (at("none", EXISTS), set()),
    (at("chat.0.content", EQ, "Hällo"), {"list"}),
    (at("chat.0.content", CONTAINS, "hÄL"), {"list"}),
    (at("chat.0.content", EQ, "named"), {"numbered"}),
    (at("chat.1.content.1", EQ, "y"), {"list"}),
    (at("chat.1.content.2", EXISTS), set()),
    (at("chat.content", EXISTS), set()),
    (at("chat.0", EXISTS), {"list", "numbered"}),
    (at("chat.9", EXISTS), set()),
    (at("no", EXISTS), {"list"}),
    (at("no.0", EXISTS), set()),
    (at('quoted"key', EQ, 1.0), {"odd"}),
    (at("é", EQ, "ü"), {"odd"}),
    (at("a..c", EXISTS), set()),
    (at("", EXISTS), set()),
    (at("it's", EQ, "' OR 1 --"), set()),
]


@pytest.fixture(scope="module")
def documents(open_run_store: OpenRuns) -> tuple[OpenRuns, UUID]:
    workspace = UUID(int=0xD0C)
    write(open_run_store.store, *(carrying(workspace, *item) for item in DOCUMENTS.items()))
    write(
        open_run_store.store,
        run(workspace, "bare"),
        carrying(UUID(int=0xD0D), "stranger", DOCUMENTS["nested"]),
    )
    return open_run_store, workspace


def names(of: tuple[OpenRuns, UUID], wanted: Filter) -> set[str]:
    runs, workspace = of
    return set(found(runs.store, workspace, filter=wanted))


ALL = {*DOCUMENTS, "bare"}


@pytest.mark.parametrize(
    ("wanted", "expected"), CASES, ids=lambda value: str(sorted(value) if isinstance(value, set) else value)
)
def test_a_value_is_found_in_every_document(
    documents: tuple[OpenRuns, UUID], wanted: ValueTest, expected: set[str]
) -> None:
    assert isinstance(wanted.place, InDocument)
    steps = wanted.place.path
    for place in (
        InDocument(INPUTS, steps),
        InDocument(EXTRA, steps, ("metadata",)),
        InDocument(METADATA, steps),
        InDocument(EXTRA, ("metadata", *steps)),
    ):
        test = ValueTest(place, wanted.op, wanted.reading, wanted.value)
        if place.document is METADATA and (steps, wanted.value) == (("n",), "5"):
            continue  # how a number is written is not promised: 5.0 here
        assert names(documents, test) == expected
        assert names(documents, Not(test)) == ALL - expected


@pytest.mark.parametrize(
    ("name", "same"),
    [("iso", True), ("naive", True), ("millis", True), ("digits", True), ("day", False)],
)
def test_moments_are_read_in_every_form(documents: tuple[OpenRuns, UUID], name: str, same: bool) -> None:
    later, here = {"times"} if not same else set(), {"times"} if same else set()
    assert names(documents, moment_at(name, EQ, NOON)) == here
    assert names(documents, moment_at(name, GT, NOON)) == later
    assert names(documents, moment_at(name, GT, NOON - 1)) == {"times"}
    assert names(documents, moment_at(name, LT, NOON + 1)) == here
    assert names(documents, moment_at(name, LT, 10**40)) == {"times"}


@pytest.mark.parametrize("name", ["words", "year", "nowhere"])
def test_what_is_no_moment_is_neither_before_nor_after(documents: tuple[OpenRuns, UUID], name: str) -> None:
    assert names(documents, moment_at(name, GT, 0)) | names(documents, moment_at(name, LT, 10**18)) == set()


def test_whole_documents(documents: tuple[OpenRuns, UUID]) -> None:
    whole = InDocument(INPUTS, ())
    assert names(documents, ValueTest(whole, EXISTS)) == ALL - {"nothing", "bare"}
    assert names(documents, ValueTest(whole, CONTAINS, Reading.TEXT, '"ROLE"')) == {"list"}
    assert names(documents, ValueTest(whole, EQ, Reading.TEXT, "{}")) == {"nothing"}
    assert names(documents, ValueTest(InDocument(METADATA, ()), CONTAINS, Reading.TEXT, "flat")) == {"dotted"}


def test_a_metadata_text_that_is_json_is_gone_into(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, carrying(workspace, "json", {"k": '{"a": [1, {"b": "x"}]}'}))
    assert names((runs, workspace), at("k.a.1.b", EQ, "x", METADATA)) == {"json"}
    assert names((runs, workspace), at("k.a.1.b", EQ, "x", INPUTS)) == set()


# A model in a few lines of Python, for what no list of cases thinks of.

STEPS = st.sampled_from(["a", "b", "a.b", "0", "1", "é", 'q"', "x/y", "_"])
SCALARS = st.sampled_from(["", "x", "X y", "5", "true", 5, 1.5, -2, True, False, None, "ü\n\\", "a.b"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STEPS, inner, max_size=3),
    max_leaves=8,
)
PATHS = st.lists(STEPS, min_size=1, max_size=4).map(".".join).map(path)
TESTS = st.one_of(
    st.tuples(st.just(EXISTS), st.just(Reading.TEXT), st.none()),
    st.tuples(st.just(EQ), st.just(Reading.TEXT), st.sampled_from(["", "x", "5", "true", "ü\n\\", "a.b"])),
    st.tuples(st.just(CONTAINS), st.just(Reading.TEXT), st.sampled_from(["x", "Y", "ü", "."])),
    st.tuples(st.sampled_from([EQ, GT, LT]), st.just(Reading.NUMBER), st.sampled_from([5.0, 1.5, 0.0])),
    st.tuples(st.just(EQ), st.just(Reading.FLAG), st.booleans()),
)


def resolve(value: Any, steps: tuple[str, ...]) -> Iterator[Any]:
    if not steps:
        if value is not None:
            yield value
    elif isinstance(value, dict):
        for upto in range(1, len(steps) + 1):
            if (name := ".".join(steps[:upto])) in value:
                yield from resolve(value[name], steps[upto:])
    elif isinstance(value, list) and steps[0].isdecimal() and int(steps[0]) < len(value):
        yield from resolve(value[int(steps[0])], steps[1:])


def passes(value: Any, op: ValueOp, reading: Reading, wanted: Any) -> bool:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if op is EXISTS:
        return True
    if op is CONTAINS:
        return str(wanted).lower() in text.lower()
    if reading is Reading.TEXT:
        return bool(text == wanted)
    if reading is Reading.FLAG:
        return bool(text == json.dumps(wanted))
    try:
        return bool({EQ: operator.eq, GT: operator.gt, LT: operator.lt}[op](float(text), wanted))
    except ValueError:
        return False


@settings(max_examples=tries(40))
@given(data=st.data())
def test_any_path_in_any_document(open_run_store: OpenRuns, data: st.DataObject) -> None:
    workspace = uuid4()
    made = data.draw(st.lists(st.dictionaries(STEPS, VALUES, max_size=3), min_size=1, max_size=8))
    write(open_run_store.store, *(carrying(workspace, str(one), made[one]) for one in range(len(made))))
    for steps, test in data.draw(st.lists(st.tuples(PATHS, TESTS), min_size=1, max_size=8)):
        expected = {
            str(one)
            for one in range(len(made))
            if any(passes(value, *test) for value in resolve(made[one], steps))
        }
        wanted = ValueTest(InDocument(INPUTS, steps), *test)
        assert names((open_run_store, workspace), wanted) == expected, wanted
        inside = ValueTest(InDocument(EXTRA, ("metadata", *steps)), *test)
        assert names((open_run_store, workspace), inside) == expected, inside


# -- feedback --------------------------------------------------------------------------------------------

MINE, THEIRS = Shelf.METRICS, Shelf.FEEDBACK


def said(workspace: UUID, label: str, key: str, shelf: str | None = None, **fields: Any) -> Feedback:
    """Feedback on the run `label`; `shelf` as HoneyHive's clients mark it."""
    source = None if shelf is None else json.dumps({"type": "api", "metadata": {"honeyhive": shelf}}).encode()
    name = f"{label} {key} {fields}"
    return feedback(workspace, name, label, key, source=source, **fields)


def judged(shelf: Shelf, place: str, op: ValueOp, value: Any = None) -> ValueTest:
    reading = (
        Reading.FLAG
        if isinstance(value, bool)
        else Reading.NUMBER
        if isinstance(value, float)
        else Reading.TEXT
    )
    return ValueTest(InFeedback(shelf, path(place)), op, reading, value)


def test_feedback_is_found_on_its_shelf(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        *(run(workspace, label) for label in ("measured", "given", "marked", "other way", "none")),
        said(workspace, "measured", "k", score=0.5, raw_score=b"0.5"),
        said(workspace, "given", "k", score=0.5, source_type="app"),
        said(workspace, "marked", "k", "feedback", score=0.5),
        said(workspace, "other way", "k", "metrics", score=0.5, source_type="app"),
        said(UUID(int=7), "none", "k", score=0.5),
    )
    here = (runs, workspace)
    assert names(here, judged(MINE, "k", EQ, 0.5)) == {"measured", "other way"}
    assert names(here, judged(THEIRS, "k", GT, 0.4)) == {"given", "marked"}
    assert names(here, Not(judged(THEIRS, "k", EXISTS))) == {"measured", "other way", "none"}


def test_the_newest_feedback_of_a_key_counts(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        run(workspace, "a"),
        said(workspace, "a", "k", score=0.1, modified_at=NOON + SECOND),
        said(workspace, "a", "k", score=0.9, modified_at=NOON + 2 * SECOND),
        said(workspace, "a", "k", score=0.5, modified_at=NOON),
        said(workspace, "a", "gone", score=0.5),
    )
    here = (runs, workspace)
    assert names(here, judged(MINE, "k", GT, 0.5)) == {"a"}
    assert names(here, judged(MINE, "k", LT, 0.5)) == set()


def test_feedback_of_every_kind_of_value(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        run(workspace, "a"),
        said(workspace, "a", "flag", score=1.0, raw_score=b"true"),
        said(workspace, "a", "label", value=b'"Good"'),
        said(workspace, "a", "both", score=2.0, value=b'"ignored"'),
        said(workspace, "a", "object", value=b'{"x": {"y": [10, 20]}}'),
        said(workspace, "a", "dotted.key", value=b'{"in": 3}'),
        said(workspace, "a", "words", comment="only words"),
        said(workspace, "a", "null", value=b"null"),
    )
    here = (runs, workspace)
    for wanted in (
        judged(MINE, "flag", EQ, True),
        judged(MINE, "label", EQ, "Good"),
        judged(MINE, "label", CONTAINS, "good"),
        judged(MINE, "both", EQ, 2.0),
        judged(MINE, "object.x.y.1", EQ, 20.0),
        judged(MINE, "object.x", EXISTS),
        judged(MINE, "dotted.key.in", EQ, 3.0),
        judged(MINE, "words_explanation", EQ, "only words"),
    ):
        assert names(here, wanted) == {"a"}, wanted
    for wanted in (
        judged(MINE, "words", EXISTS),
        judged(MINE, "null", EXISTS),
        judged(MINE, "both", EQ, "ignored"),
        judged(MINE, "object.x.y.2", EXISTS),
        judged(MINE, "label", GT, 0.0),
        judged(THEIRS, "label", EXISTS),
        judged(MINE, "_explanation", EXISTS),
    ):
        assert names(here, wanted) == set(), wanted


def test_an_explanation_is_the_newer_of_comment_and_own_key(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        run(workspace, "a"),
        run(workspace, "b"),
        said(workspace, "a", "k", score=1.0, comment="comment", modified_at=NOON + SECOND),
        said(workspace, "a", "k_explanation", value=b'"own"', modified_at=NOON),
        said(workspace, "b", "k", score=1.0, comment="comment", modified_at=NOON),
        said(workspace, "b", "k_explanation", value=b'"own"', modified_at=NOON + SECOND),
    )
    here = (runs, workspace)
    assert names(here, judged(MINE, "k_explanation", EQ, "comment")) == {"a"}
    assert names(here, judged(MINE, "k_explanation", EQ, "own")) == {"b"}


# -- traces and ids --------------------------------------------------------------------------------------


def test_traces_by_the_number_of_runs_that_match(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        run(workspace, "big"),
        run(workspace, "one", parent="big", run_type="llm"),
        run(workspace, "two", parent="big", run_type="llm"),
        run(workspace, "small"),
        run(workspace, "only", parent="small"),
        said(workspace, "only", "k", score=1.0),
    )
    models = Compare(Field.RUN_TYPE, Op.EQ, "llm")
    here = (runs, workspace)
    assert names(here, TraceCount(models, Op.GT, 1)) == {"big", "one", "two"}
    assert names(here, TraceCount(models, Op.EQ, 0)) == {"small", "only"}
    assert names(here, TraceCount(Not(Compare(Field.IS_ROOT, Op.EQ, True)), Op.LTE, 1)) == {"small", "only"}
    spoken = Pairs(PairKind.FEEDBACK, (PairTest(PairKind.FEEDBACK, Part.KEY, TestOp.LIKE, ("%",)),))
    assert names(here, TraceCount(spoken, Op.GTE, 1)) == {"small", "only"}
    assert names(here, ValueTest(InFeedback(MINE, ()), EXISTS)) == {"only"}
    assert names(here, ValueTest(InFeedback(THEIRS, ()), EXISTS)) == set()


def test_traces_by_what_their_runs_used(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        run(workspace, "root", usage=used(100, 100)),
        run(workspace, "one", parent="root", usage=used(1, 2, total_cost=10**12)),
        run(workspace, "two", parent="root", usage=used(3, 4)),
        run(workspace, "empty"),
    )
    here, below = (runs, workspace), Not(Compare(Field.IS_ROOT, Op.EQ, True))
    trace = {"root", "one", "two"}
    assert names(here, TraceCount(below, Op.EQ, 10, Field.TOTAL_TOKENS)) == trace
    assert names(here, TraceCount(below, Op.GTE, 10**12, Field.TOTAL_COST)) == trace
    assert names(here, TraceCount(below, Op.EQ, 0, Field.TOTAL_COST)) == {"empty"}
    assert names(here, Compare(Field.TOTAL_TOKENS, Op.GT, 100, alone=True)) == {"root"}
    assert names(here, Compare(Field.TOTAL_TOKENS, Op.LT, 5, alone=True)) == {"one", "empty"}
    assert names(here, Compare(Field.TOTAL_COST, Op.EQ, None, alone=True)) == {"root", "two", "empty"}


def test_ids_by_a_part_of_them(runs: OpenRuns, workspace: UUID) -> None:
    parent = run(workspace, "parent")
    child = run(workspace, "child", parent="parent")
    write(runs.store, parent, child)
    here = (runs, workspace)
    assert names(here, ContainsText(Text.ID, str(child.id)[4:20].upper())) == {"child"}
    assert names(here, ContainsText(Text.TRACE_ID, str(parent.id)[:13])) == {"parent", "child"}
    assert names(here, ContainsText(Text.PARENT_RUN_ID, str(parent.id)[:13])) == {"child"}
    assert names(here, ContainsText(Text.PROJECT_ID, str(parent.project_id)[9:])) == {"parent", "child"}
