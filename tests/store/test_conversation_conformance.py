"""What the seams of agents, users, conversations and what they use promise, for every engine of the metadata store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.errors import Conflict, Invalid, NotFound
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.agents import Agent, AgentPatch, AgentTool, ToolPatch, ToolType, User, UserPatch
from stenograph.model.conversations import (
    ContextOverflow,
    Conversation,
    ConversationPatch,
    Entry,
    EntrySource,
    KeptAnswer,
    RecallMode,
    RecallOptions,
    Relation,
    Speaker,
)
from stenograph.model.docs import Doc, DocQuery, Owner, OwnerKind
from stenograph.model.files import File
from stenograph.model.jobs import Job, JobState
from stenograph.model.listing import ListQuery
from stenograph.model.projects import Project
from stenograph.model.secrets import Secret
from stenograph.model.summaries import SummaryTask
from stenograph.store.api import MetaStore

OTHER = UUID("00000000-0000-4000-8000-00000000000b")
MINE = DEFAULT_WORKSPACE


def agent(name: str = "a", workspace: UUID = MINE, at: int = 1, **fields: Any) -> Agent:
    ident = fields.pop("id", uuid4())
    plain = Agent(
        id=ident, workspace=workspace, name=name, canonical_name=f"n{ident.hex}", created_at=at, updated_at=at
    )
    return msgspec.structs.replace(plain, **fields)


def user(workspace: UUID = MINE, at: int = 1, **fields: Any) -> User:
    plain = User(id=uuid4(), workspace=workspace, created_at=at, updated_at=at)
    return msgspec.structs.replace(plain, **fields)


def conversation(*agents: UUID, workspace: UUID = MINE, at: int = 1, **fields: Any) -> Conversation:
    plain = Conversation(id=uuid4(), workspace=workspace, created_at=at, updated_at=at, agents=agents)
    return msgspec.structs.replace(plain, **fields)


def entry(text: str, **fields: Any) -> Entry:
    plain = Entry(
        id=uuid4(),
        role=Speaker.USER,
        source=EntrySource.API_REQUEST,
        content=msgspec.json.encode([{"type": "text", "text": text}]),
        created_at=3,
        timestamp=2,
        token_count=1,
        tokenizer="t",
    )
    return msgspec.structs.replace(plain, **fields)


def mine(**fields: Any) -> ListQuery:
    return ListQuery(workspace=MINE, **fields)


# -- agents and users ------------------------------------------------------------------------------------


def test_an_agent_is_read_as_it_was_written(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        project = uuid4()
        await store.projects.create(
            Project(
                id=project,
                workspace=MINE,
                name="A project",
                canonical_name="p",
                start_time=1,
                created_at=1,
                modified_at=1,
            )
        )
        full = agent(
            about="x",
            model="m",
            instructions=("one", "two"),
            default_settings=b'{"a": 1.50}',
            default_system_template="t",
            metadata=b'{"b":{"c":[1,null]}}',
            project=project,
        )
        stored = await store.agents.create(full)
        assert stored == msgspec.structs.replace(full, project_name="p")
        assert await store.agents.read(MINE, full.id) == stored
        assert await store.agents.read(OTHER, full.id) is None
        assert await store.agents.find(mine()) == [stored]
        await store.projects.delete(MINE, [project], at=5)
        found = await store.agents.read(MINE, full.id)
        assert found is not None
        assert (found.project, found.project_name) == (None, "default")

    meta(work)


def test_ids_and_canonical_names_are_taken_once_in_a_workspace(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        first = await store.agents.create(agent(canonical_name="x"))
        with pytest.raises(Conflict, match=str(first.id)):
            await store.agents.create(agent(id=first.id))
        with pytest.raises(Conflict, match="'x'"):
            await store.agents.create(agent(canonical_name="x"))
        second = await store.agents.create(agent())
        with pytest.raises(Conflict, match="'x'"):
            await store.agents.update(MINE, second.id, AgentPatch(canonical_name="x", about="no"), at=2)
        assert await store.agents.read(MINE, second.id) == second
        theirs = agent(workspace=OTHER, id=first.id, canonical_name="x")
        assert await store.agents.create(theirs) == theirs
        guest = await store.users.create(user())
        with pytest.raises(Conflict, match=str(guest.id)):
            await store.users.create(guest)

    meta(work)


def test_changes_are_of_one_workspace_and_of_what_they_state(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = await store.agents.create(agent(about="x", metadata=b'{"a":1,"b":{"c":2}}'))
        assert await store.agents.update(OTHER, made.id, AgentPatch(about="y"), at=2) is None
        assert await store.agents.update(MINE, uuid4(), AgentPatch(about="y"), at=2) is None
        patch = AgentPatch(about="y", metadata=b'{"b":3}', merge=True)
        changed = await store.agents.update(MINE, made.id, patch, at=2)
        assert changed == msgspec.structs.replace(made, about="y", metadata=b'{"a":1,"b":3}', updated_at=2)
        replaced = await store.agents.update(MINE, made.id, AgentPatch(metadata=b'{"z":0}'), at=3)
        assert replaced is not None
        assert (replaced.metadata, replaced.about) == (b'{"z":0}', "y")
        guest = await store.users.create(user(name="n", about="x"))
        assert await store.users.update(OTHER, guest.id, UserPatch(about="y"), at=2) is None
        reset = await store.users.update(MINE, guest.id, UserPatch(name="m").whole(), at=2)
        assert reset == msgspec.structs.replace(guest, name="m", about="", updated_at=2)

    meta(work)


def test_those_who_go_take_their_docs_and_tools_along(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, guest = await store.agents.create(agent()), await store.users.create(user())
        assert await store.agent_tools.create(tool(made))
        for kind, owner in ((OwnerKind.AGENT, made.id), (OwnerKind.USER, guest.id)):
            of = Owner(kind, owner)
            doc = Doc(workspace=MINE, id=uuid4(), owner=of, title="t", content=("c",), created_at=1)
            await store.docs.add(doc)
        assert not await store.agents.delete(OTHER, made.id)
        assert not await store.users.delete(OTHER, guest.id)
        assert await store.agents.delete(MINE, made.id)
        assert await store.users.delete(MINE, guest.id)
        assert not await store.agents.delete(MINE, made.id)
        for kind, owner in ((OwnerKind.AGENT, made.id), (OwnerKind.USER, guest.id)):
            assert await store.docs.page(DocQuery(workspace=MINE, owner=Owner(kind, owner))) == []
        assert await store.agent_tools.find(made.id, mine()) == []
        assert await store.agents.find(mine()) == []

    meta(work)


# -- tools -----------------------------------------------------------------------------------------------


def tool(of: Agent, name: str = "t", at: int = 1, **fields: Any) -> AgentTool:
    plain = AgentTool(
        id=uuid4(),
        workspace=of.workspace,
        agent=of.id,
        name=name,
        type=ToolType.FUNCTION,
        created_at=at,
        updated_at=at,
    )
    return msgspec.structs.replace(plain, **fields)


def test_tools(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, other = await store.agents.create(agent()), await store.agents.create(agent())
        first = tool(made, "a", 1, description="d", definition=b'{"parameters":{}}')
        second, theirs = tool(made, "b", 2, type=ToolType.BASH), tool(other, "a")
        for each in (first, second, theirs):
            assert await store.agent_tools.create(each)
        assert not await store.agent_tools.create(tool(agent()))
        assert not await store.agent_tools.create(tool(msgspec.structs.replace(made, workspace=OTHER)))
        with pytest.raises(Conflict, match="'a'"):
            await store.agent_tools.create(tool(made, "a"))
        assert await store.agent_tools.read(MINE, made.id, first.id) == first
        assert await store.agent_tools.read(MINE, other.id, first.id) is None
        assert await store.agent_tools.read(OTHER, made.id, first.id) is None
        assert await store.agent_tools.find(made.id, mine()) == [second, first]
        assert await store.agent_tools.find(made.id, mine(descending=False, limit=1)) == [first]
        assert await store.agent_tools.find(made.id, mine(offset=1)) == [first]
        with pytest.raises(Conflict, match="'b'"):
            await store.agent_tools.update(MINE, made.id, first.id, ToolPatch(name="b"), at=3)
        patch = ToolPatch(type=ToolType.SYSTEM, definition=b"{}", description=None)
        changed = await store.agent_tools.update(MINE, made.id, first.id, patch, at=3)
        assert changed == msgspec.structs.replace(
            first, type=ToolType.SYSTEM, definition=b"{}", description=None, updated_at=3
        )
        for wrong in ((OTHER, made.id), (MINE, other.id)):
            assert await store.agent_tools.update(*wrong, first.id, ToolPatch(name="z"), at=4) is None
            assert not await store.agent_tools.delete(*wrong, first.id)
        assert await store.agent_tools.delete(MINE, made.id, first.id)
        assert await store.agent_tools.find(made.id, mine()) == [second]

    meta(work)


# -- conversations ---------------------------------------------------------------------------------------


def test_a_conversation_is_read_as_it_was_written(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        first = await store.agents.create(agent(default_system_template="theirs"))
        second, guest = await store.agents.create(agent()), await store.users.create(user())
        full = conversation(
            first.id,
            second.id,
            users=(guest.id,),
            situation="s",
            system_template="own",
            summary="so far",
            render_templates=False,
            token_budget=2**31 - 1,
            context_overflow=ContextOverflow.ADAPTIVE,
            auto_run_tools=True,
            forward_tool_calls=True,
            recall_options=RecallOptions(
                mode=RecallMode.HYBRID, metadata_filter=msgspec.Raw(b'{"a":1}'), k_multiplier=3
            ),
            metadata=b'{"a":1}',
        )
        stored = await store.conversations.create(full)
        found = await store.conversations.read(MINE, full.id)
        assert found is not None
        assert stored == found == msgspec.structs.replace(full, inherited_template="theirs")
        assert found.template == "own"
        assert await store.conversations.read(OTHER, full.id) is None
        plain = await store.conversations.create(conversation(second.id, first.id))
        assert (plain.users, plain.recall_options, plain.inherited_template) == ((), None, None)
        assert {each.id for each in await store.conversations.find(mine())} == {full.id, plain.id}
        with pytest.raises(Conflict, match=str(full.id)):
            await store.conversations.create(full)

    meta(work)


def test_who_takes_part_has_to_be_there_first(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made, guest = await store.agents.create(agent()), await store.users.create(user())
        theirs = await store.agents.create(agent(workspace=OTHER))
        for wrong in (
            conversation(theirs.id),
            conversation(made.id, guest.id),
            conversation(made.id, users=(made.id,)),
        ):
            with pytest.raises(NotFound):
                await store.conversations.create(wrong)
        assert await store.conversations.find(mine()) == []
        talk = await store.conversations.create(conversation(made.id, users=(guest.id,)))
        await store.agents.delete(MINE, made.id)
        await store.users.delete(MINE, guest.id)
        kept = await store.conversations.update(MINE, talk.id, ConversationPatch(situation="s"), at=2)
        assert kept is not None
        assert (kept.agents, kept.users, kept.inherited_template) == ((made.id,), (guest.id,), None)
        with pytest.raises(NotFound, match=str(theirs.id)):
            await store.conversations.update(MINE, talk.id, ConversationPatch(agents=(theirs.id,)), at=3)
        new = await store.agents.create(agent())
        moved = await store.conversations.update(
            MINE, talk.id, ConversationPatch(agents=(new.id,), users=()), at=4
        )
        assert moved is not None
        assert (moved.agents, moved.users, moved.situation) == ((new.id,), (), "s")

    meta(work)


def test_the_agents_template_is_not_kept_as_the_conversations(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = await store.agents.create(agent(default_system_template="theirs"))
        talk = await store.conversations.create(conversation(made.id, system_template="theirs"))
        assert talk.system_template is None
        own = await store.conversations.update(MINE, talk.id, ConversationPatch(system_template="own"), at=2)
        assert own is not None
        assert own.template == "own"
        back = await store.conversations.update(
            MINE, talk.id, ConversationPatch(system_template="theirs"), at=3
        )
        assert back is not None
        assert back.system_template is None
        await store.agents.update(MINE, made.id, AgentPatch(default_system_template="new"), at=4)
        found = await store.conversations.read(MINE, talk.id)
        assert found is not None
        assert found.template == "new"

    meta(work)


def test_text_that_no_table_can_hold(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = await store.agents.create(agent())
        for wrong in (agent("a\0b"), agent("\ud800")):
            with pytest.raises(Invalid):
                await store.agents.create(wrong)
        with pytest.raises(Invalid):
            await store.conversations.create(conversation(made.id, token_budget=2**63))

    meta(work)


# -- what was said ---------------------------------------------------------------------------------------


def test_entries_are_numbered_in_the_order_they_came(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = await store.agents.create(agent())
        talk = await store.conversations.create(conversation(made.id))
        other = await store.conversations.create(conversation(made.id))
        full = entry(
            "x",
            role=Speaker.ASSISTANT,
            source=EntrySource.API_RESPONSE,
            name="n",
            model="m",
            tool_calls=b'[{"id":"c"}]',
            tool_call_id="i",
            content=b"[]",
        )
        first = await store.conversations.append(MINE, talk.id, [entry("one"), full], at=5)
        assert first is not None
        assert first[1] == msgspec.structs.replace(full, position=2)
        second = await store.conversations.append(MINE, talk.id, [entry("two")], at=6)
        assert second is not None
        await store.conversations.append(MINE, other.id, [entry("elsewhere")], at=6)
        history = await store.conversations.history(MINE, talk.id)
        assert history is not None
        assert list(history.entries) == [*first, *second]
        assert [each.position for each in history.entries] == [1, 2, 3]
        assert history.conversation.updated_at == 6
        assert await store.conversations.append(OTHER, talk.id, [entry("x")], at=7) is None
        assert await store.conversations.append(MINE, uuid4(), [entry("x")], at=7) is None
        assert await store.conversations.history(OTHER, talk.id) is None

    meta(work)


def test_an_answer_is_kept_for_its_request(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        talk = await store.conversations.create(conversation((await store.agents.create(agent())).id))
        asked, other, hour = uuid4(), uuid4(), 3_600_000_000
        append, answered = store.conversations.append, store.conversations.answered
        first = KeptAnswer(asked, b"\x00one", 1)
        await append(MINE, talk.id, [entry("x")], at=1, answer=first)
        assert await answered(MINE, talk.id, asked) == first
        assert await answered(OTHER, talk.id, asked) is None
        assert await answered(MINE, uuid4(), asked) is None
        assert await answered(MINE, talk.id, other) is None
        again = KeptAnswer(asked, b"two", 2)
        await append(MINE, talk.id, [entry("x")], at=2, answer=again)
        assert await answered(MINE, talk.id, asked) == again
        await append(MINE, talk.id, [entry("x")], at=3, answer=KeptAnswer(other, b"", 2 + hour))
        assert await answered(MINE, talk.id, asked) == again
        late = KeptAnswer(uuid4(), b"", 3 + hour)
        await append(MINE, talk.id, [entry("x")], at=4, answer=late, delivered=[other])
        assert await answered(MINE, talk.id, asked) is None, "it is older than an hour"
        assert await answered(MINE, talk.id, other) is None, "it has been delivered"
        await store.conversations.forget(MINE, talk.id, 5)
        assert await answered(MINE, talk.id, late.request) is None
        await append(MINE, talk.id, [entry("x")], at=6, answer=late)
        await store.conversations.delete(MINE, talk.id)
        assert await answered(MINE, talk.id, late.request) is None

    meta(work)


def test_a_turn_is_added_whole_or_not_at_all(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = await store.agents.create(agent())
        talk = await store.conversations.create(conversation(made.id))
        first = await store.conversations.append(MINE, talk.id, [entry("one")], at=2)
        assert first is not None
        taken, stray = first[0], Relation(first[0].id, "replaces", uuid4())
        with pytest.raises(Conflict, match=str(taken.id)):
            await store.conversations.append(MINE, talk.id, [entry("two"), taken], at=3, summary="s")
        with pytest.raises(NotFound, match=str(stray.tail)):
            await store.conversations.append(MINE, talk.id, [entry("two")], at=3, relations=[stray])
        history = await store.conversations.history(MINE, talk.id)
        assert history is not None
        assert (list(history.entries), history.relations) == (first, ())
        assert (history.conversation.updated_at, history.conversation.summary) == (2, None)

    meta(work)


def test_what_stands_for_something_else(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = await store.agents.create(agent())
        talk = await store.conversations.create(conversation(made.id))
        said = await store.conversations.append(
            MINE, talk.id, [entry("one"), entry("two"), entry("three")], at=2
        )
        assert said is not None
        short = entry("in short", source=EntrySource.SUMMARIZER, role=Speaker.SYSTEM)
        relations = [Relation(said[0].id, "summary", short.id), Relation(said[1].id, "summary", short.id)]
        for _ in range(2):  # once more is no error
            await store.conversations.append(
                MINE, talk.id, [short] if _ == 0 else [], at=3, relations=relations, summary="in short"
            )
        history = await store.conversations.history(MINE, talk.id)
        assert history is not None
        assert set(history.relations) == set(relations)
        assert [each.id for each in history.standing] == [short.id, said[2].id]
        assert history.conversation.summary == "in short"
        assert not await store.conversations.forget(OTHER, talk.id, at=4)
        assert await store.conversations.forget(MINE, talk.id, at=4)
        empty = await store.conversations.history(MINE, talk.id)
        assert empty is not None
        assert (empty.entries, empty.relations, empty.conversation.summary) == ((), (), None)
        again = await store.conversations.append(MINE, talk.id, [said[0]], at=5)
        assert again is not None
        assert again[0].position == 1

    meta(work)


def test_positions_follow_on_each_other_whoever_appends_at_once(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = await store.agents.create(agent())
        talk = await store.conversations.create(conversation(made.id))
        turns = [[entry(f"{n}?"), entry(f"{n}!")] for n in range(20)]
        await asyncio.gather(*(store.conversations.append(MINE, talk.id, turn, at=2) for turn in turns))
        history = await store.conversations.history(MINE, talk.id)
        assert history is not None
        assert [each.position for each in history.entries] == list(range(1, 41))
        ids = [each.id for each in history.entries]
        for question, answer in turns:
            assert ids.index(answer.id) == ids.index(question.id) + 1

    meta(work)


def test_the_context_of_a_turn(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        first, second = await store.agents.create(agent("a")), await store.agents.create(agent("b"))
        gone, guest = await store.agents.create(agent("c")), await store.users.create(user(name="u"))
        talk = await store.conversations.create(conversation(second.id, gone.id, first.id, users=(guest.id,)))
        tools = [tool(first, "x", 2), tool(first, "y", 1), tool(second, "x")]
        for each in tools:
            await store.agent_tools.create(each)
        await store.agents.delete(MINE, gone.id)
        await store.conversations.append(MINE, talk.id, [entry("hello")], at=2)
        context = await store.conversations.context(MINE, talk.id)
        history = await store.conversations.history(MINE, talk.id)
        assert context is not None
        assert context.history == history
        assert (context.agents, context.users) == ((second, first), (guest,))
        assert context.tools == {first.id: (tools[1], tools[0]), second.id: (tools[2],)}
        assert await store.conversations.context(OTHER, talk.id) is None

    meta(work)


def test_a_conversation_goes_with_all_that_was_said(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = await store.agents.create(agent())
        talk = await store.conversations.create(conversation(made.id, metadata=b'{"a":1}'))
        said = await store.conversations.append(MINE, talk.id, [entry("one"), entry("two")], at=2)
        assert said is not None
        relation = Relation(said[0].id, "r", said[1].id)
        await store.conversations.append(MINE, talk.id, [], at=2, relations=[relation])
        assert not await store.conversations.delete(OTHER, talk.id)
        assert await store.conversations.delete(MINE, talk.id)
        assert not await store.conversations.delete(MINE, talk.id)
        again = await store.conversations.create(conversation(made.id))
        assert await store.conversations.append(MINE, again.id, said, at=3) == said  # their ids are free

    meta(work)


# -- secrets, files, jobs --------------------------------------------------------------------------------


def test_secrets(meta: Callable[..., None]) -> None:
    def secret(name: str, at: int = 1, workspace: UUID = MINE, **fields: Any) -> Secret:
        plain = Secret(
            id=uuid4(), workspace=workspace, name=name, sealed=b"\0\xff", created_at=at, updated_at=at
        )
        return msgspec.structs.replace(plain, **fields)

    async def work(store: MetaStore) -> None:
        first, second = secret("a", 1, description="d", metadata=b'{"a":1}'), secret("b", 2)
        for each in (first, second, secret("a", workspace=OTHER)):
            await store.secrets.create(each)
        with pytest.raises(Conflict, match="'a'"):
            await store.secrets.create(secret("a"))
        assert await store.secrets.page(MINE) == [second, first]
        assert await store.secrets.page(MINE, 1, 1) == [first]
        assert await store.secrets.named(MINE, ["a", "nobody"]) == [first]
        assert await store.secrets.named(OTHER, ["b"]) == []
        with pytest.raises(Conflict, match="'b'"):
            await store.secrets.replace(msgspec.structs.replace(first, name="b"))
        new = msgspec.structs.replace(first, name="c", sealed=b"2", created_at=9, updated_at=9)
        assert await store.secrets.replace(new) == msgspec.structs.replace(new, created_at=1)
        assert await store.secrets.replace(msgspec.structs.replace(new, workspace=OTHER, name="z")) is None
        nobody = msgspec.structs.replace(new, id=uuid4(), name="b")
        assert await store.secrets.replace(nobody) is None, "whoever has the name"
        assert not await store.secrets.delete(OTHER, first.id)
        assert await store.secrets.delete(MINE, first.id)
        assert await store.secrets.page(MINE) == [second]

    meta(work)


def test_files(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        first, second = (
            File(
                id=uuid4(),
                workspace=MINE,
                name=f"f{at}",
                size=2**40,
                hash="h",
                created_at=at,
                mime_type="a/b",
            )
            for at in (1, 2)
        )
        for each in (first, second):
            await store.files.create(each)
        with pytest.raises(Conflict):
            await store.files.create(first)
        assert await store.files.page(MINE) == [second, first]
        assert await store.files.page(MINE, 1, 1) == [first]
        assert await store.files.page(OTHER) == []
        assert await store.files.read(MINE, first.id) == first
        assert await store.files.read(OTHER, first.id) is None
        assert await store.files.delete(OTHER, first.id) is None
        assert await store.files.delete(MINE, first.id) == first
        assert await store.files.delete(MINE, first.id) is None

    meta(work)


def test_jobs_move_until_they_have_come_to_their_end(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        job = Job(id=uuid4(), workspace=MINE, name="j", created_at=1, updated_at=1)
        await store.jobs.create(job)
        assert await store.jobs.read(MINE, job.id) == job
        assert await store.jobs.read(OTHER, job.id) is None
        assert await store.jobs.move(OTHER, job.id, JobState.FAILED, at=2) is None
        moved = await store.jobs.move(MINE, job.id, JobState.IN_PROGRESS, at=2, progress=12.5)
        assert moved == msgspec.structs.replace(job, state=JobState.IN_PROGRESS, progress=12.5, updated_at=2)
        done = await store.jobs.move(MINE, job.id, JobState.SUCCEEDED, at=3, reason="done")
        assert done is not None
        assert await store.jobs.move(MINE, job.id, JobState.FAILED, at=4) is None
        assert await store.jobs.read(MINE, job.id) == done

    meta(work)


def test_jobs_that_have_not_come_to_their_end(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        jobs = [Job(id=uuid4(), workspace=MINE, name="j", created_at=at, updated_at=at) for at in (3, 1, 2)]
        for job in jobs:
            await store.jobs.create(job)
        await store.jobs.move(MINE, jobs[2].id, JobState.ABORTED, at=9)
        own = {job.id for job in jobs}
        assert [job.id for job in await store.jobs.unfinished() if job.id in own] == [jobs[1].id, jobs[0].id]

    meta(work)


def test_a_conversation_waits_for_one_summary(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        made = await store.agents.create(agent())
        talk = await store.conversations.create(conversation(made.id))

        def of(conversation_id: UUID, due_at: int) -> tuple[SummaryTask, Job]:
            job = Job(id=uuid4(), workspace=MINE, name="summary", created_at=1, updated_at=1)
            return (
                SummaryTask(workspace=MINE, conversation_id=conversation_id, job_id=job.id, due_at=due_at),
                job,
            )

        first, job = of(talk.id, 5)
        assert await store.summary_tasks.begin(first, job) == job.id
        assert await store.jobs.read(MINE, job.id) == job
        second, other = of(talk.id, 6)
        assert await store.summary_tasks.begin(second, other) == job.id
        assert await store.jobs.read(MINE, other.id) is None
        nowhere, stray = of(uuid4(), 1)
        assert await store.summary_tasks.begin(nowhere, stray) is None
        later = msgspec.structs.replace(first, attempts=2, due_at=7)
        await store.summary_tasks.put_off(later)
        assert later in await store.summary_tasks.waiting()
        await store.conversations.delete(MINE, talk.id)
        assert later in await store.summary_tasks.waiting()
        await store.summary_tasks.end(later, JobState.ABORTED, at=8, reason="gone")
        assert later not in await store.summary_tasks.waiting()
        ended = await store.jobs.read(MINE, job.id)
        assert ended is not None
        assert (ended.state, ended.reason, ended.updated_at) == (JobState.ABORTED, "gone", 8)

    meta(work)


# -- projects --------------------------------------------------------------------------------------------


def test_a_project_is_found_by_its_canonical_name(meta: Callable[..., None]) -> None:
    def project(name: str, **fields: Any) -> Project:
        plain = Project(id=uuid4(), workspace=MINE, name=name, start_time=1, created_at=1, modified_at=1)
        return msgspec.structs.replace(plain, **fields)

    async def work(store: MetaStore) -> None:
        stated, fit = project("Some name", canonical_name="c"), project("fit")
        for each in (stated, fit):
            await store.projects.create(each)
        assert await store.projects.find_canonical(MINE, "c") == stated
        assert await store.projects.find_canonical(MINE, "fit") == fit
        assert await store.projects.find_canonical(MINE, "Some name") is None
        assert await store.projects.find_canonical(OTHER, "c") is None
        for name in ("c", "fit"):
            with pytest.raises(Conflict, match=name):
                await store.projects.create(project("new", canonical_name=name))
        late = project("c")  # called so by a client that knows no canonical names
        await store.projects.ensure(late)
        assert await store.projects.find_canonical(MINE, "c") == stated
        await store.projects.delete(MINE, [stated.id], at=2)
        assert await store.projects.find_canonical(MINE, "c") == late
        experiment = project("e", reference_dataset_id=uuid4())
        await store.projects.create(experiment)
        assert await store.projects.find_canonical(MINE, "e") is None

    meta(work)
