"""The engine's Native format: whatever is written comes back, through the real engine and in its real types."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stenograph.store.runs import native
from stenograph.store.runs.chdb import Chdb
from stenograph.store.runs.native import Reader
from tests.effort import tries

ENGINE_MB = 1024 * 1024 * 1024


class Tables:
    """Writes a column of a table of its own, and reads it."""

    def __init__(self, folder: Path) -> None:
        self.engine = Chdb(folder, readers=1, threads=2, memory=ENGINE_MB)
        self._names = itertools.count()

    def through(self, kind: str, sent_as: str, data: bytes, rows: int, block_rows: int = 65536) -> list[Any]:
        """The values of a column of type `kind` after `data`, encoded as `sent_as`, was inserted into it."""
        table = f"t{next(self._names)}"

        async def there_and_back() -> list[Any]:
            await self.engine.execute(
                f"CREATE TABLE {table} (n UInt64, x {kind}) ENGINE = MergeTree ORDER BY n "
                "SETTINGS allow_nullable_key = 1"
            )
            order = native.unsigned(range(rows))
            await self.engine.insert(
                table, native.block([("n", "UInt64", order), ("x", sent_as, data)], rows)
            )
            found = await self.engine.query(
                f"SELECT x FROM (SELECT n, x FROM {table} ORDER BY n) SETTINGS max_block_size = {block_rows}"
            )
            await self.engine.execute(f"DROP TABLE {table}")
            return found.get("x", [])

        return asyncio.run(there_and_back())

    def query(self, statement: str) -> dict[str, list[Any]]:
        return asyncio.run(self.engine.query(statement))


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    opened = Tables(tmp_path_factory.mktemp("native"))
    # Settings in a query are refused to readers; these tables are the test's own.
    opened.engine._connections.get().close()
    opened.engine._connections.put(opened.engine._connect(readonly=False))
    yield opened
    asyncio.run(opened.engine.close())


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
INT64 = st.integers(-(2**63), 2**63 - 1)
UINT64 = st.integers(0, 2**64 - 1)
TIMES = st.integers(-2_208_988_800_000_000, 10_413_791_999_999_999)
MONEY = st.integers(-(10**18) + 1, 10**18 - 1)
TIME = "DateTime64(6, 'UTC')"

Encode = Callable[[Sequence[Any]], bytes]


def optional(encode: Encode, blank: Any) -> Encode:
    return lambda values: native.nullable(values, encode, blank)


def listed(encode: Encode) -> Encode:
    return lambda values: native.arrays(values, encode)


def mapped(encode: Encode) -> Encode:
    return lambda values: native.maps(values, encode)


def raw(value: Any) -> Any:
    """As it is read: text is bytes, but for the keys of a map."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list):
        return [raw(one) for one in value]
    if isinstance(value, dict):
        return {key: raw(one) for key, one in value.items()}
    return value


# type in the table, type sent, encoder, values
COLUMNS: dict[str, tuple[str, str, Encode, st.SearchStrategy[Any]]] = {
    "text": ("String", "String", native.texts, TEXTS),
    "bytes": ("String", "String", native.blobs, st.binary(max_size=300)),
    "uuid": ("UUID", "UUID", native.uuids, st.uuids()),
    "int": ("Int64", "Int64", native.ints, INT64),
    "unsigned": ("UInt64", "UInt64", native.unsigned, UINT64),
    "float": ("Float64", "Float64", native.floats, st.floats(allow_nan=False)),
    "flag": ("UInt8", "UInt8", native.flags, st.booleans()),
    "time": (TIME, TIME, native.ints, TIMES),
    "money": ("Decimal(18, 12)", "Decimal(18, 12)", native.ints, MONEY),
    "word": ("LowCardinality(String)", "String", native.texts, TEXTS),
    "maybe text": (
        "Nullable(String)",
        "Nullable(String)",
        optional(native.texts, ""),
        st.none() | TEXTS,
    ),
    "maybe word": (
        "LowCardinality(Nullable(String))",
        "Nullable(String)",
        optional(native.texts, ""),
        st.none() | TEXTS,
    ),
    "maybe uuid": (
        "Nullable(UUID)",
        "Nullable(UUID)",
        optional(native.uuids, UUID(int=0)),
        st.none() | st.uuids(),
    ),
    "maybe time": (f"Nullable({TIME})", f"Nullable({TIME})", optional(native.ints, 0), st.none() | TIMES),
    "maybe money": (
        "Nullable(Decimal(18, 12))",
        "Nullable(Decimal(18, 12))",
        optional(native.ints, 0),
        st.none() | MONEY,
    ),
    "texts": ("Array(String)", "Array(String)", listed(native.texts), st.lists(TEXTS, max_size=4)),
    "words": (
        "Array(LowCardinality(String))",
        "Array(String)",
        listed(native.texts),
        st.lists(TEXTS, max_size=4),
    ),
    "maybe texts": (
        "Array(Nullable(String))",
        "Array(Nullable(String))",
        listed(optional(native.texts, "")),
        st.lists(st.none() | TEXTS, max_size=4),
    ),
    "lists of lists": (
        "Array(Array(Nullable(Int64)))",
        "Array(Array(Nullable(Int64)))",
        listed(listed(optional(native.ints, 0))),
        st.lists(st.lists(st.none() | INT64, max_size=3), max_size=3),
    ),
    "text by word": (
        "Map(LowCardinality(String), String)",
        "Map(String, String)",
        mapped(native.texts),
        st.dictionaries(TEXTS, TEXTS, max_size=4),
    ),
    "count by word": (
        "Map(LowCardinality(String), UInt64)",
        "Map(String, UInt64)",
        mapped(native.unsigned),
        st.dictionaries(TEXTS, UINT64, max_size=4),
    ),
    "money by word": (
        "Map(LowCardinality(String), Decimal(18, 12))",
        "Map(String, Decimal(18, 12))",
        mapped(native.ints),
        st.dictionaries(TEXTS, MONEY, max_size=4),
    ),
    "texts by text": (
        "Map(String, Array(String))",
        "Map(String, Array(String))",
        mapped(listed(native.texts)),
        st.dictionaries(TEXTS, st.lists(TEXTS, max_size=3), max_size=3),
    ),
}


@pytest.mark.parametrize("column", COLUMNS)
@settings(max_examples=tries(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_round_trip(tables: Tables, column: str, data: st.DataObject) -> None:
    kind, sent_as, encode, values = COLUMNS[column]
    wanted = data.draw(st.lists(values, max_size=20))
    block_rows = data.draw(st.sampled_from([1, 3, 65536]))
    assert tables.through(kind, sent_as, encode(wanted), len(wanted), block_rows) == raw(wanted)


@pytest.mark.parametrize("rows", [0, 1, 5000])
@pytest.mark.parametrize("column", ["word", "words", "text by word", "maybe word"])
def test_dictionaries_of_every_size(tables: Tables, column: str, rows: int) -> None:
    """More than 256 keys take wider indexes, and many blocks as many dictionaries."""
    kind, sent_as, encode, _ = COLUMNS[column]
    words = [f"w{number % 1500}" for number in range(rows)]
    shapes: dict[str, Callable[[int], Any]] = {
        "word": lambda at: words[at],
        "maybe word": lambda at: None if at % 7 == 0 else words[at],
        "words": lambda at: words[at : at + at % 3],
        "text by word": lambda at: {word: str(at) for word in words[at : at + at % 4]},
    }
    wanted = [shapes[column](at) for at in range(rows)]
    for block_rows in (65536, 1000, 7):
        assert tables.through(kind, sent_as, encode(wanted), rows, block_rows) == raw(wanted)


def test_a_dictionary_of_more_than_65536_words(tables: Tables) -> None:
    wanted = [str(number) for number in range(70_000)]
    assert tables.through("LowCardinality(String)", "String", native.texts(wanted), len(wanted)) == raw(
        wanted
    )


@pytest.mark.parametrize("block_rows", [100, 65536])
def test_texts_of_every_length_with_nul(tables: Tables, block_rows: int) -> None:
    """Lengths around the steps of a varint, and past the table of short ones."""
    lengths = [*range(300), 16382, 16383, 16384, 16385, 20000]
    wanted = [(b"\0\xff\n\\'" * (length // 5 + 1))[:length] for length in lengths]
    assert tables.through("String", "String", native.blobs(wanted), len(wanted), block_rows) == wanted


def test_a_large_text(tables: Tables) -> None:
    wanted = [b"x" * 3_000_000, b""]
    assert tables.through("String", "String", native.blobs(wanted), 2) == wanted


def test_lone_surrogates_become_question_marks(tables: Tables) -> None:
    assert tables.through("String", "String", native.texts(["a\ud800b"]), 1) == [b"a?b"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("tuple(1::UInt8, 'a', NULL::Nullable(Int16))", (1, b"a", None)),
        ("[(1::UInt16, ['x'::LowCardinality(String)]), (2::UInt16, [])]", [(1, [b"x"]), (2, [])]),
        ("toDecimal32('-1.5', 2)", -150),
        ("toDecimal128('12345678901234567890.5', 12)", 12345678901234567890_500000000000),
        ("toDecimal256('-1', 40)", -(10**40)),
        ("sum(toDecimal64(0.5, 12))", 500_000_000_000),
        ("toInt8(-1)", -1),
        ("toInt16(-2)", -2),
        ("toInt32(-3)", -3),
        ("toUInt32(4294967295)", 4294967295),
        ("toFloat32(0.5)", 0.5),
        ("toDateTime(86400, 'UTC')", 86400),
        ("true", 1),
        ("NULL", None),
        ("[]", []),
        ("map()", {}),
        ("map('a', map('b', [1::UInt8]))", {"a": {"b": [1]}}),
    ],
)
def test_types_that_only_answers_have(tables: Tables, expression: str, value: object) -> None:
    assert tables.query(f"SELECT {expression} AS x") == {"x": [value]}


def test_an_answer_without_rows(tables: Tables) -> None:
    found = tables.query("SELECT 1 AS x, 'a'::LowCardinality(String) AS y WHERE 0")
    assert not any(found.values())


def test_a_type_that_cannot_be_read_is_named() -> None:
    unknown = native.block([("x", "Point", b"")], 1)
    with pytest.raises(ValueError, match="Point"):
        Reader(b"".join(unknown)).columns()


def test_dollars_are_scaled() -> None:
    assert native.pico_to_decimal(1_500_000_000_000) == Decimal("1.5")
    assert native.pico_to_decimal(None) is None
