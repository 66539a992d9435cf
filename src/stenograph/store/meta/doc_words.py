"""The index of docs' words: SQLite's FTS5, ranked by BM25. PostgreSQL has none here yet.

It keeps no texts of its own: whoever takes a chunk out says what was in it. The owner is a word of its own in the
column `place`, so that the engine looks only through that owner's postings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from stenograph.errors import Unsupported
from stenograph.model.docs import Owner

CREATE: Final = (
    "CREATE VIRTUAL TABLE doc_words USING fts5("
    "place, title, content, content='', tokenize='porter unicode61 remove_diacritics 2')"
)
CREATE_VOCABULARY: Final = "CREATE VIRTUAL TABLE doc_vocabulary USING fts5vocab(doc_words, row)"

_WORD: Final = re.compile(r"\w+")
MOST_WORDS: Final = 64
"""Words of one query; what follows is not looked for."""

_RANK: Final = "bm25(doc_words, 0.0, 2.0, 1.0)"


def has_index(connection: sa.Connection) -> bool:
    return connection.dialect.name == "sqlite"


def add(
    connection: sa.Connection,
    workspace: UUID,
    owner: Owner,
    title: str,
    chunks: Sequence[tuple[int, str]],
) -> None:
    if has_index(connection) and chunks:
        connection.execute(
            sa.text(
                "INSERT INTO doc_words (rowid, place, title, content) VALUES (:number, :place, :title, :content)"
            ),
            [
                {"number": number, "place": _place(workspace, owner), "title": title, "content": content}
                for number, content in chunks
            ],
        )


def remove(
    connection: sa.Connection, workspace: UUID, owner: Owner, chunks: Sequence[tuple[int, str, str]]
) -> None:
    """Take (number, title, content) out again."""
    if has_index(connection) and chunks:
        connection.execute(
            sa.text(
                "INSERT INTO doc_words (doc_words, rowid, place, title, content) "
                "VALUES ('delete', :number, :place, :title, :content)"
            ),
            [
                {"number": number, "place": _place(workspace, owner), "title": title, "content": content}
                for number, title, content in chunks
            ],
        )


def search(
    connection: sa.Connection,
    workspace: UUID,
    owners: Iterable[Owner],
    query: str,
    within: sa.Select[tuple[int]] | None,
    limit: int,
) -> list[tuple[int, float]]:
    """See store.api.Docs.by_words. `within` are the numbers that count, all when None."""
    if not has_index(connection):
        raise Unsupported("Words are looked for on SQLite only, so far: search by vector, or use SQLite.")
    words = _WORD.findall(query)[:MOST_WORDS]
    places = " OR ".join(f'"{_place(workspace, owner)}"' for owner in owners)
    if not words or not places:
        return []
    asked = " OR ".join(f'"{word}"' for word in dict.fromkeys(words))
    table = sa.table("doc_words", sa.column("rowid"))
    rank: sa.ColumnElement[float] = sa.literal_column(_RANK, sa.Float())
    wanted = (
        sa.select(table.c.rowid, rank.label("rank"))
        .where(sa.text("doc_words MATCH :asked"))
        .order_by(rank, table.c.rowid)
        .limit(limit)
    )
    if within is not None:
        wanted = wanted.where(table.c.rowid.in_(within))
    rows = connection.execute(
        wanted, {"asked": f"place : ({places}) AND {{title content}} : ({asked})"}
    ).all()
    return [(number, -score) for number, score in rows]


def alike(connection: sa.Connection, word: str, limit: int) -> list[str]:
    """Indexed words that begin as this one does, and are about as long."""
    if not has_index(connection) or not word:
        return []
    found = connection.execute(
        sa.text(
            "SELECT term FROM doc_vocabulary WHERE term >= :first AND term < :after "
            "AND abs(length(term) - :length) <= 3 LIMIT :limit"
        ),
        {"first": word[0], "after": chr(ord(word[0]) + 1), "length": len(word), "limit": limit},
    )
    return list(found.scalars())


def _place(workspace: UUID, owner: Owner) -> str:
    """One word that no text has. It ends in a digit, which keeps the stemmer from it."""
    return f"{owner.kind[0]}{workspace.hex}{owner.id.hex}0"
