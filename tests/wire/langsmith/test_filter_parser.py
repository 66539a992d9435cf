import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stenograph.errors import Invalid
from stenograph.model.filters import (
    And,
    Compare,
    Contains,
    Exists,
    Field,
    Filter,
    HasTag,
    InCluster,
    Like,
    Member,
    Not,
    Op,
    Or,
    PairKind,
    Pairs,
    PairTest,
    Part,
    Search,
    TestOp,
    Text,
)
from stenograph.wire.langsmith.filters.filters import MAX_CONDITIONS, parse
from stenograph.wire.langsmith.filters.syntax import MAX_DEPTH, MAX_LENGTH
from tests.effort import tries

ID = UUID("018f3c5e-0000-7000-8000-000000000001")
METADATA, INPUTS, FEEDBACK = PairKind.METADATA, PairKind.INPUTS, PairKind.FEEDBACK
KEY, VALUE, SCORE = Part.KEY, Part.VALUE, Part.SCORE


def micros(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[arg-type,misc]


def pair(kind: PairKind, part: Part, *values: str | float | None, op: TestOp = TestOp.EQ) -> PairTest:
    return PairTest(kind, part, op, values)


def some(*tests: PairTest) -> Pairs:
    return Pairs(tests[0].kind, tests)


MEANINGS: list[tuple[str, Filter]] = [
    (f'eq(id, "{ID}")', Compare(Field.ID, Op.EQ, ID)),
    (f'neq(trace_id, "{ID.hex}")', Not(Compare(Field.TRACE_ID, Op.EQ, ID))),
    ("eq(parent_run_id, null)", Compare(Field.PARENT_RUN_ID, Op.EQ, None)),
    (f'eq(cluster_id, "{ID}")', InCluster((ID,))),
    (f'neq(cluster_id, "{ID}")', Not(InCluster((ID,)))),
    (f'not(in(cluster_id, ["{ID}", "{ID.hex}"]))', Not(InCluster((ID, ID)))),
    (f'eq(session_id, "{ID}")', Compare(Field.PROJECT_ID, Op.EQ, ID)),
    (f"in(reference_example_id, ['{ID}'])", Member(Field.REFERENCE_EXAMPLE_ID, (ID,))),
    ('eq(name, "x")', Compare(Field.NAME, Op.EQ, "x")),
    ('in(name, ["x", "y"])', Member(Field.NAME, ("x", "y"))),
    ('eq(run_type, "LLM")', Compare(Field.RUN_TYPE, Op.EQ, "llm")),
    ('in(status, ["SUCCESS", "error"])', Member(Field.STATUS, ("success", "error"))),
    ("neq(error, null)", Not(Compare(Field.ERROR, Op.EQ, None))),
    ("eq(error, None)", Compare(Field.ERROR, Op.EQ, None)),
    ('gt(name, "m")', Compare(Field.NAME, Op.GT, "m")),
    ('eq(thread_id, "t")', Compare(Field.THREAD_ID, Op.EQ, "t")),
    ("eq(thread_id, 007)", Compare(Field.THREAD_ID, Op.EQ, "007")),
    ("eq(is_root, true)", Compare(Field.IS_ROOT, Op.EQ, True)),
    ('eq(is_root, "false")', Compare(Field.IS_ROOT, Op.EQ, False)),
    ("neq(is_root, False)", Not(Compare(Field.IS_ROOT, Op.EQ, False))),
    (
        'gt(start_time, "2023-07-15T12:34:56Z")',
        Compare(Field.START_TIME, Op.GT, micros(2023, 7, 15, 12, 34, 56)),
    ),
    (
        'gte(start_time, "2023-07-15T12:34:56")',
        Compare(Field.START_TIME, Op.GTE, micros(2023, 7, 15, 12, 34, 56)),
    ),
    (
        'lt(end_time, "2023-07-15T14:34:56+02:00")',
        Compare(Field.END_TIME, Op.LT, micros(2023, 7, 15, 12, 34, 56)),
    ),
    ('lte(first_token_time, "2023-07-15")', Compare(Field.FIRST_TOKEN_TIME, Op.LTE, micros(2023, 7, 15))),
    ("gt(start_time, 1689424496)", Compare(Field.START_TIME, Op.GT, 1_689_424_496_000_000)),
    ("gt(start_time, 1689424496.25)", Compare(Field.START_TIME, Op.GT, 1_689_424_496_250_000)),
    ("gt(start_time, 1689424496250)", Compare(Field.START_TIME, Op.GT, 1_689_424_496_250_000)),
    ("gt(start_time, 1689424496250001)", Compare(Field.START_TIME, Op.GT, 1_689_424_496_250_001)),
    ("gt(start_time, 1689424496250001000)", Compare(Field.START_TIME, Op.GT, 1_689_424_496_250_001)),
    ("eq(end_time, null)", Compare(Field.END_TIME, Op.EQ, None)),
    ("gt(latency, 5)", Compare(Field.LATENCY, Op.GT, 5_000_000)),
    ("gt(latency, 0.25)", Compare(Field.LATENCY, Op.GT, 250_000)),
    ('gt(latency, "5s")', Compare(Field.LATENCY, Op.GT, 5_000_000)),
    ('gt(latency, "1.5s")', Compare(Field.LATENCY, Op.GT, 1_500_000)),
    ('gt(latency, "250 ms")', Compare(Field.LATENCY, Op.GT, 250_000)),
    ('gt(latency, "2m")', Compare(Field.LATENCY, Op.GT, 120_000_000)),
    ('gt(latency, "1h")', Compare(Field.LATENCY, Op.GT, 3_600_000_000)),
    ('gt(latency, "3")', Compare(Field.LATENCY, Op.GT, 3_000_000)),
    ('in(latency, ["1s", 2])', Member(Field.LATENCY, (1_000_000, 2_000_000))),
    ("gt(total_tokens, 1e3)", Compare(Field.TOTAL_TOKENS, Op.GT, 1000.0)),
    ("eq(prompt_tokens, 7)", Compare(Field.PROMPT_TOKENS, Op.EQ, 7.0)),
    ("lt(completion_tokens, 7)", Compare(Field.COMPLETION_TOKENS, Op.LT, 7.0)),
    ("gte(total_cost, 0.001)", Compare(Field.TOTAL_COST, Op.GTE, 1_000_000_000)),
    ("eq(prompt_cost, null)", Compare(Field.PROMPT_COST, Op.EQ, None)),
    ("eq(completion_cost, .1)", Compare(Field.COMPLETION_COST, Op.EQ, 100_000_000_000)),
    ('has(tags, "t")', HasTag("t")),
    ('in(tags, ["t", "u"])', Or((HasTag("t"), HasTag("u")))),
    ('like(tags, "t%")', Like(Text.TAGS, "t%")),
    ('search("two words")', Search("two words")),
    ('search(name, "sub")', Contains(Text.NAME, "sub")),
    ('search(inputs, "sub")', Contains(Text.INPUTS, "sub")),
    ('like(error, "%x\\%%")', Like(Text.ERROR, "%x\\%%")),
    ('search(metadata, "x")', some(pair(METADATA, VALUE, "x", op=TestOp.CONTAINS))),
    ('like(input_value, "%x%")', some(pair(INPUTS, VALUE, "%x%", op=TestOp.LIKE))),
    ('like(metadata_key, "ls_%")', some(pair(METADATA, KEY, "ls_%", op=TestOp.LIKE))),
    ('exists(metadata, "k")', Exists(METADATA, "k")),
    ('exists("metadata", "k")', Exists(METADATA, "k")),
    ('exists(outputs, "a.b")', Exists(PairKind.OUTPUTS, "a.b")),
    ('has(feedback_key, "k")', some(pair(FEEDBACK, KEY, "k"))),
    ("""has(metadata, '{"k": "v"}')""", some(pair(METADATA, KEY, "k"), pair(METADATA, VALUE, "v"))),
    (
        """has(metadata, '{"a": {"b": 1.0}, "c": true}')""",
        And(
            (
                some(pair(METADATA, KEY, "a.b"), pair(METADATA, VALUE, "1.0")),
                some(pair(METADATA, KEY, "c"), pair(METADATA, VALUE, "true")),
            )
        ),
    ),
    (
        """has(metadata, '{"a": [1, "x"]}')""",
        some(pair(METADATA, KEY, "a"), pair(METADATA, VALUE, '[1, "x"]', '[1,"x"]', op=TestOp.IN)),
    ),
    ("eq(metadata_value, 1.0)", some(pair(METADATA, VALUE, "1.0"))),
    ("eq(input_value, true)", some(pair(INPUTS, VALUE, "true"))),
    ("eq(input_value, null)", some(pair(INPUTS, VALUE, "null"))),
    ("gt(metadata_value, 5)", some(pair(METADATA, VALUE, 5.0, op=TestOp.GT))),
    ('gt(metadata_value, "5")', some(pair(METADATA, VALUE, "5", op=TestOp.GT))),
    ("eq(feedback_score, true)", some(pair(FEEDBACK, SCORE, 1.0))),
    ("eq(feedback_score, null)", some(pair(FEEDBACK, SCORE, None))),
    ("in(feedback_score, [0, 0.5])", some(pair(FEEDBACK, SCORE, 0.0, 0.5, op=TestOp.IN))),
    ("eq(feedback_value, null)", some(pair(FEEDBACK, VALUE, None))),
    ('eq(feedback_source, "api")', some(pair(FEEDBACK, Part.SOURCE, "api"))),
    ('search(feedback_comment, "nice")', some(pair(FEEDBACK, Part.COMMENT, "nice", op=TestOp.CONTAINS))),
    ('neq(metadata_key, "k")', Not(some(pair(METADATA, KEY, "k")))),
    ('not(eq(metadata_key, "k"))', Not(some(pair(METADATA, KEY, "k")))),
    ('and(eq(name, "x"))', Compare(Field.NAME, Op.EQ, "x")),
    ('or(eq(name, "x"), has(tags, "t"))', Or((Compare(Field.NAME, Op.EQ, "x"), HasTag("t")))),
    ('not(and(has(tags, "t"), has(tags, "u")))', Not(And((HasTag("t"), HasTag("u"))))),
    (
        'and(in(metadata_key, ["session_id", "thread_id"]), eq(metadata_value, "X"))',
        some(pair(METADATA, KEY, "session_id", "thread_id", op=TestOp.IN), pair(METADATA, VALUE, "X")),
    ),
    (
        'and(eq(metadata_key, "k"), not(eq(metadata_value, "v")))',
        some(pair(METADATA, KEY, "k"), pair(METADATA, VALUE, "v").flipped()),
    ),
    (
        'and(eq(feedback_key,"c"),\n lt(feedback_score,0.5),\n gt(latency,"10s"))',
        And(
            (
                Compare(Field.LATENCY, Op.GT, 10_000_000),
                some(pair(FEEDBACK, KEY, "c"), pair(FEEDBACK, SCORE, 0.5, op=TestOp.LT)),
            )
        ),
    ),
    (
        'and(gt(start_time, "2023-07-15T12:34:56Z"), or(neq(error, null), '
        'and(eq(feedback_key, "Correctness"), eq(feedback_score, 0.0))))',
        And(
            (
                Compare(Field.START_TIME, Op.GT, micros(2023, 7, 15, 12, 34, 56)),
                Or(
                    (
                        Not(Compare(Field.ERROR, Op.EQ, None)),
                        some(pair(FEEDBACK, KEY, "Correctness"), pair(FEEDBACK, SCORE, 0.0)),
                    )
                ),
            )
        ),
    ),
]


@pytest.mark.parametrize(("text", "meaning"), MEANINGS, ids=[text for text, _ in MEANINGS])
def test_meaning(text: str, meaning: Filter) -> None:
    assert parse(text) == meaning
    assert parse(f" \n\t{text}\n") == meaning


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r'"plain"', "plain"),
        (r"'single'", "single"),
        (r"""'say "hi"'""", 'say "hi"'),
        (r'"say \"hi\""', 'say "hi"'),
        (r"'it\'s'", "it's"),
        (r'"a\\b"', "a\\b"),
        (r'"line\nnext\ttab\/"', "line\nnext\ttab/"),
        (r'"\u00e9 \ud83d\ude00"', "é 😀"),
        ('"raw\nnewline é 😀"', "raw\nnewline é 😀"),
        (r'"100\%"', "100\\%"),
        ('""', ""),
    ],
)
def test_strings(literal: str, text: str) -> None:
    assert parse(f"eq(name, {literal})") == Compare(Field.NAME, Op.EQ, text)


MISTAKES = [
    ("", 0, "empty"),
    ("   ", 0, "empty"),
    ('"x"', 0, "function call"),
    ("name", 0, "function call"),
    ("eq(name", 7, "expected ',' or ')'"),
    ('eq(name, "x"', 12, "the end"),
    ('eq(name, "x)', 9, "does not end"),
    ('eq(name, "x"))', 13, "expected the end"),
    ('eq(name, "x") eq(name, "y")', 14, "join conditions"),
    ('eq(name "x")', 8, "expected ','"),
    ('eq(name, "x",)', 13, "found ')'"),
    ("eq(name, x)", 9, "quotes"),
    ('eq(name, eq(name, "x"))', 9, "found eq"),
    ('eq(name, "x", "y")', 0, "not 3 arguments"),
    ('eq("nam", "x")', 3, "without quotes"),
    ("eq(name; 1)", 7, "unexpected ';'"),
    ('equals(name, "x")', 0, "unknown function 'equals'"),
    ('eqq(name, "x")', 0, "did you mean eq?"),
    ('And(eq(name, "x"))', 0, "did you mean and?"),
    ('eq(statu, "x")', 3, "did you mean status?"),
    ('eq(metadata.foo, "x")', 3, "unknown field"),
    ('eq(project_id, "x")', 3, "unknown field"),
    ("and()", 0, "at least one"),
    ("not()", 0, "at least one"),
    ('not(eq(name, "x"), eq(name, "y"))', 0, "one condition"),
    ('and("x")', 4, "takes conditions"),
    ("eq(name, 5)", 9, "text in quotes"),
    ("eq(error, true)", 10, "neq(error, null)"),
    ('eq(id, "x")', 7, "uuid"),
    ("eq(id, 5)", 7, "uuid"),
    (f'gt(id, "{ID}")', 7, "no order"),
    ("gt(is_root, true)", 12, "no order"),
    ("eq(is_root, 1)", 12, "true or false"),
    ('gt(start_time, "yesterday")', 15, "takes a time"),
    ("gt(start_time, true)", 15, "takes a time"),
    ("gt(start_time, null)", 15, "no order"),
    ('gt(latency, "5 parsecs")', 12, "seconds"),
    ('gt(latency, "-5s")', 12, "seconds"),
    ("gt(latency, true)", 12, "seconds"),
    ('gt(total_tokens, "many")', 17, "takes a number"),
    ("gt(total_tokens, 1e999)", 17, "21 digits"),
    ('eq(feedback_score, "high")', 19, "takes a number"),
    ("gt(feedback_score, null)", 19, "null"),
    ("eq(metadata_key, null)", 17, "never null"),
    ("eq(metadata_key, 5)", 17, "text in quotes"),
    ('eq(tags, "x")', 3, "has(tags"),
    ('eq(metadata, "x")', 3, "metadata_key"),
    ('eq(inputs, "x")', 3, "input_key"),
    ('in(name, "x")', 9, "takes a list"),
    ('eq(name, ["x"])', 9, "in(name"),
    ("in(error, [null])", 10, "null"),
    ("in(name, [x])", 10, "a list holds only"),
    ("in(tags, [1])", 10, "text in quotes"),
    ('has(name, "x")', 4, "has(…) works on"),
    ("has(tags, 1)", 10, "text in quotes"),
    ('has(metadata, "k")', 14, "JSON object"),
    ("has(metadata, '[1]')", 14, "JSON object"),
    ("""has(metadata, '{"k": null}')""", 14, "null"),
    ('exists(name, "x")', 7, "neq(name, null)"),
    ('like(latency, "x")', 5, "works on texts"),
    ('search(feedback_score, "x")', 7, "works on texts"),
    ("search(5)", 7, "text in quotes"),
    ('search("a ! ?")', 7, "nothing to search for"),
    ('eq(name, "\\ud800")', 9, "surrogate"),
    ('eq(name, "\ud800")', 9, "surrogate"),
]


@pytest.mark.parametrize(("text", "position", "says"), MISTAKES)
def test_mistakes_are_named_and_placed(text: str, position: int, says: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text, where="trace_filter")
    assert caught.value.position == position
    assert caught.value.where == ("body", "trace_filter")
    assert caught.value.message.startswith(f"trace_filter, at character {position}: ")
    assert says in caught.value.message


def test_depth_is_bounded() -> None:
    def nested(levels: int) -> str:
        return "not(" * levels + 'has(tags,"t")' + ")" * levels

    parse(nested(MAX_DEPTH - 2))
    for levels in (MAX_DEPTH, 3_000):
        with pytest.raises(Invalid, match="nested deeper"):
            parse(nested(levels))
    with pytest.raises(Invalid, match=r"a list holds only|nested deeper"):
        parse("in(name, " + "[" * 5_000 + "]" * 5_000 + ")")


def test_length_is_bounded() -> None:
    with pytest.raises(Invalid, match="longer than"):
        parse(f'eq(name, "{"x" * MAX_LENGTH}")')


def test_the_number_of_conditions_is_bounded() -> None:
    def many(count: int) -> str:
        return "or(" + ",".join(['has(tags,"t")'] * count) + ")"

    parse(many(MAX_CONDITIONS))
    with pytest.raises(Invalid, match="more than 100 conditions"):
        parse(many(MAX_CONDITIONS + 1))


def test_deep_json_in_has_is_bounded() -> None:
    with pytest.raises(Invalid, match="JSON object"):
        parse("has(metadata, '" + '{"a":' * 3_000 + "1" + "}" * 3_000 + "')")


GUIDE = (Path(__file__).parents[3] / "docs" / "filters.md").read_text()
EXAMPLES = [
    example
    for block in re.findall(r"```text\n(.*?)```", GUIDE, re.DOTALL)
    for example in block.strip().split("\n\n")
]


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_of_the_guide_parse(text: str) -> None:
    parse(text)


def test_the_guide_names_every_function_and_field() -> None:
    with pytest.raises(Invalid) as functions:
        parse("nothing()")
    with pytest.raises(Invalid) as fields:
        parse("eq(nothing, 1)")
    for mistake in (functions, fields):
        known = mistake.value.message.partition("Known are ")[2].rstrip(".").split(", ")
        assert len(known) > 10
        assert [name for name in known if f"`{name}" not in GUIDE] == []


ALPHABET = [
    "eq",
    "gt",
    "in",
    "and",
    "not",
    "has",
    "like",
    "search",
    "exists",
    "name",
    "id",
    "latency",
    "tags",
]
ALPHABET += [
    "start_time",
    "metadata",
    "metadata_key",
    "input_value",
    "feedback_score",
    "total_cost",
    "is_root",
]
ALPHABET += [
    "(",
    ")",
    "[",
    "]",
    ",",
    '"',
    "'",
    "\\",
    " ",
    '"x"',
    '"5s"',
    "'{\"a\":1}'",
    "1",
    "-1e9",
    "null",
    "true",
]
FUNCTIONS = ["eq", "neq", "gt", "gte", "lt", "lte", "in", "has", "like", "search", "exists"]
FIELD_NAMES = [*ALPHABET[9:20], "status", "error", "thread_id", "prompt_cost", "feedback_value", "output_key"]
LITERALS = st.one_of(
    st.text(max_size=12).map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'),
    st.floats().map(repr),
    st.integers().map(str),
    st.from_regex(r"[+-]?[0-9]{1,4}(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,25})?", fullmatch=True),
    st.sampled_from(
        ["true", "null", '"2024-01-01"', '"1.5s"', "[]", '["a", 1]', f'"{ID}"', '\'{"a":{"b":[1]}}\'']
    ),
)
CALLS = st.tuples(st.sampled_from(FUNCTIONS), st.sampled_from(FIELD_NAMES), LITERALS).map(
    lambda parts: f"{parts[0]}({parts[1]}, {parts[2]})"
)


@settings(max_examples=tries(400))
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from(ALPHABET), max_size=15).map("".join),
        CALLS,
        st.lists(CALLS, min_size=1, max_size=3).map(lambda calls: f"and({','.join(calls)})"),
    )
)
@example("eq(total_cost, 1e-99999999999999999999999)")
@example('gt(start_time, "0001-01-01T00:00:00+23:59")')
@example('gt(start_time, "9999-12-31T23:59:59-23:59")')
@example('eq(latency, "' + "9" * 5000 + 's")')
def test_any_text_parses_or_is_invalid(text: str) -> None:
    mistake = None
    try:
        parse(text)
    except Invalid as invalid:
        mistake = invalid
    assert mistake is None or (mistake.position is not None and 0 <= mistake.position <= len(text))
