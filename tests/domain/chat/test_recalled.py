"""What a conversation looks for."""

from __future__ import annotations

from stenograph.domain.chat.messages import Message, said
from stenograph.domain.chat.recalled import sought
from stenograph.llm.embedding import LocalEmbedder
from stenograph.model.conversations import RecallOptions, Speaker
from tests.domain.recall.corpus import PASSAGES

TALK = (
    said(Speaker.USER, "first"),
    said(Speaker.SYSTEM, "not said by anybody"),
    said(Speaker.ASSISTANT, " second ", name="Ada"),
    said(Speaker.USER, "third"),
)


def test_the_newest_message_comes_first() -> None:
    found = sought(TALK, RecallOptions())
    assert found is not None
    assert found.meaning == "user: third\n\nAda: second\n\nuser: first"
    assert found.words == "third"


def test_as_many_messages_and_characters_as_the_options_say() -> None:
    found = sought(TALK, RecallOptions(num_search_messages=2, max_query_length=16))
    assert found is not None
    assert found.meaning == "user: third\n\nAda"
    long = sought(TALK, RecallOptions(max_query_length=3))
    assert long is not None
    assert long.words == "thi"


def test_nothing_is_looked_for_where_nobody_speaks() -> None:
    assert sought(TALK[1:2], RecallOptions()) is None
    assert sought((said(Speaker.USER, "  "),), RecallOptions()) is None


def test_an_answer_of_many_pieces_does_not_hide_the_question() -> None:
    embedder = LocalEmbedder(threads=1)
    passages = list(PASSAGES.values())
    vectors = embedder.embed_now([passage for passage, _, _ in passages])
    numbers = ", ".join(str(7 * number) for number in range(120))

    def looked_for(question: str) -> str:
        talk: list[Message] = [said(Speaker.ASSISTANT, numbers), said(Speaker.USER, question)]
        found = sought(talk, RecallOptions())
        assert found is not None
        return found.meaning

    questions = embedder.embed_now([looked_for(question) for _, question, _ in passages])
    ranks = (questions @ vectors.T).argsort(axis=1)[:, ::-1]
    first = sum(order[0] == place for place, order in enumerate(ranks.tolist()))
    assert first > 0.8 * len(passages), first
