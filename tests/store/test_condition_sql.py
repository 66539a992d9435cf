"""The SQL that filters become, pinned in tests/golden/conditions; UPDATE_GOLDEN=1 writes it anew."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

import pytest

from stenograph.model.feedback import Shelf
from stenograph.model.filters import Compare, Contains, Field, Filter, OneOf, Op, Rare, Text, TraceCount
from stenograph.model.values import Document, InDocument, InFeedback, Reading, ValueOp, ValueTest
from stenograph.store.runs.conditions import condition
from stenograph.store.runs.sql import Params
from stenograph.wire.langsmith.filters.filters import parse

GOLDEN = Path(__file__).parent.parent / "golden" / "conditions"
UUID_TEXT = "018f3c5e-0000-7000-8000-000000000001"
STATEMENTS = {
    "id_eq": f'eq(id, "{UUID_TEXT}")',
    "id_in": f'in(trace_id, ["{UUID_TEXT}"])',
    "parent_null": "eq(parent_run_id, null)",
    "parent_neq": f'neq(parent_run_id, "{UUID_TEXT}")',
    "project": f'eq(session_id, "{UUID_TEXT}")',
    "name_eq": 'eq(name, "O\'Neil\\n\\\\")',
    "name_in": 'in(name, ["a", "it\'s"])',
    "error_null": "neq(error, null)",
    "error_like": 'like(error, "%timeout%")',
    "thread_null": "eq(thread_id, null)",
    "start_time": 'gte(start_time, "2024-05-01T12:30:00Z")',
    "start_time_in": "in(start_time, [1714566600])",
    "end_time": 'lt(end_time, "2024-05-01")',
    "latency": 'gt(latency, "1.5s")',
    "latency_in": "in(latency, [1, 2])",
    "latency_null": "eq(latency, null)",
    "is_root": "eq(is_root, true)",
    "tokens": "gt(total_tokens, 1000)",
    "tokens_in": "in(prompt_tokens, [1, 2])",
    "cost": "lte(total_cost, 0.001)",
    "cost_in": "in(total_cost, [0.1])",
    "cost_null": "eq(total_cost, null)",
    "tag": 'has(tags, "prod")',
    "tags_like": 'like(tags, "v1%")',
    "search": 'search("Timeout in step_2")',
    "search_unspaced": 'search("図書館")',
    "search_name": 'search(name, "chat")',
    "search_inputs": 'search(inputs, "a/\\"b\\"")',
    "metadata_pair": 'and(eq(metadata_key, "env"), eq(metadata_value, "prod"))',
    "metadata_key": 'eq(metadata_key, "env")',
    "metadata_key_dotted": 'and(eq(metadata_key, "a.b"), eq(metadata_value, "1"))',
    "metadata_value": 'eq(metadata_value, "prod")',
    "metadata_like": 'and(like(metadata_key, "ls_%"), neq(metadata_value, "x"))',
    "metadata_number": 'and(eq(metadata_key, "n"), gt(metadata_value, 5))',
    "metadata_absent": 'and(neq(metadata_key, "env"), eq(metadata_value, "prod"))',
    "metadata_has": """has(metadata, '{"a": "1", "b": "2"}')""",
    "metadata_exists": 'exists(metadata, "env")',
    "thread_keys": 'and(in(metadata_key, ["session_id", "thread_id"]), eq(metadata_value, "X"))',
    "input_pair": 'and(eq(input_key, "messages.content"), eq(input_value, "hi"))',
    "input_key": 'eq(input_key, "question")',
    "input_value": 'eq(input_value, "hi")',
    "input_number": "eq(input_value, 5)",
    "output_like": 'and(like(output_key, "choices.%"), like(output_value, "%done%"))',
    "output_exists": 'exists(outputs, "choices.message")',
    "feedback_pair": 'and(eq(feedback_key, "correct"), lt(feedback_score, 0.5))',
    "feedback_absent": 'neq(feedback_key, "correct")',
    "feedback_value": 'and(eq(feedback_key, "label"), eq(feedback_value, "good"))',
    "logic": 'and(eq(is_root, true), or(neq(error, null), gt(latency, "5s")), not(has(tags, "dev")))',
}


INPUTS, METADATA, EXTRA = Document.INPUTS, Document.METADATA, Document.EXTRA
TREES: dict[str, Filter] = {
    "value_in_inputs": ValueTest(InDocument(INPUTS, ("chat", "0", "text")), ValueOp.EQ, Reading.TEXT, "it's"),
    "value_in_extra": ValueTest(
        InDocument(EXTRA, ("n",), ("honeyhive", "config")), ValueOp.GT, Reading.NUMBER, 1.5
    ),
    "value_in_metadata": ValueTest(InDocument(METADATA, ("run_id",)), ValueOp.EQ, Reading.TEXT, "r"),
    "value_in_metadata_dotted": ValueTest(InDocument(METADATA, ("a", "b")), ValueOp.EQ, Reading.FLAG, True),
    "value_exists": ValueTest(InDocument(METADATA, ("a",)), ValueOp.EXISTS),
    "value_exists_inside": ValueTest(InDocument(Document.OUTPUTS, ("a",)), ValueOp.EXISTS),
    "value_of_whole": ValueTest(InDocument(INPUTS, ()), ValueOp.CONTAINS, Reading.TEXT, "hi"),
    "value_whole_exists": ValueTest(InDocument(INPUTS, ()), ValueOp.EXISTS),
    "value_moment": ValueTest(
        InDocument(METADATA, ("at",)), ValueOp.LT, Reading.MOMENT, 1_768_910_400_000_000
    ),
    "value_of_metrics": ValueTest(InFeedback(Shelf.METRICS, ("ok",)), ValueOp.GT, Reading.NUMBER, 0.5),
    "value_of_feedback": ValueTest(
        InFeedback(Shelf.FEEDBACK, ("ok", "why")), ValueOp.CONTAINS, Reading.TEXT, "x"
    ),
    "value_of_explanation": ValueTest(InFeedback(Shelf.METRICS, ("ok_explanation",)), ValueOp.EXISTS),
    "trace_count": TraceCount(Compare(Field.RUN_TYPE, Op.EQ, "llm"), Op.GT, 2),
    "trace_sum": TraceCount(Compare(Field.RUN_TYPE, Op.EQ, "llm"), Op.GT, 10**12, Field.TOTAL_COST),
    "tokens_alone": Compare(Field.TOTAL_TOKENS, Op.GT, 5, alone=True),
    "value_on_shelf": ValueTest(InFeedback(Shelf.FEEDBACK, ()), ValueOp.EXISTS),
    "rare": Rare(Compare(Field.NAME, Op.EQ, "seldom")),
    "one_of": OneOf(UUID(int=2).bytes + UUID("018f3c5e-0000-7000-8000-000000000001").bytes),
    "id_contains": Contains(Text.PARENT_RUN_ID, "018f"),
}


@pytest.mark.parametrize("name", [*STATEMENTS, *TREES])
def test_sql_is_as_recorded(name: str) -> None:
    params = Params()
    sql = condition(TREES.get(name) or parse(STATEMENTS[name]), params, UUID(int=1))
    bound = "".join(f"-- {key} = {value}\n" for key, value in params.values.items())
    golden = GOLDEN / f"{name}.sql"
    text = f"-- {STATEMENTS.get(name, 'of a tree')}\n{sql}\n{bound}"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text)
    assert golden.read_text() == text


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in GOLDEN.glob("*.sql")} == {*STATEMENTS, *TREES}
