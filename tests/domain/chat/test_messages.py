"""Messages as models' servers want them: calls of tools with their results, names, contents."""

from __future__ import annotations

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.chat.messages import (
    Image,
    ImageUrl,
    Message,
    Text,
    for_model,
    of_entry,
    paired,
    said,
    to_entry,
    unanswerable,
)
from stenograph.llm.chat import ToolCall
from stenograph.model.conversations import Entry, EntrySource, Speaker

U, A, T = Speaker.USER, Speaker.ASSISTANT, Speaker.TOOL


def calls(*idents: str, text: str = "") -> Message:
    return said(A, text, tool_calls=tuple(ToolCall(ident, "f", "{}") for ident in idents))


def result(ident: str, text: str = "r") -> Message:
    return said(T, text, tool_call_id=ident)


def shape(messages: list[Message]) -> list[str]:
    return [
        f"{each.role.value[0]}:{','.join(call.id for call in each.tool_calls) or each.tool_call_id or each.text}"
        for each in messages
    ]


def test_results_stand_behind_their_calls() -> None:
    found = paired([said(U, "1"), calls("a", "b"), said(U, "2"), result("b"), result("a")])
    assert shape(found) == ["u:1", "a:a,b", "t:a", "t:b", "u:2"]


def test_what_has_no_other_half_is_left_out() -> None:
    assert shape(paired([result("x"), calls("a"), said(U, "1")])) == ["u:1"]
    assert shape(paired([calls("a", text="hm"), said(U, "1")])) == ["a:hm", "u:1"]
    assert shape(paired([calls("a", "b"), result("b")])) == ["a:b", "t:b"]


def test_a_result_answers_the_last_call_of_its_id() -> None:
    found = paired([calls("a"), result("a", "old"), calls("a"), result("a", "new"), result("a", "more")])
    assert [each.text for each in found] == ["", "old", "", "new"]


def test_results_that_answer_nothing_are_found() -> None:
    assert unanswerable([calls("a"), said(U, "x"), result("a")], 1) is None
    assert unanswerable([calls("a"), said(U, "x"), result("b")], 1) == 1
    assert unanswerable([result("b"), said(U, "x")], 1) is None, "what was said before is not judged"


IDENTS = st.lists(st.sampled_from("abc"), unique=True)
MESSAGES = st.lists(
    st.one_of(
        st.builds(lambda text: said(U, text), st.text("xyz", min_size=1)),
        st.builds(lambda ids, text: calls(*ids, text=text), IDENTS, st.text("k", max_size=2)),
        st.builds(result, st.sampled_from("abc")),
    )
)


@given(MESSAGES)
def test_every_call_has_its_result_and_nothing_said_is_lost(messages: list[Message]) -> None:
    found = paired(messages)
    waiting: list[str] = []
    for message in found:
        if message.role is T:
            assert message.tool_call_id == waiting.pop(0)
        else:
            assert waiting == []
            waiting = [call.id for call in message.tool_calls]
    assert waiting == []
    assert [each.text for each in found if each.role is not T and each.text] == [
        each.text for each in messages if each.role is not T and each.text
    ]
    assert paired(found) == found


def test_an_entry_is_the_message_that_it_was() -> None:
    whole = Message(
        role=A,
        content=(Text("x"), Image(ImageUrl("https://x/y.png", "low"))),
        name="Ada",
        tool_calls=(ToolCall("a", "f", '{"b":1}'),),
        source=EntrySource.TOOL_REQUEST,
    )
    entry = to_entry(whole, uuid4(), 5, "gpt-4o")
    back = of_entry(entry)
    assert (back.content, back.tool_calls, back.name, back.source) == (
        whole.content, whole.tool_calls, "Ada", EntrySource.TOOL_REQUEST,
    )  # fmt: skip
    assert (entry.model, entry.tokenizer, back.weight("gpt-4o")) == (
        "gpt-4o",
        "o200k_base",
        whole.weight("gpt-4o"),
    )


def test_entries_of_other_makers_are_told_as_far_as_they_are_text() -> None:
    odd = Entry(
        id=uuid4(),
        role=Speaker.SYSTEM,
        source=EntrySource.SUMMARIZER,
        content=b'[{"type":"text","text":"so far"},{"type":"video"},7]',
        created_at=1,
        timestamp=1,
        token_count=2,
        tokenizer="o200k_base",
    )
    found = of_entry(odd)
    assert (found.text, found.stays) == ("so far", True)


def test_names_are_such_as_servers_take() -> None:
    named = for_model([said(U, "x", name="Bob <the\nbuilder>/" + "y" * 80)])
    assert named[0]["name"] == ("Bob_the_builder_" + "y" * 80)[:64]
    assert for_model([said(T, "x", name="f", tool_call_id="a")]) == [
        {"role": "tool", "content": "x", "tool_call_id": "a"}
    ]
