"""Filters against the engine: which runs each one finds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import chdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stenograph.model.filters import (
    KINDS,
    And,
    Compare,
    Contains,
    Exists,
    Field,
    Filter,
    HasTag,
    Kind,
    Like,
    Member,
    Not,
    OneOf,
    Op,
    Or,
    PairKind,
    Pairs,
    PairTest,
    Part,
    Search,
    TestOp,
    Text,
    all_of,
)
from stenograph.store.runs.conditions import condition
from stenograph.store.runs.sql import Params
from stenograph.wire.langsmith.filters.filters import parse
from tests.effort import tries

WORKSPACE = uuid5(NAMESPACE_OID, "workspace")
ELSEWHERE = uuid5(NAMESPACE_OID, "another workspace")
PROJECT = uuid5(NAMESPACE_OID, "project")
EXAMPLE = uuid5(NAMESPACE_OID, "example")


def ident(label: str) -> UUID:
    return uuid5(NAMESPACE_OID, label)


def run(label: str, parent: str | None = None, **columns: Any) -> dict[str, Any]:
    """A finished root of one second, or a child of `parent`; `label` becomes its id and its name."""
    return {
        "workspace_id": str(WORKSPACE),
        "project_id": str(PROJECT),
        "is_root": parent is None,
        "start_time": "2026-01-05 12:00:00.000000",
        "end_time": "2026-01-05 12:00:01.000000",
        "id": str(ident(label)),
        "version": 1,
        "trace_id": str(ident(parent or label)),
        "parent_run_id": str(ident(parent)) if parent else None,
        "name": label,
        "run_type": "chain",
        "status": "success",
        **columns,
    }


def payload(label: str, document: str) -> dict[str, Any]:
    return run(label, inputs=document, outputs="")


PAIRS = {"ab": {"a": "1", "b": "2"}, "a2": {"a": "2"}, "c1": {"c": "1"}, "no": {}}
"""Runs by label, with the pairs that each has of every kind."""

RUNS = [
    run(
        "root",
        name="Checkout",
        start_time="2026-01-01 00:00:00.000000",
        end_time="2026-01-01 00:00:12.500000",
        first_token_time="2026-01-01 00:00:01.000000",
        tags=["prod", "v1.0", "50%"],
        metadata={"env": "prod", "tries": "5", "deep": '{"er": {"x": [1, 2]}, "s": "v"}', "empty": ""},
        thread_id="T-1",
        inputs='{"question": "Where is the Zebra?\\nIn the été"}',
        outputs='{"answer": "At the lake"}',
        reference_example_id=str(EXAMPLE),
    ),
    run("llm1", "root", run_type="llm", prompt_tokens=100, completion_tokens=50, total_tokens=150,
        prompt_cost="0.1", completion_cost="0.2", total_cost="0.3"),
    run("llm2", "root", run_type="llm", prompt_tokens=10, completion_tokens=5, total_tokens=15,
        total_cost="0.000000000001"),
    run(
        "failed",
        status="error",
        error="TimeoutError: upstream „ÉCHEC“ after 100% of 5s",
        end_time="2026-01-05 12:00:00.250000",
        tags=["dev"],
        metadata={"env": "dev", "thread_id": "T-1", "k%": "a_b"},
        inputs='["図書館で勉強する", "say \\"hi\\" or a\\\\b\\/c"]',
    ),
    run("open", status="pending", end_time=None, project_id=str(ident("other project"))),
    # an older version that would match, and a deleted run
    run("stale", tags=["old"], metadata={"env": "old"}, inputs='{"k": "giraffe"}', total_tokens=7000),
    run("stale", version=2),
    run("gone", tags=["prod"], metadata={"env": "prod"}, inputs='{"k": "Zebra"}'),
    run("gone", version=2, deleted=1, tags=["prod"], metadata={"env": "prod"}, inputs='{"k": "Zebra"}'),
    # the same trace id in another workspace must not add to this one's tokens
    run("stranger", "root", workspace_id=str(ELSEWHERE), total_tokens=9000, total_cost="9"),
    *(
        run(f"pair-{label}", metadata=pairs, inputs=json.dumps(pairs), outputs=json.dumps([[pairs]]))
        for label, pairs in PAIRS.items()
    ),
    payload(
        "json-nested",
        ' {"a" : [[{"b":1.0}, {"b": ["x", {"c": null}]}]],\n "list": [[[["deep"]]]], "e": [], "o": {}}',
    ),
    payload("json-dotted", '{"a.b": "dot", "a": {"b.c": "q\\"\\n\\\\"}, "": {"n": "unnamed"}}'),
    payload(
        "json-tricky",
        '{"k": "a\\": \\"b", "x": ["}{][", ", "], "key:": "v", "t": "a\\/b", "long": "' + "y" * 9000 + '"}',
    ),
    payload(
        "json-numbers",
        '{"i": 5, "s": "5", "f": 1.50, "big": 12345678901234567890123, "neg": -0.5, "yes": true}',
    ),
    payload("json-string", '"just text"'),
    payload("json-broken", '{"k": "v'),
    payload("json-many", json.dumps({f"key{n}": {"v": n} for n in range(2000)})),
    payload("json-steep", "[" * 100 + '{"k":"v"}' + "]" * 100),
]  # fmt: skip


def judged(label: str, key: str, **columns: Any) -> dict[str, Any]:
    return {
        "workspace_id": str(WORKSPACE),
        "run_id": str(ident(label)),
        "id": str(ident(f"feedback {label} {key}")),
        "version": 1,
        "key": key,
        "source_type": "api",
        **columns,
    }


FEEDBACK = [
    *(
        judged(f"pair-{of}", key, value=f'"{value}"')
        for of, pairs in PAIRS.items()
        for key, value in pairs.items()
    ),
    judged("root", "correct", score=0.9, value='"good \\u00e9"', comment="Nice one", source_type="app"),
    judged("root", "helpful", score=0.2, value='{"label": 1}'),
    judged("failed", "correct", score=0.1, value="5", source_type="model"),
    judged("open", "correct", score=None, value="null", comment=None),
    judged("open", "rude", score=1.0),
    judged("open", "rude", score=0.0, version=2),
    judged("stale", "correct", score=0.9),
    judged("stale", "correct", score=0.9, version=2, deleted=1),
    judged("llm1", "correct", score=0.9, workspace_id=str(ELSEWHERE)),
]

ALL = {"root", "llm1", "llm2", "failed", "open", "stale"} | {
    row["name"] for row in RUNS if row["name"].startswith(("pair-", "json-"))
}


class Engine:
    def __init__(self, path: Path) -> None:
        self._connection = chdb.connect(str(path))

    def execute(self, sql: str, params: Params | None = None) -> list[dict[str, Any]]:
        values = params.values if params is not None else {}
        answer = str(self._connection.query(sql, "JSONEachRow", params=values))
        return [json.loads(line) for line in answer.splitlines()]

    def found(self, wanted: Filter) -> set[str]:
        """The labels of the runs that `wanted` finds."""
        params = Params()
        sql = condition(wanted, params, WORKSPACE)
        return self._labels(f"runs FINAL WHERE {_own(params)} AND {sql}", params)

    def _labels(self, source: str, params: Params) -> set[str]:
        return {LABELS[row["id"]] for row in self.execute(f"SELECT id FROM {source}", params)}

    def close(self) -> None:
        self._connection.close()


def _own(params: Params) -> str:
    return f"workspace_id = {params.uuid(WORKSPACE)}"


LABELS = {str(ident(label)): label for label in ALL}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One process opens one path at a time, so this closes with the module."""
    engine = Engine(tmp_path_factory.mktemp("runs"))
    schema = resources.files("stenograph.store.runs").joinpath("schema.sql").read_text()
    for statement in re.split(r"^-- name: \w+$", schema, flags=re.MULTILINE)[1:]:
        engine.execute(statement)
    for table, rows in (("runs", RUNS), ("feedback", FEEDBACK)):
        for version in (1, 2):
            lines = "\n".join(
                json.dumps(row, ensure_ascii=False) for row in rows if row["version"] == version
            )
            engine.execute(f"INSERT INTO {table} FORMAT JSONEachRow {lines}")
    yield engine
    engine.close()


ROOTS = ALL - {"llm1", "llm2"}

MANY_KEYS = [f"key{n}.v" for n in range(30)]

CASES: list[tuple[str, set[str]]] = [
    # identity
    (f'eq(id, "{ident("root")}")', {"root"}),
    (f'neq(id, "{ident("root")}")', ALL - {"root"}),
    (f'in(id, ["{ident("root")}", "{ident("open")}", "{ident("stranger")}"])', {"root", "open"}),
    (f'eq(trace_id, "{ident("root")}")', {"root", "llm1", "llm2"}),
    (f'eq(parent_run_id, "{ident("root")}")', {"llm1", "llm2"}),
    (f'neq(parent_run_id, "{ident("root")}")', ROOTS),
    ("eq(parent_run_id, null)", ROOTS),
    ("eq(id, null)", set()),
    (f'in(parent_run_id, ["{ident("root")}"])', {"llm1", "llm2"}),
    (f'not(in(parent_run_id, ["{ident("root")}"]))', ROOTS),
    (f'eq(reference_example_id, "{EXAMPLE}")', {"root"}),
    ("neq(reference_example_id, null)", {"root"}),
    (f'neq(session_id, "{PROJECT}")', {"open"}),
    (f'in(session_id, ["{PROJECT}"])', ALL - {"open"}),
    # text
    ('eq(name, "Checkout")', {"root"}),
    ('in(name, ["Checkout", "llm1", "checkout"])', {"root", "llm1"}),
    ("in(name, [])", set()),
    ('eq(run_type, "llm")', {"llm1", "llm2"}),
    ('neq(run_type, "LLM")', ROOTS),
    ('eq(status, "error")', {"failed"}),
    ('in(status, ["error", "PENDING"])', {"failed", "open"}),
    ("neq(error, null)", {"failed"}),
    ("eq(error, null)", ALL - {"failed"}),
    ('neq(error, "other")', ALL),
    ('gt(error, "A")', {"failed"}),
    ('eq(thread_id, "T-1")', {"root"}),
    ("eq(thread_id, null)", ALL - {"root"}),
    ('lte(name, "failed")', {"root", "failed"}),
    ('in(error, ["x"])', set()),
    ('not(in(error, ["x"]))', ALL),
    # times
    ('lt(start_time, "2026-01-02")', {"root"}),
    ("eq(start_time, 1767225600)", {"root"}),
    ('gte(start_time, "2026-01-05T13:00:00.000001+01:00")', set()),
    ('gte(start_time, "2026-01-05T13:00:00+01:00")', ALL - {"root"}),
    ('in(start_time, ["2026-01-01"])', {"root"}),
    ('gt(start_time, "0001-01-01")', ALL),
    ('lt(start_time, "9999-12-31")', ALL),
    ('lte(end_time, "2026-01-01T00:00:12.5Z")', {"root"}),
    ('not(gt(end_time, "1999-01-01"))', {"open"}),
    ('neq(end_time, "2026-01-05T12:00:01Z")', {"root", "failed", "open"}),
    ("eq(end_time, null)", {"open"}),
    ('eq(first_token_time, "2026-01-01T00:00:01Z")', {"root"}),
    ("neq(first_token_time, null)", {"root"}),
    ('gt(latency, "12.4s")', {"root"}),
    ("lte(latency, 0.25)", {"failed"}),
    ("eq(latency, 12.5)", {"root"}),
    ('eq(latency, "250ms")', {"failed"}),
    ('in(latency, ["250ms", 12.5])', {"failed", "root"}),
    ('neq(latency, "1s")', {"root", "failed", "open"}),
    ("eq(latency, null)", {"open"}),
    ("not(lt(latency, 1000))", {"open"}),
    # flags, tokens, money: a root's are its trace's
    ("eq(is_root, true)", ROOTS),
    ("neq(is_root, true)", {"llm1", "llm2"}),
    ("in(is_root, [false])", {"llm1", "llm2"}),
    ("gt(total_tokens, 100)", {"root", "llm1"}),
    ("eq(total_tokens, 165)", {"root"}),
    ("eq(prompt_tokens, 110)", {"root"}),
    ("lt(completion_tokens, 50)", ALL - {"root", "llm1"}),
    ("in(total_tokens, [15, 165])", {"root", "llm2"}),
    ("neq(total_tokens, 0)", {"root", "llm1", "llm2"}),
    ("eq(total_tokens, null)", set()),
    ("gt(total_cost, 0.3)", {"root"}),
    ("eq(total_cost, 0.300000000001)", {"root"}),
    ("lte(total_cost, 0.3)", {"llm1", "llm2"}),
    ("in(total_cost, [0.3, 1e-12])", {"llm1", "llm2"}),
    ("eq(prompt_cost, 0.1)", {"root", "llm1"}),
    ("eq(completion_cost, null)", ALL - {"root", "llm1"}),
    ("lt(total_cost, 1e20)", {"root", "llm1", "llm2"}),
    # tags
    ('has(tags, "prod")', {"root"}),
    ('not(has(tags, "prod"))', ALL - {"root"}),
    ('in(tags, ["prod", "dev"])', {"root", "failed"}),
    ('like(tags, "v_.0")', {"root"}),
    ('like(tags, "50\\%")', {"root"}),
    ('search(tags, "ROD")', {"root"}),
    # text tests
    ('like(name, "Check%")', {"root"}),
    ('like(name, "check%")', set()),
    ('like(name, "llm_")', {"llm1", "llm2"}),
    ('like(error, "%100\\%%")', {"failed"}),
    ('like(name, "x\\\\")', set()),
    ('not(like(error, "%"))', ALL - {"failed"}),
    ('search(name, "CHECK")', {"root"}),
    ('search(error, "échec")', {"failed"}),
    ('not(search(error, "échec"))', ALL - {"failed"}),
    ('search(inputs, "question")', {"root"}),
    ('search(inputs, "zebra?\\nin")', {"root"}),
    ("""search(inputs, 'SAY "hi"')""", {"failed"}),
    ('search(inputs, "a\\\\b/c")', {"failed"}),
    ('search(outputs, "the LAKE")', {"root"}),
    ('like(outputs, "%At the%")', {"root"}),
    # words
    ('search("zebra")', {"root"}),
    ('search("ZEBRA lake")', {"root"}),
    ('search("zebra nowhere")', set()),
    ('search("zebra?! a -")', {"root"}),
    ('search("ÉTÉ")', {"root"}),
    ('search("the")', {"root"}),
    ('search("In Été")', {"root"}),
    ('search("checkout zebra")', {"root"}),
    ('search("checkOUT")', {"root"}),
    ('search("timeout 100%")', {"failed"}),
    ('search("zebr")', set()),
    ('not(search("zebra"))', ALL - {"root"}),
    ('or(search("zebra"), search("upstream"))', {"root", "failed"}),
    ('and(search("hi"), not(search("zebra")))', {"failed"}),
    ('search("勉強")', {"failed"}),
    ('search("giraffe")', set()),
    # metadata
    ('eq(metadata_key, "env")', {"root", "failed"}),
    ('eq(metadata_key, "empty")', {"root"}),
    ('and(eq(metadata_key, "empty"), eq(metadata_value, ""))', {"root"}),
    ('and(eq(metadata_key, "absent"), eq(metadata_value, ""))', set()),
    ('eq(metadata_value, "prod")', {"root"}),
    ('and(eq(metadata_key, "tries"), eq(metadata_value, 5))', {"root"}),
    ('and(eq(metadata_key, "tries"), eq(metadata_value, "5"))', {"root"}),
    ('and(eq(metadata_key, "tries"), gt(metadata_value, 10))', set()),
    ('and(eq(metadata_key, "tries"), gt(metadata_value, "10"))', {"root"}),
    ('and(eq(metadata_key, "env"), in(metadata_value, ["prod", "test"]))', {"root"}),
    ('and(eq(metadata_key, "env"), like(metadata_value, "d_v"))', {"failed"}),
    ('and(eq(metadata_key, "env"), search(metadata_value, "DE"))', {"failed"}),
    ('and(like(metadata_key, "e%"), eq(metadata_value, "dev"))', {"failed"}),
    ('like(metadata_key, "k\\%")', {"failed"}),
    ('search(metadata, "ROD")', {"root"}),
    (
        'and(in(metadata_key, ["session_id", "conversation_id", "thread_id"]), eq(metadata_value, "T-1"))',
        {"failed"},
    ),
    ("""has(metadata, '{"env": "prod"}')""", {"root"}),
    ("""has(metadata, '{"env": "prod", "tries": 5}')""", {"root"}),
    ("""has(metadata, '{"env": "prod", "tries": 6}')""", set()),
    ("""has(metadata, '{"deep": {"er": {"x": [2, 1]}}}')""", set()),
    ("""has(metadata, '{"deep": {"s": "v"}}')""", {"root"}),
    ("has(metadata, '{}')", ALL),
    ('exists(metadata, "deep")', {"root"}),
    ('exists(metadata, "deep.er")', {"root"}),
    ('exists(metadata, "deep.no")', set()),
    ('not(exists(metadata, "env"))', ALL - {"root", "failed"}),
    ('and(eq(metadata_key, "deep.er.x"), eq(metadata_value, 2))', {"root"}),
    ('and(eq(metadata_key, "deep.er.x"), eq(metadata_value, 3))', set()),
    # payloads
    ('eq(input_key, "question")', {"root"}),
    ('eq(output_key, "answer")', {"root"}),
    ('and(eq(output_key, "answer"), eq(output_value, "At the lake"))', {"root"}),
    ('eq(input_value, "At the lake")', set()),
    ('eq(input_key, "a.b")', {"json-nested", "json-dotted"}),
    ('and(eq(input_key, "a.b"), eq(input_value, "x"))', {"json-nested"}),
    ('and(eq(input_key, "a.b"), eq(input_value, 1))', {"json-nested"}),
    ('and(eq(input_key, "a.b"), eq(input_value, "dot"))', {"json-dotted"}),
    ('and(eq(input_key, "a.b.c"), eq(input_value, null))', {"json-nested"}),
    ('and(eq(input_key, "a.b.c"), eq(input_value, "q\\"\\n\\\\"))', {"json-dotted"}),
    ('and(in(input_key, ["a.b.c", "k"]), neq(input_value, null))', {"json-dotted", "json-tricky"}),
    ('and(eq(input_key, "list"), eq(input_value, "deep"))', {"json-nested"}),
    ('or(eq(input_key, "e"), eq(input_key, "o"))', set()),
    ('exists(inputs, "e")', {"json-nested"}),
    ('exists(inputs, "a")', {"json-nested", "json-dotted", "pair-ab", "pair-a2"}),
    ('exists(inputs, "b")', {"pair-ab"}),
    ('exists(outputs, "answer")', {"root"}),
    ('and(like(input_key, "a.%"), eq(input_value, "x"))', {"json-nested"}),
    ('and(like(input_key, "a._"), like(input_value, "d%"))', {"json-dotted"}),
    ('search(input_key, "UESTIO")', {"root"}),
    ('eq(input_key, ".n")', {"json-dotted"}),
    ('and(eq(input_key, ""), eq(input_value, "just text"))', {"json-string"}),
    ('eq(input_value, "just text")', {"json-string"}),
    ('eq(input_value, "Where is the Zebra?\\nIn the été")', {"root"}),
    ('eq(input_value, "question")', set()),
    ('eq(input_value, "key:")', set()),
    ('eq(input_value, ", ")', {"json-tricky"}),
    ('eq(input_value, "}{][")', {"json-tricky"}),
    ('eq(input_value, "a\\": \\"b")', {"json-tricky"}),
    ('eq(input_value, "b")', set()),
    ('eq(input_value, "a/b")', {"json-tricky"}),
    ('and(eq(input_key, "t"), eq(input_value, "a/b"))', {"json-tricky"}),
    (f'eq(input_value, "{"y" * 9000}")', {"json-tricky"}),
    (f'and(eq(input_key, "long"), eq(input_value, "{"y" * 9000}"))', {"json-tricky"}),
    ('like(input_value, "%Zebra%")', {"root"}),
    ('like(input_value, "%zebra%")', set()),
    ('like(input_value, "a\\\\\\\\b%")', set()),
    ('like(input_value, "%a\\\\\\\\b/c")', {"failed"}),
    ('search(input_value, "zEbRa?\\nin")', {"root"}),
    ('in(input_value, ["just text", "dot"])', {"json-string", "json-dotted"}),
    ("and(eq(input_key, \"i\"), eq(input_value, 5))", {"json-numbers"}),
    ('and(eq(input_key, "i"), eq(input_value, "5"))', {"json-numbers"}),
    ('and(eq(input_key, "s"), eq(input_value, 5))', {"json-numbers"}),
    ('and(eq(input_key, "s"), eq(input_value, 5.0))', set()),
    ('and(eq(input_key, "f"), eq(input_value, 1.5))', {"json-numbers"}),
    ('and(eq(input_key, "f"), eq(input_value, 1.50))', {"json-numbers"}),
    ("eq(input_value, 1.500)", {"json-numbers"}),
    ("eq(input_value, 12345678901234567890123)", {"json-numbers"}),
    ('and(eq(input_key, "big"), eq(input_value, "12345678901234567890123"))', {"json-numbers"}),
    ('and(eq(input_key, "neg"), lt(input_value, 0))', {"json-numbers"}),
    ('and(eq(input_key, "yes"), eq(input_value, true))', {"json-numbers"}),
    ("eq(input_value, true)", {"json-numbers"}),
    ("gt(input_value, 1e20)", {"json-numbers"}),
    ('and(eq(input_key, "key1999.v"), eq(input_value, 1999))', {"json-many"}),
    ('and(in(input_key, ["key1.v", "key2.v", "key5.v"]), eq(input_value, 5))', {"json-many"}),
    (f'and(in(input_key, {json.dumps(MANY_KEYS)}), eq(input_value, 7))', {"json-many"}),
    ('and(eq(input_key, "k"), eq(input_value, "v"))', set()),
    ('eq(input_value, "v")', {"json-tricky", "json-steep"}),
    ('search(input_value, "")', ALL - {"llm1", "llm2", "open", "stale", "pair-no", "json-broken"}),
    # feedback
    ('eq(feedback_key, "correct")', {"root", "failed", "open"}),
    ('has(feedback_key, "helpful")', {"root"}),
    ('neq(feedback_key, "correct")', ALL - {"root", "failed", "open"}),
    ('and(eq(feedback_key, "correct"), gt(feedback_score, 0.5))', {"root"}),
    ('and(eq(feedback_key, "correct"), lt(feedback_score, 0.5))', {"failed"}),
    ('and(eq(feedback_key, "helpful"), gt(feedback_score, 0.5))', set()),
    ('and(eq(feedback_key, "correct"), not(gt(feedback_score, 0.5)))', {"failed", "open"}),
    ('and(eq(feedback_key, "correct"), eq(feedback_score, null))', {"open"}),
    ('and(eq(feedback_key, "correct"), neq(feedback_score, null))', {"root", "failed"}),
    ('and(eq(feedback_key, "rude"), eq(feedback_score, true))', set()),
    ('and(eq(feedback_key, "rude"), eq(feedback_score, 0))', {"open"}),
    ('and(gt(feedback_score, 0.1), lt(feedback_score, 0.5))', {"root"}),
    ("in(feedback_score, [0.1, 0.9])", {"root", "failed"}),
    ('eq(feedback_value, "good é")', {"root"}),
    ("eq(feedback_value, 5.0)", {"failed"}),
    ("""eq(feedback_value, '{"label": 1}')""", {"root"}),
    ('and(eq(feedback_key, "correct"), eq(feedback_value, null))', {"open"}),
    ('like(feedback_value, "good%")', {"root"}),
    ('eq(feedback_source, "model")', {"failed"}),
    ('in(feedback_source, ["model", "app"])', {"failed", "root"}),
    ('search(feedback_comment, "nice")', {"root"}),
    ('and(eq(feedback_key, "correct"), neq(feedback_comment, "Nice one"))', {"failed", "open"}),
    ('and(eq(feedback_key, "correct"), neq(feedback_comment, null))', {"root"}),
    ('and(eq(feedback_key, "correct"), lt(feedback_score, 0.95), gt(latency, "10s"))', {"root"}),
    # logic
    ('and(eq(is_root, true), or(has(tags, "dev"), has(tags, "prod")), not(eq(status, "error")))', {"root"}),
    ('not(and(eq(is_root, true), eq(status, "success")))', {"llm1", "llm2", "failed", "open"}),
    ('and(neq(error, null), gt(start_time, "2023-07-15T12:34:56Z"))', {"failed"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "labels"), CASES, ids=[text[:90] for text, _ in CASES])
def test_finds(engine: Engine, text: str, labels: set[str]) -> None:
    assert engine.found(parse(text)) == labels


PAIR_RULES = [
    ('and(eq({}_key, "a"), eq({}_value, "1"))', {"ab"}),
    ('and(eq({}_key, "a"), eq({}_value, "2"))', {"a2"}),
    ('eq({}_key, "a")', {"ab", "a2"}),
    ('eq({}_value, "1")', {"ab", "c1"}),
    ('neq({}_key, "a")', {"c1", "no"}),
    ('neq({}_value, "1")', {"a2", "no"}),
    ('and(eq({}_key, "a"), neq({}_value, "1"))', {"a2"}),
    ('and(neq({}_key, "a"), eq({}_value, "1"))', {"c1"}),
    ('and(neq({}_key, "a"), neq({}_value, "1"))', {"no"}),
    ('and(neq({}_key, "a"), eq({}_value, "2"))', set()),
    ('and(and(eq({}_key, "a"), eq({}_value, "1")), and(eq({}_key, "b"), eq({}_value, "2")))', {"ab"}),
    ('and(eq({}_key, "a"), eq({}_value, "1"), eq({}_key, "b"), eq({}_value, "2"))', set()),
    ('and(in({}_key, ["a", "c"]), eq({}_value, "1"))', {"ab", "c1"}),
    ('or(eq({}_key, "b"), eq({}_value, "1"))', {"ab", "c1"}),
    ('not(and(eq({}_key, "a"), eq({}_value, "1")))', {"a2", "c1", "no"}),
    ('and(eq({}_key, "a"), not(eq({}_value, "1")))', {"a2"}),
    ('and(eq({}_key, "a"), and(eq({}_value, "2")))', {"ab", "a2"}),
]


@pytest.mark.parametrize("kind", ["metadata", "input", "output", "feedback"])
@pytest.mark.parametrize(("text", "labels"), PAIR_RULES)
def test_pair_semantics_are_the_same_for_every_kind(
    engine: Engine, kind: str, text: str, labels: set[str]
) -> None:
    found = engine.found(parse(text.replace("{}", kind)))
    assert {label for label in found if label.startswith("pair-")} == {f"pair-{label}" for label in labels}


def test_a_trace_is_added_up_within_the_bound_that_was_given(engine: Engine) -> None:
    def found(within: str) -> int:
        params = Params()
        sql = condition(parse("gt(total_tokens, 160)"), params, WORKSPACE, within=within)
        return len(engine.execute(f"SELECT id FROM runs FINAL WHERE {_own(params)} AND {sql}", params))

    assert (found(""), found("id != generateUUIDv4()"), found("total_tokens < 100")) == (1, 1, 0)


def test_ids_by_the_thousand(engine: Engine) -> None:
    wanted = set(sorted(LABELS.values())[:3]) & engine.found(And(()))
    some = [ident(label) for label in sorted(wanted)]
    assert some
    for others in (0, 5, 20_000):  # few are sought by the index of ids, many are not
        ids = b"".join(each.bytes for each in [*some, *(uuid5(WORKSPACE, str(at)) for at in range(others))])
        assert engine.found(OneOf(ids)) == wanted
        assert engine.found(Not(OneOf(ids))) == engine.found(And(())) - wanted
    assert engine.found(OneOf(b"")) == set()
    assert engine.found(Not(OneOf(b""))) == engine.found(And(()))
    with pytest.raises(ValueError):
        OneOf(b"short")


# Any tree at all.

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["a", "a.b", "env", "zebra", "5", "%", "\\", "'", "1e5", "図"]
)
NUMBERS = st.floats(allow_nan=False) | st.integers(-(10**30), 10**30)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.IDENTITY: st.uuids(),
    Kind.TEXT: TEXTS,
    Kind.TIME: st.integers(-(10**20), 10**20),
    Kind.DURATION: st.integers(-(10**30), 10**30),
    Kind.FLAG: st.booleans(),
    Kind.COUNT: NUMBERS,
    Kind.MONEY: st.integers(-(10**45), 10**45),
}


@st.composite
def compares(draw: st.DrawFn) -> Filter:
    field = draw(st.sampled_from(Field))
    kind = KINDS[field]
    how = draw(st.sampled_from(["absent", "member", "compare"]))
    if how == "absent":
        return Compare(field, Op.EQ, None)
    if how == "member":
        return Member(field, tuple(draw(st.lists(VALUES[kind], max_size=3))))
    ordered = kind not in (Kind.IDENTITY, Kind.FLAG)
    return Compare(field, draw(st.sampled_from(Op)) if ordered else Op.EQ, draw(VALUES[kind]))


@st.composite
def pair_tests(draw: st.DrawFn, kind: PairKind) -> PairTest:
    part = draw(st.sampled_from(list(Part) if kind is PairKind.FEEDBACK else [Part.KEY, Part.VALUE]))
    op = draw(st.sampled_from(TestOp))
    numeric = part is Part.SCORE
    if numeric and op in (TestOp.LIKE, TestOp.CONTAINS):
        op = TestOp.EQ
    values: st.SearchStrategy[Any] = st.floats(allow_nan=False) if numeric else TEXTS
    if part is Part.VALUE and op in (TestOp.GT, TestOp.LTE):
        values = st.one_of(values, st.floats(allow_nan=False))
    count = (0, 6) if op is TestOp.IN else (1, 1)
    chosen = draw(st.lists(values, min_size=count[0], max_size=count[1]))
    return PairTest(kind, part, op, tuple(chosen), draw(st.booleans()))


@st.composite
def pairs(draw: st.DrawFn) -> Filter:
    kind = draw(st.sampled_from(PairKind))
    tests = draw(st.lists(pair_tests(kind), min_size=1, max_size=3))
    return draw(st.sampled_from([all_of(tests), Pairs(kind, tuple(tests))]))


LEAVES = st.one_of(
    compares(),
    pairs(),
    st.builds(Contains, st.sampled_from(Text), TEXTS),
    st.builds(Like, st.sampled_from(Text), TEXTS),
    st.builds(HasTag, TEXTS),
    st.builds(Search, TEXTS),
    st.builds(Exists, st.sampled_from(PairKind), TEXTS),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda parts: And(tuple(parts)), st.lists(inner, max_size=3)),
        st.builds(lambda parts: Or(tuple(parts)), st.lists(inner, max_size=3)),
    ),
    max_leaves=4,
)


@settings(max_examples=tries(120))
@given(TREES)
def test_every_tree_is_accepted_and_is_true_or_false_of_every_run(engine: Engine, tree: Filter) -> None:
    assert engine.found(tree) == ALL - engine.found(Not(tree))


def test_what_is_always_true_beside_words_changes_nothing(engine: Engine) -> None:
    always = Not(Compare(field=Field.ID, op=Op.EQ, value=None))
    for tree in (
        And((Search("ZEBRA"), always)),
        Or((Search("ZEBRA"), Not(always))),
        And((always, Or(()))),
        always,
    ):
        assert engine.found(tree) == ALL - engine.found(Not(tree))


def test_the_longest_filter_that_parses_is_accepted(engine: Engine) -> None:
    pair = 'and(like(input_key,"a.%"),neq(output_value,5),eq(input_value,"x"))'
    text = "or(" + ",".join([pair] * 33) + ")"
    assert engine.found(parse(text)) == engine.found(parse(pair))
    walks = 'in(input_key,["a.b","c","d","e","ab"])'
    assert engine.found(parse("or(" + ",".join([walks] * 100) + ")")) == engine.found(parse(walks))


# Pairs of any document, against a plain reading of it.

NAMES = st.sampled_from(["a", "b", "a.b", "é", 'q"', "x/y", "", "k:"])
SCALARS = st.one_of(
    st.sampled_from(["a", "1", "1.0", "true", 'q"', "x/y", "\t\n", ", ", "{", "é 図", "\\"]),
    st.sampled_from([0, 1, -1, 1.0, 1.5, 2**60, True, False, None]),
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def flattened(document: Any, path: str | None = None) -> Iterator[tuple[str, Any]]:
    if isinstance(document, dict):
        for name, member in document.items():
            yield from flattened(member, name if path is None else f"{path}.{name}")
    elif isinstance(document, list):
        for member in document:
            yield from flattened(member, path)
    else:
        yield path or "", document


def equals(scalar: Any, text: str) -> bool:
    """Texts are compared with what the scalar is written as; a number also with its value."""
    if isinstance(scalar, str):
        return scalar == text
    if scalar is None or isinstance(scalar, bool):
        return json.dumps(scalar) == text
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None and float(text) == scalar


@settings(max_examples=tries(120))
@given(
    document=DOCUMENTS,
    layout=st.sampled_from([{}, {"separators": (",", ":")}, {"indent": 1}, {"separators": (" ,\t", "\n: ")}]),
    key=st.lists(NAMES, min_size=1, max_size=3).map(".".join),
    value=SCALARS.map(lambda scalar: scalar if isinstance(scalar, str) else json.dumps(scalar)),
)
def test_pairs_of_any_document(
    engine: Engine, document: Any, layout: dict[str, Any], key: str, value: str
) -> None:
    found = list(flattened(document))
    has_key = any(name == key for name, _ in found)
    has_value = any(equals(scalar, value) for _, scalar in found)
    has_pair = any(name == key and equals(scalar, value) for name, scalar in found)
    keyed = PairTest(PairKind.INPUTS, Part.KEY, TestOp.EQ, (key,))
    valued = PairTest(PairKind.INPUTS, Part.VALUE, TestOp.EQ, (value,))
    either = PairTest(PairKind.INPUTS, Part.KEY, TestOp.IN, (key, *map(str, range(2))))
    like = PairTest(PairKind.INPUTS, Part.KEY, TestOp.LIKE, (re.sub(r"([%_\\])", r"\\\1", key),))

    params = Params()
    asked = [
        condition(all_of(tests), params, WORKSPACE)
        for tests in ([keyed], [valued], [keyed, valued], [either, valued], [like, valued])
    ]
    text = json.dumps(document, ensure_ascii=False, **layout)
    [answer] = engine.execute(
        f"SELECT [{', '.join(asked)}] AS asked FROM (SELECT {params.text(text)} AS inputs)", params
    )

    assert answer["asked"] == [has_key, has_value, has_pair, has_pair, has_pair]
