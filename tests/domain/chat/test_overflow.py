"""What is summed up: whole turns, the oldest first, never a call without its result."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.chat import overflow
from stenograph.llm import tokens
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.agents import Agent
from stenograph.model.conversations import (
    ContextOverflow,
    Conversation,
    ConversationContext,
    Entry,
    EntrySource,
    History,
    Relation,
    Speaker,
)

AGENT = UUID(int=7)


def entry(role: Speaker, text: str = "words", count: int = 96, **more: object) -> Entry:
    plain = Entry(
        id=uuid4(),
        role=role,
        source=EntrySource.API_REQUEST,
        content=json.dumps([{"type": "text", "text": text}]).encode(),
        created_at=1,
        timestamp=1,
        token_count=count,
        tokenizer="o200k_base",
    )
    return msgspec.structs.replace(plain, **more)


def calling(*ids: str) -> Entry:
    calls = [{"id": each, "type": "function", "function": {"name": "f", "arguments": "{}"}} for each in ids]
    return entry(Speaker.ASSISTANT, tool_calls=json.dumps(calls).encode())


def result(ident: str) -> Entry:
    return entry(Speaker.TOOL, tool_call_id=ident)


def context(
    entries: list[Entry],
    budget: int | None = 1_000,
    how: ContextOverflow | None = ContextOverflow.ADAPTIVE,
    relations: tuple[Relation, ...] = (),
    settings: bytes | None = None,
) -> ConversationContext:
    talk = Conversation(
        id=uuid4(),
        workspace=DEFAULT_WORKSPACE,
        created_at=1,
        updated_at=1,
        agents=(AGENT,),
        token_budget=budget,
        context_overflow=how,
    )
    placed = tuple(msgspec.structs.replace(each, position=at) for at, each in enumerate(entries, 1))
    agent = Agent(
        id=AGENT, workspace=DEFAULT_WORKSPACE, name="Ada", canonical_name="ada", created_at=1, updated_at=1,
        model="gpt-4o", default_settings=settings,
    )  # fmt: skip
    return ConversationContext(History(talk, placed, relations), (agent,), (), {})


def turns_of(count: int) -> list[Entry]:
    return [entry(who) for _ in range(count) for who in (Speaker.USER, Speaker.ASSISTANT)]


def test_nothing_is_summed_up_while_it_fits_or_nobody_wants_it() -> None:
    assert overflow.to_sum_up(context(turns_of(4))) == ()
    long = turns_of(20)
    assert overflow.to_sum_up(context(long, budget=None)) == ()
    assert overflow.to_sum_up(context(long, how=None)) == ()
    assert overflow.to_sum_up(context(long, how=ContextOverflow.TRUNCATE)) == ()


def test_so_many_of_the_oldest_turns_go_that_half_of_the_room_is_free() -> None:
    entries = turns_of(6)
    covered = overflow.to_sum_up(context(entries))
    # twelve entries of 100 tokens, marks included; the summary may have a quarter, 245: of a room of 981 half is left
    assert [each.id for each in covered] == [each.id for each in entries[:10]]


def test_the_newest_turn_stays_however_long_it_is() -> None:
    newest = [entry(Speaker.USER, count=5_000), entry(Speaker.ASSISTANT)]
    assert overflow.to_sum_up(context(newest)) == ()
    older = turns_of(3)
    assert [e.id for e in overflow.to_sum_up(context([*older, *newest]))] == [e.id for e in older]


def test_a_summary_that_saves_nothing_is_not_asked_for() -> None:
    old = [entry(Speaker.SYSTEM, source=EntrySource.SUMMARIZER, count=200)]
    assert overflow.to_sum_up(context([*old, entry(Speaker.USER, count=5_000)])) == ()


def test_what_is_not_told_to_models_is_left_alone() -> None:
    inner = [entry(Speaker.SYSTEM, source=source) for source in (EntrySource.INTERNAL, EntrySource.META)]
    covered = overflow.to_sum_up(context([*inner, *turns_of(8)]))
    assert covered
    assert not {each.id for each in covered} & {each.id for each in inner}


_steps = st.lists(
    st.sampled_from(["user", "assistant", "call", "two calls", "result", "late result"]), max_size=40
)


@given(steps=_steps, budget=st.integers(1, 3_000))
def test_a_call_and_its_result_are_never_parted(steps: list[str], budget: int) -> None:
    entries: list[Entry] = []
    open_calls: list[str] = []
    for number, step in enumerate(steps):
        if step == "user":
            entries.append(entry(Speaker.USER))
        elif step == "assistant":
            entries.append(entry(Speaker.ASSISTANT))
        elif "call" in step:
            new = [f"c{number}.{n}" for n in range(2 if step == "two calls" else 1)]
            open_calls += new
            entries.append(calling(*new))
        elif open_calls:
            entries.append(result(open_calls.pop(0 if step == "result" else -1)))
    covered = {each.id for each in overflow.to_sum_up(context(entries, budget))}
    homes = {
        call["id"]: each.id for each in entries if each.tool_calls for call in json.loads(each.tool_calls)
    }
    for each in entries:
        if each.tool_call_id is not None:
            assert (each.id in covered) == (homes[each.tool_call_id] in covered)
    for waiting in open_calls:
        assert homes[waiting] not in covered


def test_long_histories_come_in_pieces_that_join_to_all_of_it() -> None:
    entries = [entry(Speaker.USER, text=f"{number} " + "x" * 2_500) for number in range(9)]
    asked = context(entries, budget=100)
    pieces = overflow.pieces(asked, tuple(entries))
    assert len(pieces) > 3
    assert max(map(len, pieces)) <= 6_000 + 8
    assert [f"user: {number} " in "".join(pieces) for number in range(9)] == [True] * 9


def test_one_message_that_is_too_long_is_cut_between_pieces() -> None:
    one = entry(Speaker.USER, text="y" * 20_000)
    pieces = overflow.pieces(context([one], budget=100), (one,))
    assert len(pieces) == 4
    assert sum(piece.count("y") for piece in pieces) == 20_000


def test_summaries_are_cut_to_their_room() -> None:
    asked = context([], budget=400)
    text = overflow.shortened(asked, "many different words " * 500, "gpt-4o")
    assert 60 < tokens.count(text, "gpt-4o") <= 100


def test_the_model_is_the_one_that_the_agent_speaks_by() -> None:
    assert overflow.model_of(context([])) == "gpt-4o"
    assert overflow.model_of(context([], settings=b'{"model":"other"}')) == "other"
    assert overflow.model_of(context([], settings=b'{"model":null}')) == "gpt-4o"
