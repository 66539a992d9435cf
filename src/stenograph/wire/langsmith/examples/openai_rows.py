"""Examples as lines of OpenAI's files: for fine-tuning, and for its evals. Pure.

Messages are found where LangSmith's own datasets have them: a list under `messages` or `input`, an answer under
`message` or `output`, in any form that `openai_messages` knows. What has no messages becomes one: a single text as
it is, anything else as JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from stenograph.domain.examples import openai_tools
from stenograph.domain.examples.openai_messages import as_openai
from stenograph.model.examples import Example
from stenograph.model.spelled_json import spelled
from stenograph.wire.langsmith.examples.rows import one_line


def fine_tuning_rows(examples: Iterable[Example]) -> bytes:
    """`{"messages": […], "tools": […]}` a line. Examples without an answer teach nothing and are left out."""
    return b"".join(one_line(_fine_tuning(example)) for example in examples if example.outputs)


def eval_rows(examples: Iterable[Example]) -> bytes:
    """`{"input": […], "ideal": …}` a line; `ideal` is null where there is no answer."""
    return b"".join(one_line(_eval(example)) for example in examples)


def _fine_tuning(example: Example) -> dict[str, Any]:
    inputs = _decoded(example.inputs)
    row: dict[str, Any] = {"messages": _asked(inputs) + _answered(_decoded(example.outputs or b"{}"))}
    tools = inputs.get("tools")
    if isinstance(tools, list) and tools:
        row["tools"] = [openai_tools.as_openai(tool) for tool in tools]
    return row


def _eval(example: Example) -> dict[str, Any]:
    ideal = None
    if example.outputs is not None:
        answers = _answered(_decoded(example.outputs))
        ideal = answers[-1].get("content") if answers else None
    return {"input": _asked(_decoded(example.inputs)), "ideal": ideal}


def _decoded(document: bytes) -> dict[str, Any]:
    found: dict[str, Any] = spelled(document)
    return found


def _asked(inputs: dict[str, Any]) -> list[dict[str, Any]]:
    for name in ("messages", "input"):
        if (found := _messages(inputs.get(name))) is not None:
            return found
    stated = {name: value for name, value in inputs.items() if name != "tools"}
    return [{"role": "user", "content": _said(stated)}]


def _answered(outputs: dict[str, Any]) -> list[dict[str, Any]]:
    for name in ("message", "output", "messages"):
        if (found := _messages(outputs.get(name))) is not None:
            return found
    if (found := as_openai(outputs)) is not None:
        return found
    return [{"role": "assistant", "content": _said(outputs)}]


def _messages(value: Any) -> list[dict[str, Any]] | None:
    """OpenAI's messages of a message or a list of them; None when it is neither."""
    if isinstance(value, dict):
        return as_openai(value)
    if not isinstance(value, list) or not value:
        return None
    if len(value) == 1 and isinstance(value[0], list) and (inner := _messages(value[0])) is not None:
        return inner  # a batch of one, as LangChain records it
    found: list[dict[str, Any]] = []
    for each in value:
        messages = as_openai(each)
        if messages is None:
            return None
        found += messages
    return found


def _said(members: dict[str, Any]) -> str:
    if len(members) == 1:
        (value,) = members.values()
        if isinstance(value, str):
            return value
    return msgspec.json.encode(members).decode()
