"""Docs: texts that agents and users own, in the chunks by which they are searched and recalled."""

from __future__ import annotations

from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from stenograph.model.listing import MetadataTest
from stenograph.model.runs import Micros

CONFIDENCE_OFF: Final = -1.0


class OwnerKind(StrEnum):
    AGENT = "agent"
    USER = "user"


class Owner(msgspec.Struct, frozen=True, order=True):
    """Whose docs these are."""

    kind: OwnerKind
    id: UUID


class Doc(msgspec.Struct, frozen=True, kw_only=True):
    """A doc. `content` are its chunks in order; `metadata` the JSON object that the client gave.

    `vectors` are the chunks' vectors as little-endian float32, a None for each that has none of this `model` yet; ()
    where they were not asked for. The model read the `instruction` before each chunk.
    """

    workspace: UUID
    id: UUID
    owner: Owner
    title: str
    content: tuple[str, ...]
    created_at: Micros
    metadata: bytes = b"{}"
    instruction: str = ""
    model: str = ""
    vectors: tuple[bytes | None, ...] = ()


class DocQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of one owner's docs by time of creation, ties by id. Their metadata pass all of the tests."""

    workspace: UUID
    owner: Owner
    tests: tuple[MetadataTest, ...] = ()
    newest_first: bool = True
    limit: int | None = None
    offset: int = 0
    vectors: bool = False


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk as it is found. `number` is its own for as long as it exists, in the whole store; `model` made its
    `vector`, where it has one."""

    number: int
    doc_id: UUID
    owner: Owner
    title: str
    index: int
    content: str
    metadata: bytes = b"{}"
    instruction: str = ""
    model: str | None = None
    vector: bytes | None = None


class ChunkVector(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A chunk's vector alone, for searching: `vector` as little-endian float16."""

    number: int
    doc_id: UUID
    vector: bytes


class Shelf(msgspec.Struct, frozen=True):
    """The state of one owner's chunks: whoever has read them up to `newest` under the same `removals` lacks nothing.

    `newest` is the highest number of a chunk with a vector of this model; `removals` counts the times that chunks went
    away, or got their vectors after one with a higher number had.
    """

    newest: int
    removals: int


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for among the docs of `owners`: by words, by meaning, or by both.

    `text` looks for words, `vector` (of length 1) for meaning; `alpha` is the weight of meaning in both, from 0 to 1.
    Chunks whose cosine to the vector is below `confidence` do not count (None: all do). `mmr_strength` from 0 to 1
    trades nearness for variety. A doc's metadata have to pass all of the `tests`.
    `fuzziness` is how alike two words must be to pass for one, as a share of common trigrams; None: only forms of the
    same word do. `reach` is how many candidates each side gives, as a multiple of `limit`.
    """

    workspace: UUID
    owners: tuple[Owner, ...]
    text: str | None = None
    vector: tuple[float, ...] | None = None
    limit: int = 10
    alpha: float = 0.5
    confidence: float | None = None
    mmr_strength: float = 0.0
    tests: tuple[MetadataTest, ...] = ()
    fuzziness: float | None = None
    reach: int = 5


class Found(msgspec.Struct, frozen=True):
    """A chunk that was found. `distance`: the smaller, the better; what it measures depends on how was searched."""

    chunk: Chunk
    distance: float
