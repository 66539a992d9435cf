"""Answers of chats as Julep's JSON, whole and as the pieces of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from stenograph.domain.chat.asked import Answer, Piece, Rendered, Said, Tokens, Tool
from stenograph.domain.chat.messages import Message, called, content_of
from stenograph.model.docs import Found
from stenograph.wire.julep.docs import reference
from stenograph.wire.julep.shapes import Json, moment


def answer(found: Answer) -> Json:
    return {
        **_head(found),
        "docs": docs(found.docs),
        "usage": _usage(found.tokens),
        "choices": [
            {
                "index": index,
                "finish_reason": each.finish_reason or "stop",
                "logprobs": None,
                "message": {**_message(each.message), **_stored(found, each)},
                "tool_calls": called(each.message.tool_calls) or None,
            }
            for index, each in enumerate(found.choices)
        ],
    }


def piece(found: Piece, *, with_docs: bool) -> Json:
    """What has come of an answer: always with its role, which clients ask for in every piece."""
    delta = {"role": "assistant", "content": found.text}
    return {
        "id": found.id,
        "created_at": moment(found.created_at),
        "jobs": [],
        "docs": docs(found.docs) if with_docs else [],
        "usage": None,
        "choices": [{"index": found.index, "delta": delta, "finish_reason": None, "logprobs": None}],
    }


def last_piece(found: Answer, *, is_told: bool) -> Json:
    """The end of a stream: how each answer ended, calls of tools whole, what was used. `is_told`: its text has been
    sent already."""
    choices = []
    for index, each in enumerate(found.choices):
        delta: Json = {"role": "assistant", "content": "" if is_told else each.message.text}
        if each.message.tool_calls:
            delta["tool_calls"] = called(each.message.tool_calls)
        choices.append(
            {"index": index, "delta": delta, "finish_reason": each.finish_reason or "stop", "logprobs": None}
        )
    return {**_head(found), "docs": docs(found.docs), "usage": _usage(found.tokens), "choices": choices}


def rendered(found: Rendered) -> Json:
    return {
        "messages": [_message(each) for each in found.messages],
        "docs": docs(found.docs),
        "tools": [_tool(each) for each in found.tools] or None,
        "tool_choice": None if found.tool_choice is None else Raw(found.tool_choice),
    }


def docs(found: Sequence[Found]) -> list[Json]:
    return [reference(each, vectors=each.chunk.vector is not None) for each in found]


def _head(found: Answer) -> Json:
    return {"id": found.id, "created_at": moment(found.created_at), "jobs": found.jobs}


def _stored(found: Answer, each: Said) -> Json:
    return {"id": each.id, "created_at": moment(found.created_at)}


def _message(message: Message) -> Json:
    return {
        "role": message.role,
        "content": content_of(message),
        "name": message.name,
        "tool_calls": called(message.tool_calls) or None,
        "tool_call_id": message.tool_call_id,
    }


def _tool(tool: Tool) -> Json:
    return {
        "name": tool.name,
        "type": tool.type,
        "description": tool.description,
        tool.type.value: Raw(tool.definition),
    }


def _usage(tokens: Tokens | None) -> dict[str, Any] | None:
    if tokens is None:
        return None
    return {
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.completion,
        "total_tokens": tokens.total,
    }
