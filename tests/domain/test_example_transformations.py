"""Transformations of examples: every form that messages and tools come in, and bytes that stay as they were."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stenograph.domain.examples.schemas import problems
from stenograph.domain.examples.transformations import (
    MAX_STEPS,
    MAX_TRANSFORMATIONS,
    parse_transformations,
    transform,
)
from stenograph.errors import Invalid
from stenograph.model.transformations import Transformation, TransformationType
from tests.effort import tries

WHERE = ("body", "transformations")
MESSAGE = "https://api.smith.langchain.com/public/schemas/v1/message.json"
TOOL = "https://api.smith.langchain.com/public/schemas/v1/tooldef.json"
TO_MESSAGE, TO_TOOL, NO_SYSTEM, NO_EXTRA, TOOLS_OF_RUN = TransformationType


def text(value: Any) -> bytes:
    return json.dumps(value).encode()


def parsed(*stated: tuple[str, list[str]]) -> tuple[Transformation, ...]:
    document = [{"transformation_type": kind, "path": path} for kind, path in stated]
    return parse_transformations(text(document), WHERE)


def inputs_after(
    inputs: Any, *stated: tuple[str, list[str]], schema: Any = None, extra: Any = None
) -> dict[str, Any]:
    """Inputs transformed; the same bytes when nothing has changed."""
    before = text(inputs)
    after, outputs = transform(
        parsed(*stated),
        None if schema is None else text(schema),
        None,
        before,
        None,
        None if extra is None else text(extra),
    )
    assert outputs is None
    assert after is not None
    found: dict[str, Any] = json.loads(after)
    assert (after is before) == (found == inputs)
    return found


def message_after(message: Any) -> Any:
    """One message, converted alone and within a list alike."""
    listed = inputs_after({"m": [message]}, (TO_MESSAGE, ["inputs", "m"]))["m"]
    if not isinstance(message, list) and len(listed) == 1:
        assert inputs_after({"m": message}, (TO_MESSAGE, ["inputs", "m"]))["m"] == listed[0]
    assert inputs_after({"m": listed}, (TO_MESSAGE, ["inputs", "m"]))["m"] == listed
    return listed[0] if len(listed) == 1 else listed


def constructed(name: str, /, **kwargs: Any) -> dict[str, Any]:
    return {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", name], "kwargs": kwargs}


# -- parsing -------------------------------------------------------------------------------------------------------


def test_parsing_keeps_the_order_and_splits_the_path() -> None:
    assert parsed(("remove_extra_fields", ["inputs"]), ("convert_to_openai_tool", ["outputs", "a", "0"])) == (
        Transformation(NO_EXTRA, "inputs"),
        Transformation(TO_TOOL, "outputs", ("a", "0")),
    )
    assert parse_transformations(b"null", WHERE) == parse_transformations(b"[]", WHERE) == ()


GOOD = {"path": ["inputs"], "transformation_type": "remove_extra_fields"}


@pytest.mark.parametrize(
    ("document", "where"),
    [
        (b"", ()),
        (b"[", ()),
        (b"{}", ()),
        (b"5", ()),
        (b"1" * 5000, ()),
        (b"[" * 100_000, ()),
        (text([GOOD] * (MAX_TRANSFORMATIONS + 1)), ()),
        (text([GOOD, 5]), (1,)),
        (text([{}]), (0, "transformation_type")),
        (text([{**GOOD, "transformation_type": "sort"}]), (0, "transformation_type")),
        (text([{**GOOD, "transformation_type": ["remove_extra_fields"]}]), (0, "transformation_type")),
        (text([{"transformation_type": "remove_extra_fields"}]), (0, "path")),
        (text([{**GOOD, "path": "inputs"}]), (0, "path")),
        (text([{**GOOD, "path": []}]), (0, "path")),
        (text([{**GOOD, "path": ["metadata"]}]), (0, "path")),
        (text([{**GOOD, "path": ["inputs", 0]}]), (0, "path")),
        (text([{**GOOD, "path": ["inputs"] * (MAX_STEPS + 1)}]), (0, "path")),
        (text([{**GOOD, "path": ["inputs", "x" * 2000]}]), (0, "path")),
    ],
)
def test_what_is_no_transformation_is_refused_with_its_place(
    document: bytes, where: tuple[str | int]
) -> None:
    with pytest.raises(Invalid) as caught:
        parse_transformations(document, WHERE)
    assert caught.value.where == (*WHERE, *where)


# -- messages ------------------------------------------------------------------------------------------------------

HUMAN = {"role": "user", "content": "hi"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1.10}'}}
ANSWER = {"role": "assistant", "content": "", "tool_calls": [CALL]}

FORMS = {
    "constructor": (constructed("HumanMessage", content="hi", id="1", additional_kwargs={}), HUMAN),
    "chunk": (constructed("HumanMessageChunk", content="hi"), HUMAN),
    "type and data": ({"type": "human", "data": {"content": "hi", "example": False}}, HUMAN),
    "members": ({"type": "human", "content": "hi", "id": "1", "response_metadata": {}}, HUMAN),
    "pair": (["human", "hi"], HUMAN),
    "role of langchain's": ({"role": "human", "content": "hi"}, HUMAN),
    "name": (constructed("HumanMessage", content="hi", name="Ada"), {**HUMAN, "name": "Ada"}),
    "system": (constructed("SystemMessage", content="x"), {"role": "system", "content": "x"}),
    "developer": (
        constructed("SystemMessage", content="x", additional_kwargs={"__openai_role__": "developer"}),
        {"role": "developer", "content": "x"},
    ),
    "chat": (
        constructed("ChatMessage", content="x", role="assistant"),
        {"role": "assistant", "content": "x"},
    ),
    "ai": ({"type": "AIMessageChunk", "content": "x"}, {"role": "assistant", "content": "x"}),
    "tool": (
        constructed("ToolMessage", content="x", tool_call_id="c1", status="success", artifact=None),
        {"role": "tool", "content": "x", "tool_call_id": "c1"},
    ),
    "function": (
        {"type": "function", "content": "x", "name": "f"},
        {"role": "function", "content": "x", "name": "f"},
    ),
    "calls": (
        constructed(
            "AIMessage",
            content="",
            tool_calls=[{"name": "f", "args": {"a": 1.5}, "id": "c1", "type": "tool_call"}],
            usage_metadata={"input_tokens": 1},
            additional_kwargs={"tool_calls": [{"id": "c1", "type": "function", "function": {}}]},
        ),
        {**ANSWER, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": '{"a":1.5}'}}]},
    ),
    "calls as the provider had them": (
        constructed("AIMessage", content="", tool_calls=[], additional_kwargs={"tool_calls": [CALL]}),
        ANSWER,
    ),
    "an older call": (
        constructed(
            "AIMessage", content="", additional_kwargs={"function_call": {"name": "f", "arguments": ""}}
        ),
        {"role": "assistant", "content": "", "function_call": {"name": "f", "arguments": ""}},
    ),
    "refusal": (
        constructed("AIMessage", content="", additional_kwargs={"refusal": "no"}),
        {"role": "assistant", "content": "", "refusal": "no"},
    ),
    "langchain's calls beside openai's role": (
        {"role": "assistant", "content": None, "tool_calls": [{"name": "f", "args": {}, "id": "c1"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "{}"}}],
        },
    ),
    "anthropic's call": (
        constructed(
            "AIMessage",
            content=[
                {"type": "text", "text": "x"},
                {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": True}},
            ],
            tool_calls=[{"name": "f", "args": {"a": True}, "id": "c1"}],
        ),
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "x"}],
            "tool_calls": [{**CALL, "function": {"name": "f", "arguments": '{"a":true}'}}],
        },
    ),
    "anthropic's call alone": (
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {}}]},
        {**ANSWER, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "{}"}}]},
    ),
    "anthropic's results": (
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "42"},
                {"type": "tool_result", "tool_use_id": "c2", "content": [{"type": "text", "text": "43"}]},
                {"type": "text", "text": "and?"},
            ],
        },
        [
            {"role": "tool", "content": "42", "tool_call_id": "c1"},
            {"role": "tool", "content": [{"type": "text", "text": "43"}], "tool_call_id": "c2"},
            {"role": "user", "content": [{"type": "text", "text": "and?"}]},
        ],
    ),
    "one result": (
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1"}]},
        {"role": "tool", "content": "", "tool_call_id": "c1"},
    ),
}


@pytest.mark.parametrize(("message", "expected"), FORMS.values(), ids=FORMS.keys())
def test_messages_in_every_form(message: Any, expected: Any) -> None:
    found = message_after(message)
    assert found == expected
    listed = found if isinstance(found, list) else [found]
    assert problems(text({"items": {"$ref": MESSAGE}}), text(listed)) == ()


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,eA=="}}
PDF = {"type": "file", "file": {"file_data": "data:application/pdf;base64,eA==", "filename": "a.pdf"}}
PARTS = {
    "text alone": ("x", {"type": "text", "text": "x"}),
    "address": (
        {"type": "image_url", "image_url": "https://x"},
        {"type": "image_url", "image_url": {"url": "https://x"}},
    ),
    "anthropic's image": (
        {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "eA=="}},
        IMAGE,
    ),
    "anthropic's address": (
        {"type": "image", "source": {"type": "url", "url": "https://x"}},
        {"type": "image_url", "image_url": {"url": "https://x"}},
    ),
    "image": ({"type": "image", "base64": "eA==", "mime_type": "image/jpeg"}, IMAGE),
    "older image": (
        {"type": "image", "source_type": "base64", "data": "eA==", "mime_type": "image/jpeg"},
        IMAGE,
    ),
    "audio": (
        {"type": "audio", "base64": "eA==", "mime_type": "audio/mpeg"},
        {"type": "input_audio", "input_audio": {"data": "eA==", "format": "mp3"}},
    ),
    "file": (
        {"type": "file", "base64": "eA==", "mime_type": "application/pdf", "filename": "a.pdf"},
        PDF,
    ),
    "document": (
        {
            "type": "document",
            "title": "a.pdf",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "eA=="},
        },
        PDF,
    ),
    "uploaded file": ({"type": "file", "file_id": "f1"}, {"type": "file", "file": {"file_id": "f1"}}),
}


@pytest.mark.parametrize(("part", "expected"), PARTS.values(), ids=PARTS.keys())
def test_parts_of_a_content(part: Any, expected: Any) -> None:
    found = message_after(constructed("HumanMessage", content=[part]))
    assert found == {"role": "user", "content": [expected]}
    assert problems(text({"$ref": MESSAGE}), text(found)) == ()


UNCHANGED = [
    HUMAN,
    {"role": "user", "content": [{"type": "text", "text": "x"}, IMAGE, PDF], "name": "Ada"},
    ANSWER,
    {"role": "assistant", "content": None, "tool_calls": [CALL], "refusal": None},
    {"role": "tool", "content": "x", "tool_call_id": "c1"},
    {"role": "user", "content": "x", "type": "message"},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "y"}]},
    {"role": "moderator", "content": "x"},
    {"type": "remove", "content": "x"},
    {"type": "human"},
    {"type": "constructor", "id": [], "kwargs": {"content": "x"}},
    {"type": "constructor", "id": ["HumanMessage"]},
    {"type": "human", "data": 5},
    {"content": "x"},
    ["nobody", "x"],
    ["human", "x", "y"],
    ["human"],
    [],
    "x",
    5,
    None,
    {"role": 5, "type": 5, "id": 5, "kwargs": 5, "content": 5},
    {"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": "x"}}]},
    {
        "role": "user",
        "content": [{"type": "image", "source": 5}, {"type": ["image"]}, {"type": "audio"}, 5, None],
    },
    {"role": "assistant", "content": [{"type": "tool_use", "name": 5}], "tool_calls": [5, {"name": "f"}]},
]


@pytest.mark.parametrize("message", UNCHANGED)
def test_what_is_openais_or_nothing_known_stays(message: Any) -> None:
    """`inputs_after` sees to it that bytes stay, too."""
    for value in (message, [message], [HUMAN, message], {"deeper": message}):
        assert inputs_after({"m": value}, (TO_MESSAGE, ["inputs", "m"])) == {"m": value}


def test_lists_of_lists() -> None:
    path = (TO_MESSAGE, ["inputs", "messages"])
    system = ["system", "x"]
    one = {"messages": [[system, constructed("HumanMessage", content="hi")]]}
    assert inputs_after(one, path) == {"messages": [{"role": "system", "content": "x"}, HUMAN]}
    two = {"messages": [[["human", "hi"]], [HUMAN]]}
    assert inputs_after(two, path) == {"messages": [[HUMAN], [HUMAN]]}
    assert inputs_after({"messages": [[HUMAN]]}, path) == {"messages": [HUMAN]}
    odds: list[Any] = [[["x", "y"]], [[]], [[5]]]
    for odd in odds:
        assert inputs_after({"messages": odd}, path) == {"messages": odd}


def test_other_members_and_messages_keep_their_bytes() -> None:
    before = b'{ "n": 1.10, "m": [ {"role":"user",  "content":"\xc3\xbc"}, ["ai","x"] ],"z" :1e2}'
    after, _ = transform(parsed((TO_MESSAGE, ["inputs", "m"])), None, None, before, None)
    assert after == (
        b'{"n":1.10,"m":[{"role":"user",  "content":"\xc3\xbc"},{"role":"assistant","content":"x"}],"z":1e2}'
    )
    numbers = (
        b'{"m":[{"type":"ai","content":"","tool_calls":[{"name":"f","id":"1","args":{"a":1.10,"b":1e400}}]}]}'
    )
    after, _ = transform(parsed((TO_MESSAGE, ["inputs", "m"])), None, None, numbers, None)
    assert after is not None
    call = json.loads(after)["m"][0]["tool_calls"][0]
    assert call["function"]["arguments"] == '{"a":1.10,"b":1e400}'


# -- messages out of traced calls ----------------------------------------------------------------------------------

ONE = {"type": "object", "required": ["message"], "properties": {"message": {"$ref": MESSAGE}}}
MANY: dict[str, Any] = {
    "type": "object",
    "required": ["messages"],
    "properties": {"messages": {"type": "array", "items": {"$ref": MESSAGE}}},
}
AI = constructed("AIMessage", content="x")
SAID = {"role": "assistant", "content": "x"}


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (
            {
                "generations": [[{"text": "x", "type": "ChatGeneration", "message": AI}]],
                "llm_output": {"a": 1},
            },
            {"llm_output": {"a": 1}, "message": SAID},
        ),
        ({"generations": [{"message": AI}]}, {"message": SAID}),
        (
            {"id": "1", "choices": [{"index": 0, "message": SAID}, {"message": HUMAN}]},
            {"id": "1", "message": SAID},
        ),
        ({"output": AI}, {"message": SAID}),
        ({"messages": [AI]}, {"message": SAID}),
        (SAID, {"message": SAID}),
        (AI, {"message": SAID}),
    ],
)
def test_a_required_message_is_found_in_a_traced_call(outputs: Any, expected: Any) -> None:
    rules = parsed((TO_MESSAGE, ["outputs", "message"]))
    assert json.loads(transform(rules, None, text(ONE), None, text(outputs))[1] or b"") == expected
    whole = text({**ONE, "required": []})
    assert transform(rules, None, whole, None, text(outputs))[1] == text(outputs)


@pytest.mark.parametrize(
    "outputs",
    [
        {"messages": [HUMAN, SAID]},
        {"messages": [SAID, 5]},
        {"generations": [[{"text": "x"}]]},
        {"generations": [[{"message": AI}], [{"message": AI}]]},
        {"output": "x"},
        {"choices": []},
        {"message": None},
        {},
    ],
)
def test_nothing_is_taken_where_something_would_be_lost(outputs: Any) -> None:
    rules = parsed((TO_MESSAGE, ["outputs", "message"]))
    assert transform(rules, None, text(ONE), None, text(outputs))[1] == text(outputs)


def test_required_messages_are_found_as_a_list() -> None:
    rule = (TO_MESSAGE, ["inputs", "messages"])
    assert inputs_after({"input": [["human", "hi"], AI]}, rule, schema=MANY) == {"messages": [HUMAN, SAID]}
    assert inputs_after({"input": [[["human", "hi"]]]}, rule, schema=MANY) == {"messages": [HUMAN]}
    assert inputs_after({"input": AI, "x": 1}, rule, schema=MANY) == {"x": 1, "messages": [SAID]}
    assert inputs_after({"messages": [[AI]], "input": "x"}, rule, schema=MANY) == {
        "messages": [SAID],
        "input": "x",
    }
    assert inputs_after({"input": [AI]}, rule) == {"input": [AI]}


# -- tools ---------------------------------------------------------------------------------------------------------

SCHEMA = {"type": "object", "properties": {"a": {"type": "number"}}}
DEFINED = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}
TOOLS = {
    "openai's function": {"name": "f", "description": "d", "parameters": SCHEMA},
    "openai's newer form": {"type": "function", "name": "f", "description": "d", "parameters": SCHEMA},
    "anthropic's": {"name": "f", "description": "d", "input_schema": SCHEMA, "cache_control": {"type": "ephemeral"}},
    "anthropic's custom": {"type": "custom", "name": "f", "description": "d", "input_schema": SCHEMA},
    "mcp's": {"name": "f", "description": "d", "inputSchema": SCHEMA},
    "bedrock's": {"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": SCHEMA}}},
    "langchain's": constructed("StructuredTool", name="f", description="d", args_schema=SCHEMA),
    "langchain's in javascript": {"name": "f", "description": "d", "schema": SCHEMA},
    "a class of arguments": {**SCHEMA, "title": "f", "description": "d"},
}  # fmt: skip


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS.keys())
def test_tools_in_every_form(tool: Any) -> None:
    rule = (TO_TOOL, ["inputs", "tools"])
    assert inputs_after({"tools": [tool, DEFINED]}, rule) == {"tools": [DEFINED, DEFINED]}
    assert inputs_after({"tools": tool}, rule) == {"tools": DEFINED}
    assert problems(text({"$ref": TOOL}), text(DEFINED)) == ()


@pytest.mark.parametrize(
    "tool",
    [
        DEFINED,
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "function", "function": {}},
        {"name": "f"},
        {"name": 5, "description": "d"},
        {"name": "", "description": "d"},
        {"function_declarations": []},
        "f",
        None,
    ],
)
def test_other_tools_stay(tool: Any) -> None:
    for value in (tool, [tool]):
        assert inputs_after({"tools": value}, (TO_TOOL, ["inputs", "tools"])) == {"tools": value}


def test_strictness_stays() -> None:
    found = inputs_after({"t": {"name": "f", "parameters": {}, "strict": True}}, (TO_TOOL, ["inputs", "t"]))
    assert found["t"]["function"] == {"name": "f", "parameters": {}, "strict": True}


def test_tools_come_from_the_run_where_there_are_none() -> None:
    extra = {"invocation_params": {"model": "m", "tools": [TOOLS["anthropic's"]]}, "metadata": {}}
    as_sent, converted = {"tools": [TOOLS["anthropic's"]]}, {"tools": [DEFINED]}
    extracting, converting = (TOOLS_OF_RUN, ["inputs", "tools"]), (TO_TOOL, ["inputs", "tools"])
    empties: list[Any] = [{}, {"tools": []}, {"tools": None}]
    for empty in empties:
        assert inputs_after(empty, extracting, extra=extra) == as_sent
        assert inputs_after(empty, converting, extra=extra) == converted
        assert inputs_after(empty, extracting, converting, extra=extra) == converted
    assert inputs_after({"tools": [5]}, extracting, converting, extra=extra) == {"tools": [5]}
    deep = (TOOLS_OF_RUN, ["inputs", "a", "0", "tools"])
    assert inputs_after({"a": [{}]}, deep, extra=extra) == {"a": [as_sent]}
    others: list[Any] = [{}, {"a": 5}, {"a": []}]
    for elsewhere in others:
        assert inputs_after(elsewhere, deep, extra=extra) == elsewhere
    assert inputs_after({}, (TOOLS_OF_RUN, ["inputs"]), extra=extra) == {}


@pytest.mark.parametrize(
    "extra",
    [None, {}, [], 5, {"invocation_params": None}, {"invocation_params": {}}, {"invocation_params": {"tools": 5}},
     {"invocation_params": {"tools": []}}],
)  # fmt: skip
def test_a_run_without_tools_gives_none(extra: Any) -> None:
    assert inputs_after({"x": 1}, (TOOLS_OF_RUN, ["inputs", "tools"]), extra=extra) == {"x": 1}


# -- what is removed -----------------------------------------------------------------------------------------------


def test_system_messages_go_in_whatever_form() -> None:
    systems = [
        {"role": "system", "content": "x"},
        {"role": "developer", "content": "x"},
        ["system", "x"],
        constructed("SystemMessage", content="x"),
        {"type": "system", "data": {"content": "x"}},
    ]
    rule = (NO_SYSTEM, ["inputs", "m"])
    assert inputs_after({"m": [*systems, HUMAN, AI, 5]}, rule) == {"m": [HUMAN, AI, 5]}
    assert inputs_after({"m": [[*systems, HUMAN]]}, rule) == {"m": [[HUMAN]]}
    for others in ([HUMAN, {"content": "system"}], {"role": "system", "content": "x"}, "system", [["x"]], []):
        assert inputs_after({"m": others}, rule) == {"m": others}


def test_members_that_no_schema_names_go() -> None:
    schema = {
        "$defs": {"leaf": {"type": "object", "properties": {"x": {}}}},
        "properties": {
            "a": True,
            "deep": {"$ref": "#/$defs/leaf"},
            "list": {"items": {"allOf": [{"$ref": "#/$defs/leaf"}, {"properties": {"y": {}}}]}},
            "either": {"anyOf": [{"properties": {"p": {}}}, {"properties": {"q": {}}}, {"type": "string"}]},
            "free": {"type": "object"},
            "open": {"properties": {"x": {}}, "additionalProperties": {"$ref": "#/$defs/leaf"}},
            "patterns": {"properties": {"x": {}}, "patternProperties": {"^y": {}}},
            "closed": {"properties": {"x": {}}, "additionalProperties": False},
        },
    }
    leaf = {"x": {"any": "thing"}}
    kept = {
        "a": {"any": 1}, "deep": leaf, "list": [{"x": 1, "y": 2}, 5], "either": {"p": 1, "q": 2},
        "free": {"any": {"x": 1}}, "open": {"x": 1, "other": leaf}, "patterns": {"x": 1, "yes": 2, "no": 3},
        "closed": {"x": 1},
    }  # fmt: skip
    more = {
        **kept, "b": 1, "deep": {**leaf, "z": 1}, "list": [{"z": 1, "x": 1, "y": 2}, 5],
        "either": {"p": 1, "q": 2, "r": 3}, "open": {"x": 1, "other": {**leaf, "z": 1}}, "closed": {"x": 1, "z": 2},
    }  # fmt: skip
    assert inputs_after(more, (NO_EXTRA, ["inputs"]), schema=schema) == kept
    assert inputs_after(kept, (NO_EXTRA, ["inputs"]), schema=schema) == kept
    assert inputs_after(more, (NO_EXTRA, ["inputs", "deep"]), schema=schema) == {**more, "deep": leaf}
    assert inputs_after(more, (NO_EXTRA, ["inputs", "list", "0"]), schema=schema)["list"] == kept["list"]
    for path in (
        ["inputs", "b"],
        ["inputs", "free"],
        ["inputs", "a"],
        ["inputs", "list", "9"],
        ["inputs", "x"],
    ):
        assert inputs_after(more, (NO_EXTRA, path), schema=schema) == more


def test_without_a_usable_schema_no_member_goes() -> None:
    for schema in (None, {}, {"type": 5}):
        assert inputs_after({"a": 1}, (NO_EXTRA, ["inputs"]), schema=schema) == {"a": 1}


def test_members_of_a_tree_go_at_every_depth() -> None:
    tree = {"properties": {"child": {"$ref": "#"}, "x": {}}}
    deep: dict[str, Any] = {"x": 1}
    kept: dict[str, Any] = {"x": 1}
    for _ in range(50):
        deep, kept = {"child": deep, "y": 1}, {"child": kept}
    assert inputs_after(deep, (NO_EXTRA, ["inputs"]), schema=tree) == kept


# -- together ------------------------------------------------------------------------------------------------------


def test_a_traced_call_becomes_an_example_of_a_chat_dataset() -> None:
    """In the order of the types, whatever the order in the list."""
    inputs_schema = {
        **MANY,
        "properties": {**MANY["properties"], "tools": {"type": "array", "items": {"$ref": TOOL}}},
        "additionalProperties": False,
    }
    rules = parsed(
        ("remove_extra_fields", ["outputs"]),
        ("remove_extra_fields", ["inputs"]),
        ("remove_system_messages", ["inputs", "messages"]),
        ("convert_to_openai_tool", ["inputs", "tools"]),
        ("convert_to_openai_message", ["outputs", "message"]),
        ("convert_to_openai_message", ["inputs", "messages"]),
    )
    inputs = {
        "messages": [[constructed("SystemMessage", content="x"), constructed("HumanMessage", content="hi")]],
        "k": 1,
    }
    outputs: Any = {"generations": [[{"message": AI, "text": "x"}]], "llm_output": {}, "run": None}
    extra = {"invocation_params": {"tools": [TOOLS["anthropic's"]]}}
    found = transform(rules, text(inputs_schema), text(ONE), text(inputs), text(outputs), text(extra))
    assert [json.loads(each or b"") for each in found] == [
        {"messages": [HUMAN], "tools": [DEFINED]},
        {"message": SAID},
    ]
    assert problems(text(inputs_schema), found[0] or b"") == problems(text(ONE), found[1] or b"") == ()
    again = transform(rules, text(inputs_schema), text(ONE), found[0], found[1], text(extra))
    assert again == found


ALL = parsed(*((kind, [side, "a"]) for kind in TransformationType for side in ("inputs", "outputs")))
KEYS = st.sampled_from(
    ["a", "role", "type", "content", "data", "kwargs", "id", "tool_calls", "name", "args", "function", "messages",
     "generations", "message", "source", "tools", "input_schema", "invocation_params", "additional_kwargs"]
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["human", "ai", "system", "constructor", "HumanMessage", "chat", "tool_use", "tool_result",
                       "image", "file", "text", "", "user", "assistant"])
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=4),
    max_leaves=15,
)


@settings(max_examples=tries(300))
@given(st.dictionaries(KEYS, VALUES, max_size=4), st.dictionaries(KEYS, VALUES, max_size=4), VALUES)
def test_any_document_is_transformed_into_a_document_and_then_stays(
    inputs: Any, outputs: Any, extra: Any
) -> None:
    schema = text({"required": ["a"], "properties": {"a": {"$ref": MESSAGE}}})
    first = transform(ALL, schema, None, text(inputs), text(outputs), text(extra))
    for before, after in zip((inputs, outputs), first, strict=True):
        assert after is not None
        assert isinstance(json.loads(after), dict)
        assert (after == text(before)) or json.loads(after) != before
    assert transform(ALL, schema, None, *first, text(extra)) == first


@settings(max_examples=tries(200))
@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_bytes_that_are_no_json_stay(inputs: bytes, outputs: bytes, extra: bytes) -> None:
    rules = parsed(*((kind, [side]) for kind in TransformationType for side in ("inputs", "outputs")))
    for garbage in (inputs, b'{"a":' + inputs, b'{"a":[' + inputs + b"]}"):
        transform((*ALL, *rules), b"{}", None, garbage, outputs, extra)
    assert transform(ALL, None, None, None, None, extra) == (None, None)
    deep = b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"
    assert transform(ALL, b'{"items":{"$ref":"#"}}', None, deep, None)[0] == deep
