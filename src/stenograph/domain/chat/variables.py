"""Agents, users and sessions as templates and system tools see them: by the names that Julep documents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from stenograph.domain.chat.asked import Asked, Tool
from stenograph.model.agents import Agent, User
from stenograph.model.conversations import Conversation, ConversationContext, Entry
from stenograph.model.docs import Found
from stenograph.model.runs import Micros

Json = dict[str, Any]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_decode: Final = msgspec.json.Decoder().decode


def variables(
    context: ConversationContext,
    agent: Agent,
    asked: Asked,
    settings: Json,
    tools: Sequence[Tool],
    docs: Sequence[Found],
) -> Json:
    """What a template may name. `metadata` is the call's own, and absent when there is none."""
    speaking = agent_of(agent)
    users = [user_of(each) for each in context.users]
    found: Json = {
        "session": session_of(context.history.conversation),
        "agent": speaking,
        "current_agent": speaking,
        "agents": [agent_of(each) for each in context.agents],
        "user": users[0] if users else None,
        "users": users,
        "settings": settings,
        "tools": [tool_of(each) for each in tools],
        "docs": [doc_of(each) for each in docs],
    }
    if asked.metadata is not None and (metadata := _decode(asked.metadata)):
        found["metadata"] = metadata
    return found


def _known(thing: Agent | User | Conversation) -> Json:
    """What everything has that is kept under an id."""
    return {
        "id": str(thing.id),
        "created_at": moment(thing.created_at),
        "updated_at": moment(thing.updated_at),
        "metadata": _decode(thing.metadata),
    }


def agent_of(agent: Agent) -> Json:
    return {
        **_known(agent),
        "name": agent.name,
        "canonical_name": agent.canonical_name,
        "about": agent.about,
        "model": agent.model,
        "instructions": list(agent.instructions),
        "default_settings": _decode(agent.default_settings or b"{}"),
        "project": agent.project_name,
    }


def user_of(user: User) -> Json:
    return {
        **_known(user),
        "name": user.name,
        "about": user.about,
        "project": user.project_name,
    }


def session_of(talk: Conversation) -> Json:
    return {
        **_known(talk),
        "situation": talk.situation,
        "system_template": talk.template,
        "summary": talk.summary,
        "render_templates": talk.render_templates is not False,
        "token_budget": talk.token_budget,
        "context_overflow": None if talk.context_overflow is None else talk.context_overflow.value,
        "auto_run_tools": talk.auto_run_tools,
        "forward_tool_calls": talk.forward_tool_calls,
        "recall_options": _decode(msgspec.json.encode(talk.recall)),
        "kind": talk.kind,
        "agents": [str(each) for each in talk.agents],
        "users": [str(each) for each in talk.users],
    }


def entry_of(entry: Entry) -> Json:
    return {
        "id": str(entry.id),
        "created_at": moment(entry.created_at),
        "role": entry.role.value,
        "source": entry.source.value,
        "name": entry.name,
        "content": _decode(entry.content),
        "tool_calls": None if entry.tool_calls is None else _decode(entry.tool_calls),
        "tool_call_id": entry.tool_call_id,
    }


def tool_of(tool: Tool) -> Json:
    return {
        "name": tool.name,
        "type": tool.type.value,
        "description": tool.description,
        tool.type.value: _decode(tool.definition),
    }


def doc_of(found: Found) -> Json:
    """A chunk that was recalled; a doc may be there with several."""
    return {
        "title": found.chunk.title,
        "content": [found.chunk.content],
        "metadata": _decode(found.chunk.metadata) or None,
    }


def moment(at: Micros) -> str:
    return (_EPOCH + dt.timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")
