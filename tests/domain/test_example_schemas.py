"""What counts as a schema of a dataset, what is said of documents, and that neither can hold the server up."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stenograph.domain.datasets.public_schemas import PUBLISHED, published_at
from stenograph.domain.examples import schema_effort
from stenograph.domain.examples import schemas as example_schemas
from stenograph.domain.examples.schema_effort import Effort, effort, unfolded
from stenograph.domain.examples.schemas import (
    MAX_EFFORT,
    MAX_MESSAGE,
    MAX_PROBLEMS,
    MAX_SCHEMA,
    Problem,
    check_schema,
    problems,
    root_part,
)
from stenograph.errors import Invalid
from tests.effort import tries

WHERE = ("body", "inputs_schema_definition")
MESSAGE = "https://api.smith.langchain.com/public/schemas/v1/message.json"
TOOL = "https://api.smith.langchain.com/public/schemas/v1/tooldef.json"
CHAT: dict[str, Any] = {
    "type": "object",
    "required": ["messages"],
    "properties": {
        "messages": {"type": "array", "items": {"$ref": MESSAGE}},
        "tools": {"type": "array", "items": {"$ref": TOOL}},
    },
}


def text(value: Any) -> bytes:
    return json.dumps(value).encode()


def accepted(schema: bytes) -> bool:
    where: tuple[str | int, ...] = WHERE
    try:
        check_schema(schema, WHERE)
    except Invalid as error:
        where = error.where[: len(WHERE)]
        return False
    finally:
        assert where == WHERE
    return True


def refused(schema: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        check_schema(schema if isinstance(schema, bytes) else text(schema), WHERE)
    assert caught.value.where[: len(WHERE)] == WHERE
    assert len(caught.value.message) <= 600
    return caught.value


def wrong(schema: Any, document: Any) -> list[tuple[tuple[str | int, ...], str]]:
    check_schema(text(schema), WHERE)
    found = problems(text(schema), document if isinstance(document, bytes) else text(document))
    assert len(found) <= MAX_PROBLEMS
    assert all(len(problem.message) <= MAX_MESSAGE for problem in found)
    return [(problem.path, problem.message) for problem in found]


# -- documents ---------------------------------------------------------------------------------------------------

PERSON = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string", "minLength": 2}, "ages": {"items": {"type": "integer"}}},
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"name": "Ada"}, []),
        ({"name": "Ada", "ages": [1, 2]}, []),
        ({}, [((), '"name" is a required property')]),
        ({"name": 1}, [(("name",), 'the value is not of type "string"')]),
        ({"name": "A"}, [(("name",), "the value is shorter than 2 characters")]),
        (
            {"name": "Ada", "ages": [1, "x", 2.5]},
            [
                (("ages", 1), 'the value is not of type "integer"'),
                (("ages", 2), 'the value is not of type "integer"'),
            ],
        ),
        (
            {"name": "Ada", "x": 1},
            [((), "Additional properties are not allowed ('x' was unexpected)")],
        ),
        ([], [((), 'the value is not of type "object"')]),
    ],
)
def test_problems_have_a_path_and_say_what_is_wrong(document: Any, expected: list[Any]) -> None:
    assert wrong(PERSON, document) == expected


@pytest.mark.parametrize(
    "draft", ["draft-04/schema#", "draft-06/schema#", "draft-07/schema", "draft-07/schema#"]
)
def test_older_drafts_are_read_by_their_own_rules(draft: str) -> None:
    schema = {
        "$schema": f"http://json-schema.org/{draft}",
        "definitions": {"number": {"type": "number"}},
        "properties": {"a": {"$ref": "#/definitions/number"}, "pair": {"items": [{"type": "string"}]}},
    }
    assert wrong(schema, {"a": 1, "pair": ["x", 1]}) == []
    assert [path for path, _ in wrong(schema, {"a": "1", "pair": [1]})] == [("a",), ("pair", 0)]


def test_a_format_is_said_and_not_checked() -> None:
    for draft in ("http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"):
        assert wrong({"$schema": draft, "format": "date-time"}, "yesterday") == []


def test_a_pattern_may_look_ahead() -> None:
    schema = {"pattern": "^(?=.*[0-9])[a-z0-9]+$"}
    assert wrong(schema, "abc1") == []
    assert wrong(schema, "abc") != []


def test_references_within_the_schema_in_all_their_forms() -> None:
    schema = {
        "$id": "https://example.com/person.json",
        "$defs": {"a/b~c d%é": {"$anchor": "number", "type": "number"}},
        "properties": {
            "pointer": {"$ref": "#/$defs/a~1b~0c%20d%25%C3%A9"},
            "anchor": {"$ref": "#number"},
            "address": {"$ref": "https://example.com/person.json#number"},
            "relative": {"$ref": "person.json#number"},
            "whole": {"$ref": "#"},
        },
    }
    names = ("pointer", "anchor", "address", "relative")
    assert wrong(schema, {"whole": dict.fromkeys(names, 1)}) == []
    assert {path for path, _ in wrong(schema, {"whole": dict.fromkeys(names, "x")})} == {
        ("whole", name) for name in names
    }


def test_a_tree_by_dynamic_reference() -> None:
    schema = {
        "$dynamicAnchor": "node",
        "properties": {"children": {"items": {"$dynamicRef": "#node"}}, "value": {"type": "number"}},
    }
    assert wrong(schema, {"children": [{"children": [{"value": "x"}]}]})[0][0] == (
        "children", 0, "children", 0, "value",
    )  # fmt: skip


# -- schemas that are none ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        (b"", ()),
        (b"{", ()),
        (b"[]", ()),
        (b"true", ()),
        (b'{"a":"\xff"}', ()),
        (b'{"const":1e999}', ()),
        (b'{"const":' + b"1" * 5000 + b"}", ()),
        (b'{"not":' * 5000 + b"{}" + b"}" * 5000, ()),
        (b'{"not":' * 200 + b"{}" + b"}" * 200, ()),
        ({"type": "text"}, ("type",)),
        ({"properties": {"a": {"required": "b"}}}, ("properties", "a", "required")),
        ({"properties": {"a": {"pattern": "(("}}}, ("properties", "a", "pattern")),
        ({"pattern": "(a{1000}){1000}"}, ("pattern",)),
        ({"patternProperties": {"((": {}}}, ("patternProperties", "((")),
        ({"$schema": "http://json-schema.org/draft-03/schema#"}, ("$schema",)),
        ({"$schema": 4}, ("$schema",)),
        ({"$ref": 5}, ("$ref",)),
        ({"$id": "http://[bad"}, ("$id",)),
        ({"properties": {"a": {"$id": "b.json"}}}, ("properties", "a", "$id")),
        ({"$ref": "#/$defs/a"}, ("$ref",)),
        ({"$ref": "#nobody"}, ("$ref",)),
        ({"$ref": "#/type", "type": "object"}, ("$ref",)),
        ({"$ref": "#/x", "x": {"properties": 5}}, ("x", "properties")),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(schema: Any, path: tuple[str | int, ...]) -> None:
    assert refused(schema).where == (*WHERE, *path)


@pytest.mark.parametrize(
    "reference",
    [
        "http://example.com/x.json",
        "https://json-schema.org/draft/2020-12/schema",
        "file:///etc/passwd",
        "other.json",
        "//host/x",
        "urn:example:x",
        "http://[bad",
        "https://example.com/public/schemas/v2/message.json",
        "https://example.com/public/schemas/v1/other.json",
        "https://example.com/public/schemas/v1/message.json?version=2",
    ],
)
@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
def test_other_documents_are_not_referred_to(reference: str, keyword: str) -> None:
    assert refused({"items": {keyword: reference}}).where == (*WHERE, "items", keyword)


def test_a_reference_that_nothing_leads_to_is_refused_too() -> None:
    assert "http://example.com/x" in refused({"$defs": {"a": {"$ref": "http://example.com/x"}}}).message


def test_a_schema_has_a_largest_size() -> None:
    fits = text({"description": "x" * (MAX_SCHEMA - 20)})
    assert len(fits) == MAX_SCHEMA - 1
    check_schema(fits, WHERE)
    assert str(MAX_SCHEMA) in refused({"description": "x" * MAX_SCHEMA}).message


# -- the published schemas ---------------------------------------------------------------------------------------

CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
MESSAGES: list[Any] = [
    {"role": "system", "content": "x"},
    {"role": "developer", "content": [{"type": "text", "text": "x"}]},
    {"role": "user", "content": "x", "name": "Ada"},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "x"},
            {"type": "image_url", "image_url": {"url": "https://x", "detail": "low"}},
            {"type": "input_audio", "input_audio": {"data": "eA==", "format": "wav"}},
            {"type": "file", "file": {"file_id": "1"}},
            {"type": "something new", "with": {"anything": 1}},
        ],
    },
    {"role": "assistant", "content": "x"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {
        "role": "assistant",
        "tool_calls": [CALL, {"id": "2", "type": "custom", "custom": {"name": "f", "input": ""}}],
    },
    {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
    {"role": "assistant", "content": None, "refusal": "no"},
    {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
    {"role": "tool", "content": "x", "tool_call_id": "1"},
    {"role": "function", "content": "x", "name": "f"},
    {"role": "assistant", "content": "x", "reasoning_content": "let through"},
]
NO_MESSAGES: list[Any] = [
    "x",
    {},
    {"content": "x"},
    {"role": "human", "content": "x"},
    {"role": "user"},
    {"role": "user", "content": None},
    {"role": "user", "content": {"text": "x"}},
    {"role": "user", "content": [{"text": "x"}]},
    {"role": "user", "content": [{"type": "text"}]},
    {"role": "user", "content": [{"type": "image_url", "image_url": "https://x"}]},
    {"role": "assistant"},
    {"role": "assistant", "tool_calls": [{"name": "f", "args": {}, "id": "1"}]},
    {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": {}}}]},
    {"role": "tool", "content": "x"},
    {"role": "function", "content": "x"},
    {"type": "human", "content": "x"},
]
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": "f"}},
    {
        "type": "function",
        "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True},
    },
]
NO_TOOLS: list[Any] = [
    {"type": "function"},
    {"name": "f", "input_schema": {}},
    {"type": "function", "function": {"description": "d"}},
    {"type": "function", "function": {"name": "f", "parameters": "x"}},
]  # fmt: skip


def test_messages_and_tools_of_openais() -> None:
    for message in MESSAGES:
        assert wrong({"$ref": MESSAGE}, message) == [], message
    for message in NO_MESSAGES:
        assert wrong({"$ref": MESSAGE}, message) != [], message
    for tool in TOOLS:
        assert wrong({"$ref": TOOL}, tool) == [], tool
    for tool in NO_TOOLS:
        assert wrong({"$ref": TOOL}, tool) != [], tool


@pytest.mark.parametrize(
    "start",
    [
        "https://api.smith.langchain.com",
        "http://localhost:1984",
        "http://localhost:1984/langsmith/api/v1",
        "https://example.com/a/b",
    ],
)
@pytest.mark.parametrize("own", [{}, {"$id": "https://example.com/mine.json"}, {"$id": "urn:example:mine"}])
def test_published_schemas_are_found_under_every_address(start: str, own: dict[str, str]) -> None:
    schema = {**own, "properties": {"m": {"$ref": f"{start}/public/schemas/v1/message.json"}}}
    assert wrong(schema, {"m": MESSAGES[0]}) == []
    assert wrong(schema, {"m": NO_MESSAGES[0]}) == [(("m",), 'the value is not of type "object"')]
    part = {"properties": {"f": {"$ref": f"{start}/public/schemas/v1/tooldef.json#/properties/function"}}}
    assert wrong(part, {"f": {"name": 5}}) == [(("f", "name"), 'the value is not of type "string"')]


def test_published_schemas_are_found_without_a_host() -> None:
    owns: list[dict[str, Any]] = [{}, {"$id": "https://example.com/mine.json"}]
    for own in owns:
        schema = {**own, "items": {"$ref": "/api/v1/public/schemas/v1/message.json"}}
        assert wrong(schema, MESSAGES) == []
        assert wrong(schema, [5]) == [((0,), 'the value is not of type "object"')]


def test_published_schemas_are_schemas_and_none_has_an_address() -> None:
    for (version, name), document in PUBLISHED.items():
        check_schema(document, WHERE)
        assert "$id" not in json.loads(document)
        assert published_at(f"https://x/public/schemas/{version}/{name}.json") == json.loads(document)


# -- what would hold the server up -------------------------------------------------------------------------------


def doubling(levels: int, keyword: str = "allOf") -> dict[str, Any]:
    """Each definition names the next one twice."""
    steps = {f"a{i}": {keyword: [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(levels)}
    return {"$defs": {**steps, f"a{levels}": {"type": "number"}}, "$ref": "#/$defs/a0"}


def nested(levels: int, value: Any) -> Any:
    for _ in range(levels):
        value = [value]
    return value


FORKING = {"type": "array", "anyOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}, "minItems": 0}]}
"""A document of n levels is looked at in 2^n ways."""


def test_a_schema_that_multiplies_is_refused() -> None:
    assert "branches" in refused(doubling(60)).message
    assert "branches" in refused(doubling(1000, "anyOf")).message
    assert wrong(doubling(16), 1) == []
    assert wrong(doubling(10), "x") == [((), 'the value is not of type "number"')]
    assert wrong(doubling(16, "anyOf"), "x") == [((), "the value does not fit the schema")]


def test_a_schema_that_comes_back_to_itself_at_once_is_refused() -> None:
    loop = {"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}
    for schema in ({"$ref": "#"}, {"allOf": [{"$ref": "#"}]}, {**loop, "items": {"$ref": "#/$defs/a"}}):
        assert "back to itself" in refused(schema).message


def test_a_document_that_a_schema_forks_over_is_refused_in_time() -> None:
    started = time.process_time()
    assert [path for path, _ in wrong(FORKING, nested(6, "x"))] == [()]
    assert "too many ways" in wrong(FORKING, nested(100, []))[0][1]
    objects = {
        "$defs": {"n": {"allOf": [{"additionalProperties": {"$ref": "#/$defs/n"}}] * 2}},
        "$ref": "#/$defs/n",
    }
    deep: Any = 1
    for level in range(100):
        deep = {f"name {level}": deep}
    assert "too many ways" in wrong(objects, deep)[0][1]
    assert time.process_time() - started < 5


def test_trees_are_not_forks() -> None:
    tree = {
        "type": "object",
        "required": ["value"],
        "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "value": {"type": "number"}},
    }
    value = {"value": 1}
    deep: dict[str, Any] = value
    for _ in range(100):
        deep = {"left": deep, "right": value, "value": 1}
    assert wrong(tree, deep) == []


def test_a_comparison_with_many_values_counts() -> None:
    schema = {"items": {"enum": [{"a": i} for i in range(5000)]}}
    assert "too many ways" in wrong(schema, [{"a": -1}] * 100_000)[0][1]
    assert wrong(schema, [{"a": 1}] * 100) == []


def test_patterns_and_long_texts() -> None:
    slow = {"pattern": "^(a|b)*a(a|b){20}c$"}
    assert "too many ways" in wrong(slow, "ab" * 2_000_000)[0][1]
    assert wrong(slow, "ab" * 1000)[0][1].startswith("the value does not match")
    assert wrong({"pattern": "^(?=a)(a+)+$"}, "a" * 200 + "b") != []
    names: Any = {"patternProperties": {"^(a|b)*a(a|b){20}c$": {}}}
    assert "too many ways" in wrong(names, {"ab" * 2_000_000: 1})[0][1]
    assert wrong(names, {"ab": 1}) == []


def test_of_large_documents_the_first_problems_are_told_without_copies() -> None:
    many = wrong({"items": {"type": "number"}}, ["x"] * 100_000)
    assert [path for path, _ in many] == [(index,) for index in range(MAX_PROBLEMS)]
    chat: dict[str, Any] = {
        "messages": [{"role": "user", "content": "x" * 1000} for _ in range(3000)],
        "tools": [1],
    }
    del chat["messages"][1500]["role"]
    assert wrong(CHAT, chat) == [
        (("messages", 1500), '"role" is a required property'),
        (("tools", 0), 'the value is not of type "object"'),
    ]
    closed = {**CHAT, "additionalProperties": False, "required": ["messages", "x"]}
    assert wrong(closed, {**chat, "y": 1})[0][0] == ()
    alternatives = {"anyOf": [{"type": "number"}] * 10}
    assert wrong(alternatives, chat) == [((), "the value does not fit the schema")]


def test_an_address_in_an_odd_spelling_costs_the_place_at_most() -> None:
    schema = {
        "$id": "HTTP://Example.com/a/../b.json",
        "items": {"$ref": "#/$defs/n"},
        "$defs": {"n": {"type": "number"}},
    }
    assert wrong(schema, [1, "x"]) == [((1,), 'the value is not of type "number"')]
    assert wrong(schema, ["x"] * 100_000)[0] == ((), "the value does not fit the schema")


def test_a_long_text_is_never_echoed() -> None:
    long = "x" * 200_000
    for schema in (
        {"type": "number"},
        {"maxLength": 3},
        {"enum": [long]},
        {"const": long},
        {"pattern": "^a"},
    ):
        assert wrong(schema, long + "y")
    path, _ = wrong({"additionalProperties": {"type": "number"}}, {long: "x"})[0]
    assert len(str(path[0])) <= MAX_MESSAGE
    assert wrong({"additionalProperties": False}, {long: "x"})


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"NaN", b'{"a":Infinity}', b'"\\ud800"', b"\xff", b"1e999", b"1" * 5000, b"[" * 100_000],
)  # fmt: skip
def test_what_cannot_be_read_is_a_problem(document: bytes) -> None:
    assert [path for path, _ in wrong({}, document)] == [()]


def test_nesting_beyond_what_can_be_walked_is_a_problem() -> None:
    schema = {"type": "array", "items": {"$ref": "#"}}
    assert wrong(schema, b"[" * 100 + b"]" * 100) == []
    for levels in (2_000, 50_000):
        assert [path for path, _ in wrong(schema, b"[" * levels + b"]" * levels)] == [()]


def test_a_stored_schema_that_is_none_is_the_callers_to_know() -> None:
    with pytest.raises(Invalid):
        problems(b'{"type":1}', b"{}")


# -- the bound -----------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c"])
LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "ab", "long text"])
DOCUMENTS = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=3),
    max_leaves=12,
)
TYPES = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])


def keywords(below: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(below, min_size=1, max_size=3)
    named = st.dictionaries(NAMES, below, max_size=3)
    values: dict[str, st.SearchStrategy[Any]] = {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
        "enum": st.lists(LEAVES, min_size=1, max_size=3),
        "required": st.lists(NAMES, max_size=2, unique=True),
        "minLength": st.integers(0, 3),
        "pattern": st.sampled_from(["^a", "b$", "(?=a)", "(a+)+$"]),
        "properties": named,
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), below, max_size=2),
        "additionalProperties": below,
        "propertyNames": below,
        "items": below,
        "prefixItems": several,
        "contains": below,
        "allOf": several,
        "anyOf": several,
        "oneOf": several,
        "not": below,
        "if": below,
        "then": below,
        "dependentSchemas": named,
        "unevaluatedProperties": st.booleans(),
        "unevaluatedItems": st.booleans(),
        "$ref": st.sampled_from(["#", "#/$defs/a", "#/$defs/b", MESSAGE]),
    }
    pairs = [st.tuples(st.just(keyword), value) for keyword, value in values.items()]
    return st.lists(st.one_of(pairs), max_size=4).map(dict)


LOWEST = st.booleans() | keywords(st.booleans())
SUBSCHEMAS = st.booleans() | keywords(LOWEST)
SCHEMAS = st.builds(
    lambda root, a, b: {**root, "$defs": {"a": a, "b": b}}, keywords(SUBSCHEMAS), SUBSCHEMAS, SUBSCHEMAS
)


@settings(max_examples=tries(150))
@given(SCHEMAS, st.lists(DOCUMENTS, min_size=1, max_size=4))
def test_every_schema_works_or_is_refused_and_every_document_has_problems_or_none(
    schema: dict[str, Any], documents: list[Any]
) -> None:
    for document in documents if accepted(text(schema)) else ():
        wrong(schema, document)


@settings(max_examples=tries(150))
@given(SCHEMAS, st.lists(DOCUMENTS, min_size=1, max_size=4))
def test_following_the_way_down_agrees_with_the_whole_list(
    schema: dict[str, Any], documents: list[Any]
) -> None:
    """With no room for the validator's own list, there is a problem exactly where there was one before."""
    for document in documents if accepted(text(schema)) else ():
        whole = wrong(schema, document)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(example_schemas, "MAX_TOLD", Effort(0, 0, 0))
            followed = wrong(schema, document)
        assert bool(whole) == bool(followed)
        for path, _ in followed if len(whole) < MAX_PROBLEMS else ():
            assert any(path == other[: len(path)] for other, _ in whole), (whole, followed)


@settings(max_examples=tries(300))
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_bytes_that_are_no_schema_or_no_document_raise_nothing_but_invalid(garbage: bytes) -> None:
    accepted(garbage)
    assert all(isinstance(problem, Problem) for problem in problems(b"{}", garbage))


@settings(max_examples=tries(150))
@given(SCHEMAS, DOCUMENTS)
def test_the_quick_bound_is_never_below_the_walks(schema: dict[str, Any], document: Any) -> None:
    """What is let through by its length alone would have been let through by the walk."""
    root = root_part(text(schema))
    bound = None if root is None else unfolded(root)
    if root is None or bound is None:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema_effort, "_MAKING", 0)  # our own work, which the quick bound spares
        walked = effort(root, document, Effort(1 << 60, 1 << 60, 1 << 60))
    assert walked is not None
    written = text(document)
    values = 1 + sum(written.count(mark) for mark in (b",", b"[", b"{"))
    assert walked.checks <= bound.checks * values
    assert walked.text <= bound.text * len(written)


def test_the_walk_counts_what_looks_at_each_place() -> None:
    schema = {
        "properties": {"a": {"allOf": [{"type": "string"}, {"$ref": "#/$defs/x"}]}},
        "$defs": {"x": {"enum": [1, 2]}},
    }
    root = root_part(text(schema))
    assert root is not None

    def checks(document: Any) -> int:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(schema_effort, "_MAKING", 0)
            found = effort(root, document, MAX_EFFORT)
        assert found is not None
        return found.checks

    assert checks({}) == 2  # the root, and its list of one name
    assert checks({"b": 1}) == 2
    assert checks({"a": "x"}) == 2 + 1 + 2 + 1 + 4  # allOf; its first; the reference; the enum of two
    assert checks([1, 2]) == 2


def test_schemas_are_held_up_to_a_number_and_a_size() -> None:
    held = example_schemas._Compiled(count=2, size=60)
    first, second, third = (text({"title": name}) for name in "abc")
    compiled, other = held.get(first), held.get(second)
    assert held.get(first) is compiled
    held.get(third)  # in the place of the second, which was asked for longest ago
    assert held.get(first) is compiled
    assert held.get(second) is not other
    large = text({"title": "x" * 100})
    assert held.get(large) is not held.get(large)
