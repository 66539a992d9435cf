"""Where what was said stands in what a model is told."""

from __future__ import annotations

from uuid import UUID, uuid4

import msgspec

from stenograph.domain.chat.prompts import told
from stenograph.model.conversations import Conversation, Entry, EntrySource, History, Relation, Speaker

TALK = Conversation(id=uuid4(), workspace=uuid4(), created_at=1, updated_at=1, agents=(uuid4(),))


def entry(position: int, text: str, source: EntrySource = EntrySource.API_REQUEST) -> Entry:
    return Entry(
        id=UUID(int=position),
        role=Speaker.SYSTEM if source is EntrySource.SUMMARIZER else Speaker.USER,
        source=source,
        content=msgspec.json.encode([{"type": "text", "text": text}]),
        created_at=1,
        timestamp=1,
        token_count=1,
        tokenizer="o200k_base",
        position=position,
    )


def texts(history: History) -> list[str]:
    return [each.text for each in told(history)]


def relation(head: int, tail: int) -> Relation:
    return Relation(UUID(int=head), "summary_of", UUID(int=tail))


def test_a_summary_stands_where_what_it_sums_up_stood() -> None:
    said = tuple(entry(position, f"{position}") for position in range(1, 6))
    first = entry(6, "1 and 2", EntrySource.SUMMARIZER)
    history = History(TALK, (*said, first), (relation(1, 6), relation(2, 6)))
    assert texts(history) == ["1 and 2", "3", "4", "5"]
    after, second = entry(7, "7"), entry(8, "1 to 4", EntrySource.SUMMARIZER)
    relations = (*history.relations, relation(6, 8), relation(3, 8), relation(4, 8))
    assert texts(History(TALK, (*said, first, after, second), relations)) == ["1 to 4", "5", "7"]
    assert [each.stays for each in told(History(TALK, (*said, first), ()))] == [False] * 5 + [True]


def test_what_is_internal_is_not_told() -> None:
    entries = (entry(1, "1"), entry(2, "2", EntrySource.INTERNAL), entry(3, "3", EntrySource.META))
    assert texts(History(TALK, entries)) == ["1"]
