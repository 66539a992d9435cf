"""Turns of a conversation, secrets, and upserts that meet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.domain.conversations.agents import Agents, Users
from stenograph.domain.conversations.conversations import Conversations
from stenograph.domain.conversations.files import Files
from stenograph.domain.conversations.history import Histories
from stenograph.domain.conversations.secrets import Secrets, Vault
from stenograph.errors import NotFound, StoreUnavailable
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.agents import AgentPatch, UserPatch
from stenograph.model.conversations import ConversationPatch, Entry, EntrySource, Speaker
from stenograph.store.blobs import Blobs
from stenograph.store.meta.database import Database, open_meta
from tests.metadata import new_metadata

MINE = DEFAULT_WORKSPACE


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Database]:
    store = await open_meta(new_metadata(folder / "meta.db"))
    try:
        yield store
    finally:
        await store.close()


async def talk(store: Database) -> UUID:
    agent = await Agents(store).create(MINE, AgentPatch(name="Ada"))
    return (await Conversations(store).create(MINE, ConversationPatch(agents=(agent.id,)))).id


def said(text: str) -> Entry:
    return Entry(
        id=uuid4(),
        role=Speaker.USER,
        source=EntrySource.API_REQUEST,
        content=msgspec.json.encode([{"type": "text", "text": text}]),
        created_at=1,
        timestamp=1,
        token_count=1,
        tokenizer="t",
    )


# -- turns -----------------------------------------------------------------------------------------------


def test_each_turn_hears_the_one_before(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as store:
            ident, histories = await talk(store), Histories(store)
            heard: list[int] = []

            async def turn() -> None:
                async with histories.turn(MINE, ident) as context:
                    heard.append(len(context.history.entries))
                    await asyncio.sleep(0)  # a model thinks
                    await histories.append(MINE, ident, [said("?"), said("!")])

            await asyncio.gather(*(turn() for _ in range(10)))
            assert heard == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]
            assert len((await histories.read(MINE, ident)).entries) == 20

    asyncio.run(work())


def test_turns_of_different_conversations_do_not_wait(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as store:
            first, second, histories = await talk(store), await talk(store), Histories(store)
            async with histories.turn(MINE, first), histories.turn(MINE, second):
                assert (await histories.context(MINE, first)).history.entries == ()

    asyncio.run(work())


def test_a_turn_that_fails_or_is_cancelled_lets_the_next_begin(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as store:
            ident, histories = await talk(store), Histories(store)
            with pytest.raises(ZeroDivisionError):
                async with histories.turn(MINE, ident):
                    raise ZeroDivisionError
            begun, never = asyncio.Event(), asyncio.Event()

            async def stuck() -> None:
                async with histories.turn(MINE, ident):
                    begun.set()
                    await never.wait()

            running = asyncio.create_task(stuck())
            await begun.wait()
            waiting = asyncio.create_task(stuck())
            await asyncio.sleep(0)
            for task in (waiting, running):
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            async with histories.turn(MINE, ident) as context:
                assert context.history.entries == ()
            assert histories._turns == {}, "nothing is remembered of turns that are over"

    asyncio.run(work())


def test_there_is_no_turn_without_a_conversation(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as store:
            histories, nobody = Histories(store), uuid4()
            with pytest.raises(NotFound):
                async with histories.turn(MINE, nobody):
                    raise AssertionError("begun")
            for attempt in (
                histories.read(MINE, nobody),
                histories.context(MINE, nobody),
                histories.append(MINE, nobody, [said("x")]),
                histories.forget(MINE, nobody),
            ):
                with pytest.raises(NotFound):
                    await attempt
            assert histories._turns == {}

    asyncio.run(work())


# -- upserts ---------------------------------------------------------------------------------------------


def test_upserts_of_one_id_at_once_come_to_one(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as store:
            agent, user, session = uuid4(), uuid4(), uuid4()
            agents, users, conversations = Agents(store), Users(store), Conversations(store)
            made = await asyncio.gather(*(agents.put(MINE, agent, AgentPatch(name=f"{n}")) for n in range(8)))
            assert len({each.canonical_name for each in made}) == 1
            await asyncio.gather(*(users.put(MINE, user, UserPatch(name=f"{n}")) for n in range(8)))
            patch = ConversationPatch(agents=(agent,), users=(user,))
            found = await asyncio.gather(*(conversations.put(MINE, session, patch) for _ in range(8)))
            assert len({each.created_at for each in found}) == 1
            assert found[0].kind == "single_agent_single_user"

    asyncio.run(work())


# -- secrets ---------------------------------------------------------------------------------------------


def test_a_secret_opens_with_its_key_in_its_place_alone(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path) as store:
            secrets = Secrets(store, Vault(b"a" * 32))
            made = await secrets.create(MINE, "KEY", "gehéim", None, b"{}")
            assert "gehéim".encode() not in made.sealed
            assert await secrets.reveal(MINE, "KEY") == "gehéim"
            assert await secrets.reveal(MINE, "OTHER") is None
            assert await secrets.reveal(uuid4(), "KEY") is None
            again = await secrets.replace(MINE, made.id, "KEY", "gehéim", None, b"{}")
            assert again.sealed != made.sealed, "two sealings of one value are not alike"
            with pytest.raises(StoreUnavailable, match="'KEY'"):
                await Secrets(store, Vault(b"b" * 32)).reveal(MINE, "KEY")
            vault = Vault(b"a" * 32)
            for moved in (
                msgspec.structs.replace(again, id=uuid4()),
                msgspec.structs.replace(again, workspace=uuid4()),
                msgspec.structs.replace(again, sealed=again.sealed[:-1] + bytes([again.sealed[-1] ^ 1])),
                msgspec.structs.replace(again, sealed=b"\x02" + again.sealed[1:]),
                msgspec.structs.replace(again, sealed=b""),
                msgspec.structs.replace(again, sealed=again.sealed[:5]),
            ):
                with pytest.raises(StoreUnavailable):
                    vault.open(moved)

    asyncio.run(work())


# -- files -----------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_listed_leaves_no_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with opened(tmp_path) as store:
            blobs = Blobs.open(f"file://{tmp_path / 'blobs'}")
            files = Files(store, blobs)

            async def down(_: object) -> None:
                raise StoreUnavailable

            with monkeypatch.context() as patched:
                patched.setattr(store.files, "create", down)
                with pytest.raises(StoreUnavailable):
                    await files.create(MINE, b"x", name="f", description="", mime_type=None, project=None)
            assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []
            file = await files.create(MINE, b"x", name="f", description="", mime_type=None, project=None)
            assert await files.content(file) == b"x"
            await files.delete(MINE, file.id)
            assert await files.content(file) is None

    asyncio.run(work())
