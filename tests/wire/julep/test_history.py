"""What was said in a session, read and cleared through Julep's own client."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from julep import Client

from stenograph.domain.conversations.history import Histories
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.conversations import Entry, EntrySource, Relation, Speaker
from stenograph.store.meta.database import open_meta
from tests.conftest import Server

AT = 1_700_000_000_000_000
CALLS = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]


def entry(role: Speaker, source: EntrySource, content: object, **fields: object) -> Entry:
    plain = Entry(
        id=uuid4(),
        role=role,
        source=source,
        content=msgspec.json.encode(content),
        created_at=AT,
        timestamp=AT,
        token_count=7,
        tokenizer="o200k_base",
    )
    return msgspec.structs.replace(plain, **fields)


def text(said: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": said}]


@pytest.fixture
def talk(julep: Client, server: Server) -> tuple[str, list[Entry], Relation]:
    """A session in which a tool was asked, and the question was summed up."""
    agent = julep.agents.create(name="Ada").id
    session = julep.sessions.create(agent=agent).id
    entries = [
        entry(Speaker.USER, EntrySource.API_REQUEST, text("What time?"), name="Bob"),
        entry(
            Speaker.ASSISTANT,
            EntrySource.TOOL_REQUEST,
            [],
            tool_calls=msgspec.json.encode(CALLS),
            model="m",
        ),
        entry(Speaker.TOOL, EntrySource.TOOL_RESPONSE, text("noon"), tool_call_id="c"),
        entry(Speaker.ASSISTANT, EntrySource.API_RESPONSE, text("Noon."), model="m"),
        entry(Speaker.SYSTEM, EntrySource.SUMMARIZER, text("They asked for the time.")),
    ]
    relation = Relation(entries[0].id, "summary", entries[4].id)

    async def say() -> None:
        meta = await open_meta(f"sqlite:///{server.data_dir / 'meta.db'}")
        try:
            histories = Histories(meta)
            await histories.append(DEFAULT_WORKSPACE, UUID(session), entries[:2])
            await histories.append(
                DEFAULT_WORKSPACE, UUID(session), entries[2:], relations=[relation], summary="The time."
            )
        finally:
            await meta.close()

    asyncio.run(say())
    return session, entries, relation


def test_history(julep: Client, raw: httpx.Client, talk: tuple[str, list[Entry], Relation]) -> None:
    session, entries, relation = talk
    found = julep.sessions.history(session)
    assert found.session_id == session
    assert [each.id for each in found.entries] == [str(each.id) for each in entries]
    assert [each.role for each in found.entries] == ["user", "assistant", "tool", "assistant", "system"]
    assert [each.source for each in found.entries] == [
        "api_request",
        "tool_request",
        "tool_response",
        "api_response",
        "summarizer",
    ]
    (related,) = found.relations
    assert (related.head, related.relation, related.tail) == (
        str(relation.head),
        "summary",
        str(relation.tail),
    )
    shown = raw.get(f"/sessions/{session}/history").json()
    assert set(shown) == {"session_id", "created_at", "entries", "relations"}
    assert shown["entries"][1] == {
        "id": str(entries[1].id),
        "created_at": "2023-11-14T22:13:20Z",
        "timestamp": "2023-11-14T22:13:20Z",
        "role": "assistant",
        "name": None,
        "content": [],
        "source": "tool_request",
        "model": "m",
        "tool_calls": CALLS,
        "tool_call_id": None,
        "token_count": 7,
        "tokenizer": "o200k_base",
    }
    assert shown["entries"][0]["content"] == text("What time?")
    assert shown["entries"][2]["tool_call_id"] == "c"


def test_what_is_said_is_a_change(julep: Client, talk: tuple[str, list[Entry], Relation]) -> None:
    session = julep.sessions.get(talk[0])
    assert session.summary == "The time."
    assert session.updated_at > session.created_at
    patched = julep.sessions.update(talk[0], situation="s")
    reset = julep.sessions.reset(talk[0])
    assert (patched.summary, reset.summary) == ("The time.", "The time.")
    assert len(julep.sessions.history(talk[0]).entries) == 5


def test_forgetting(julep: Client, raw: httpx.Client, talk: tuple[str, list[Entry], Relation]) -> None:
    before = julep.sessions.get(talk[0])
    answer = raw.delete(f"/sessions/{talk[0]}/history")
    assert answer.status_code == 202
    assert set(answer.json()) == {"id", "deleted_at", "jobs"}
    assert answer.json()["id"] == talk[0]
    found = julep.sessions.history(talk[0])
    assert (found.entries, found.relations) == ([], [])
    after = julep.sessions.get(talk[0])
    assert after.summary is None
    assert after.updated_at > before.updated_at
