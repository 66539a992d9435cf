"""Lists by metadata: the index finds what a look at each object finds, in total order, page by page."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from stenograph.errors import Invalid
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.agents import User, UserPatch
from stenograph.model.ids import new_id
from stenograph.model.listing import (
    MAX_VALUES,
    ListQuery,
    ListSort,
    MetadataTest,
    holds,
    label,
    labels,
)
from stenograph.model.listing import (
    test_of_text as of_text,
)
from stenograph.model.listing import (
    tests_of_object as of_object,
)
from stenograph.store.api import MetaStore
from stenograph.store.meta import metadata_labels, tables
from stenograph.store.meta.database import open_meta

OTHER = UUID("00000000-0000-4000-8000-00000000000b")
MINE = DEFAULT_WORKSPACE

QUESTIONS: list[tuple[MetadataTest, ...]] = [
    (),
    (of_text("shared", "x"),),
    (of_text("n", "3"),),
    (of_text("n", "3.0"),),
    (of_text("even", "true"),),
    (of_text("even", "true"), of_text("third", "0")),
    (of_text("even", "true"), of_text("even", "false")),
    (of_text("list", "3"), of_text("list", "4")),
    (of_text("deep.er", "3"),),
    (of_text("gone", ""),),
    (of_text("nobody", "x"),),
    (MetadataTest("list", ("3", "4", "5")),),
    of_object({"even": True, "deep": {"er": 4}}),
]


def guests(count: int) -> list[User]:
    """Many of one time, so that the order falls to the ids."""
    chance = random.Random(5)
    return [
        User(
            id=uuid4(),
            workspace=MINE,
            created_at=n // 4,
            updated_at=chance.randrange(6),
            metadata=msgspec.json.encode(
                {
                    "shared": "x",
                    "n": n,
                    "even": n % 2 == 0,
                    "third": n % 3,
                    "list": [n, n + 1, n],
                    "deep": {"er": n},
                    "gone": None if n % 5 else "",
                }
            ),
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("few", [metadata_labels.FEW, 3], ids=["few", "many"])
def test_the_index_finds_what_a_look_at_each_finds(
    meta: Callable[..., None], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the bound at 3, lists by time of change are walked; else the owners of the label are sorted."""
    monkeypatch.setattr(metadata_labels, "FEW", few)

    async def work(store: MetaStore) -> None:
        made = guests(30)
        for each in made:
            await store.users.create(each)
            theirs = msgspec.structs.replace(each, workspace=OTHER)
            await store.users.create(theirs)
        for tests in QUESTIONS:
            for sort in ListSort:
                for descending in (True, False):
                    query = ListQuery(workspace=MINE, tests=tests, sort=sort, descending=descending)
                    chosen = [each for each in made if holds(tests, msgspec.json.decode(each.metadata))]
                    chosen.sort(key=lambda each: (getattr(each, sort.value), each.id), reverse=descending)
                    assert await store.users.find(query) == chosen, query
                    for offset in range(0, len(chosen) + 4, 4):
                        page = msgspec.structs.replace(query, offset=offset, limit=4)
                        assert await store.users.find(page) == chosen[offset : offset + 4], page
                    assert await store.users.find(msgspec.structs.replace(query, limit=0)) == []

    meta(work)


def test_the_index_follows_changes_and_deletions(tmp_path: Path) -> None:
    async def work() -> None:
        store = await open_meta(f"sqlite:///{tmp_path / 'meta.db'}")

        async def indexed() -> set[UUID]:
            rows = sa.select(tables.metadata_labels.c.label)
            return await store.engine.read(lambda connection: set(connection.execute(rows).scalars()))

        made = User(id=uuid4(), workspace=MINE, created_at=1, updated_at=1, metadata=b'{"a":1,"b":[1,2,1]}')
        await store.users.create(made)
        assert await indexed() == {
            label(MINE, "users", *pair) for pair in (("a", "1"), ("b", "1"), ("b", "2"))
        }
        await store.users.update(MINE, made.id, UserPatch(metadata=b'{"b":[2,3]}', merge=True), at=2)
        assert await indexed() == {
            label(MINE, "users", *pair) for pair in (("a", "1"), ("b", "2"), ("b", "3"))
        }
        await store.users.update(MINE, made.id, UserPatch(name="x"), at=3)
        assert len(await indexed()) == 3
        many = {"a": list(range(MAX_VALUES + 1))}
        with pytest.raises(Invalid, match="1001 values"):
            await store.users.update(MINE, made.id, UserPatch(metadata=msgspec.json.encode(many)), at=4)
        assert len(await indexed()) == 3
        await store.users.delete(MINE, made.id)
        assert await indexed() == set()
        await store.close()

    asyncio.run(work())


# -- the rules, without a store --------------------------------------------------------------------------

_names = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
_leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _names
)
_metadata = st.dictionaries(
    _names,
    st.recursive(
        _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3)
    ),
    max_size=4,
)


@given(_metadata)
def test_an_object_holds_itself_and_its_labels_do(metadata: dict[str, Any]) -> None:
    tests = of_object(metadata)
    assert holds(tests, metadata)
    known = labels(MINE, "users", msgspec.json.encode(metadata))
    assert {label(MINE, "users", test.path, value) for test in tests for value in test.values} == known
    assert not known & labels(OTHER, "users", msgspec.json.encode(metadata))
    assert not known & labels(MINE, "agents", msgspec.json.encode(metadata))


@given(_leaves)
def test_a_value_is_found_by_its_text(value: Any) -> None:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    assert holds((of_text("a.b", text),), {"a": {"b": value}})
    assert holds((of_text("a.b", text),), {"a.b": [value]})


@pytest.mark.parametrize(
    ("text", "value", "found"),
    [
        ("5", 5, True),
        ("5", "5", True),
        ("5", 5.0, True),
        ("5.0", 5, True),
        ("5.0", "5.0", True),
        ("5.0", "5", True),
        ("5e0", 5, True),
        ("05", 5, False),
        ("05", "05", True),
        ("+5", 5, False),
        ("1_0", 10, False),
        ("٥", 5, False),
        ("NaN", None, False),
        ("1e999", 1, False),
        ("true", True, True),
        ("true", "true", True),
        ("true", 1, False),
        ("1", True, False),
        ("True", True, False),
        ("null", None, True),
        ("", None, True),
        ("", "", True),
        ("", 0, False),
        ("0.1", 0.1, True),
        ("10000000000000000000000", 10**22, True),
        ("9" * 5000, 1, False),
    ],
)
def test_what_a_text_may_mean(text: str, value: Any, found: bool) -> None:
    assert holds((of_text("a", text),), {"a": value}) is found


def test_ids_sort_by_their_times() -> None:
    times = [1_700_000_000_000_000 + step for step in (0, 1, 2, 999, 1000, 1001, 10**6, 10**12)]
    ids = [new_id(at) for at in times]
    assert ids == sorted(ids)
    assert {each.version for each in ids} == {7}
    assert len({new_id(times[0]) for _ in range(1000)}) == 1000
