"""What `store.api.Members` promises, for every engine of the metadata store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.errors import Conflict, Invalid, NotFound
from stenograph.model.access import DEFAULT_WORKSPACE, ApiKey, Holder, KeyKind, Role
from stenograph.model.members import Link, Member, MemberPatch
from stenograph.store.api import MetaStore

MINE = DEFAULT_WORKSPACE
OTHER = UUID("00000000-0000-4000-8000-00000000000b")


def person(name: str = "Ann", workspace: UUID = MINE, at: int = 1, **more: Any) -> Member:
    known: dict[str, Any] = {"id": uuid4(), "workspace": workspace, "name": name, "role": Role.WRITE}
    return Member(**{**known, "created_at": at, **more})


def key_of(member: Member, at: int = 5, **more: Any) -> ApiKey:
    known: dict[str, Any] = {"id": uuid4(), "workspace": member.workspace, "name": "k", "role": Role.ADMIN}
    holder = Holder(member.id, member.name, member.role, member.seen_at)
    return ApiKey(**{**known, "hint": "abcd", "created_at": at, "holder": holder, **more})


async def joined(store: MetaStore, member: Member, token: str = "t", at: int = 5) -> Member:
    await store.members.create([(member, Link(token, 100))])
    found = await store.members.join(token, key_of(member, at), f"key of {member.id}")
    assert found is not None
    return found


def test_members_come_oldest_first_with_all_that_is_kept(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        assert not await store.members.any()
        full = person("Zoë", at=2, email="Zoe@Example.org", role=Role.ADMIN, invited_by="Ann", seen_at=3)
        bare, foreign = person(at=1), person("Eve", OTHER, email="zoe@example.org")
        await store.members.create([(full, Link("h1", 9)), (bare, None), (foreign, None)])
        linked = msgspec.structs.replace(full, link_until=9)
        assert await store.members.all(MINE) == [bare, linked]
        assert await store.members.all(OTHER) == [foreign]
        assert await store.members.read(MINE, full.id) == linked
        assert await store.members.read(OTHER, full.id) is None
        assert await store.members.invited("h1") == linked
        assert await store.members.invited("h2") is None
        assert await store.members.any()
        with pytest.raises(Invalid):
            await store.members.create([(person("nul \0"), None)])

    meta(work)


def test_an_address_is_one_members_whatever_its_case_until_they_are_removed(
    meta: Callable[..., None],
) -> None:
    async def work(store: MetaStore) -> None:
        ann, bob = person(email="ann@x.org"), person("Bob", email="bob@x.org", at=2)
        await store.members.create([(ann, None), (bob, None)])
        with pytest.raises(Conflict, match=r"ANN@X\.org"):
            await store.members.create([(person("Cid", at=3), None), (person("A", email="ANN@X.org"), None)])
        assert [each.name for each in await store.members.all(MINE)] == ["Ann", "Bob"]
        with pytest.raises(Conflict, match=r"Bob@x\.org"):
            await store.members.update(MINE, ann.id, MemberPatch(email="Bob@x.org"), None)
        changed = await store.members.update(MINE, ann.id, MemberPatch(email="ANN@x.org"), None)
        assert changed is not None
        assert changed.email == "ANN@x.org"
        await store.members.remove(MINE, ann.id, 5, None)
        await store.members.create([(person("New", email="ann@x.org", at=9), None)])
        with pytest.raises(Conflict):
            await store.members.readmit(MINE, ann.id, Role.READ, 10)
        gone = await store.members.read(MINE, ann.id)
        assert gone is not None
        assert (gone.removed_at, gone.email, gone.name) == (5, "ANN@x.org", "Ann")
        without = await store.members.update(MINE, bob.id, MemberPatch(email=""), None)
        assert without is not None
        assert without.email is None

    meta(work)


def test_a_link_lets_one_in_once(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        ann = person()
        await store.members.create([(ann, Link("t", 10))])
        keys = [key_of(ann, 9) for _ in range(5)]
        answers = await asyncio.gather(
            *(store.members.join("t", key, f"h{index}") for index, key in enumerate(keys))
        )
        (won,) = [index for index, answer in enumerate(answers) if answer is not None]
        assert [key.id for key in await store.keys.all(MINE)] == [keys[won].id]
        found = await store.members.read(MINE, ann.id)
        assert answers[won] == found == msgspec.structs.replace(ann, joined_at=9, seen_at=9)
        assert await store.members.invited("t") is None

    meta(work)


def test_a_link_ends_by_time_by_another_and_by_none(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        ann, other = person(), person("Bob")
        await store.members.create([(ann, Link("t1", 10)), (other, Link("t0", 99))])
        assert await store.members.join("t1", key_of(ann, 10), "late") is None
        assert await store.members.join("t1", key_of(other, 5), "for somebody else") is None
        assert await store.members.join("t1", key_of(ann, 5, holder=None), "for nobody") is None
        assert await store.keys.all(MINE) == []
        assert await store.members.relink(OTHER, ann.id, Link("t2", 20)) is None
        again = await store.members.relink(MINE, ann.id, Link("t2", 20))
        assert again is not None
        assert again.link_until == 20
        assert await store.members.invited("t1") is None
        assert await store.members.join("t1", key_of(ann, 5), "former") is None
        withdrawn = await store.members.relink(MINE, ann.id, None)
        assert withdrawn == ann
        assert await store.members.join("t2", key_of(ann, 5), "withdrawn") is None

    meta(work)


def test_a_second_link_leaves_the_time_of_joining(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        ann = await joined(store, person(), at=5)
        await store.members.relink(MINE, ann.id, Link("again", 50))
        back = await store.members.join("again", key_of(ann, 30), "h2")
        assert back is not None
        assert (back.joined_at, back.seen_at, back.link_until) == (5, 30, None)
        assert len(await store.keys.all(MINE)) == 2

    meta(work)


def test_keys_come_with_their_holder_as_they_are_now(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        ann = await joined(store, person(), at=5)
        (key,) = await store.keys.all(MINE)
        assert key == key_of(ann, 5, id=key.id)
        await store.members.update(MINE, ann.id, MemberPatch(role=Role.READ, name="Anna"), None)
        await store.members.seen(ann.id, 8)
        await store.members.seen(ann.id, 7)
        found = await store.keys.find(f"key of {ann.id}")
        assert found is not None
        assert found.holder == Holder(ann.id, "Anna", Role.READ, 8)
        assert found.reach is Role.READ
        programs = key_of(ann, 6, kind=KeyKind.OWN, holder=None)
        await store.keys.create(programs, "nobody's")
        assert await store.keys.find("nobody's") == programs
        revoked = await store.keys.revoke(MINE, key.id, 9)
        assert revoked is not None
        assert (revoked.revoked_at, revoked.holder) == (9, found.holder)
        await store.keys.prolong(MINE, key.id, 99)
        await store.keys.prolong(OTHER, programs.id, 99)
        assert [each.expires_at for each in await store.keys.all(MINE)] == [None, None]
        await store.keys.prolong(MINE, programs.id, 99)
        assert [each.expires_at for each in await store.keys.all(MINE)] == [None, 99]

    meta(work)


def test_whoever_is_removed_is_gone_with_link_and_keys_and_stays_by_name(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        ann = await joined(store, person())
        programs = key_of(ann, 6, holder=None)
        await store.keys.create(programs, "nobody's")
        await store.members.relink(MINE, ann.id, Link("out", 90))
        assert await store.members.remove(OTHER, ann.id, 7, None) is None
        gone = await store.members.remove(MINE, ann.id, 7, None)
        assert gone is not None
        assert (gone.removed_at, gone.link_until, gone.name) == (7, None, "Ann")
        assert await store.members.invited("out") is None
        assert [key.revoked_at for key in await store.keys.all(MINE)] == [7, None]
        for change in (
            store.members.remove(MINE, ann.id, 8, None),
            store.members.update(MINE, ann.id, MemberPatch(name="x"), None),
            store.members.update(MINE, ann.id, MemberPatch(), None),
            store.members.relink(MINE, ann.id, Link("x", 9)),
        ):
            assert await change is None
        with pytest.raises(NotFound):
            await store.keys.create(key_of(ann, 9), "late")
        assert [each.id for each in await store.members.all(MINE)] == [ann.id]
        assert not await store.members.any()

    meta(work)


def test_whoever_was_removed_comes_back_as_the_same_person(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        ann = await joined(store, person(email="ann@x.org"))
        assert await store.members.readmit(MINE, ann.id, Role.READ, 8) is None
        await store.members.remove(MINE, ann.id, 7, None)
        assert await store.members.readmit(OTHER, ann.id, Role.READ, 8) is None
        back = await store.members.readmit(MINE, ann.id, Role.READ, 8)
        assert back is not None
        assert (back.id, back.role, back.joined_at, back.removed_at) == (ann.id, Role.READ, None, None)
        assert [key.revoked_at for key in await store.keys.all(MINE)] == [7]
        with pytest.raises(Conflict):
            await store.members.create([(person("Two", email="ann@x.org"), None)])

    meta(work)


def test_an_admin_is_left(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        ann = await joined(store, person(role=Role.ADMIN), "a")
        await store.members.create([(person("Invited", role=Role.ADMIN), Link("i", 99))])
        await joined(store, person("Writer"), "w")
        await joined(store, person("Elsewhere", OTHER, role=Role.ADMIN), "o")
        down = MemberPatch(role=Role.WRITE)
        with pytest.raises(Conflict, match="without an admin"):
            await store.members.update(MINE, ann.id, down, 50)
        with pytest.raises(Conflict, match="without an admin"):
            await store.members.remove(MINE, ann.id, 50, 50)
        assert await store.members.read(MINE, ann.id) == ann
        assert all(key.revoked_at is None for key in await store.keys.all(MINE))
        renamed = await store.members.update(MINE, ann.id, MemberPatch(name="Anna", role=Role.ADMIN), 50)
        assert renamed is not None
        ends = key_of(ann, 6, holder=None, role=Role.ADMIN, expires_at=50)
        await store.keys.create(ends, "ends")
        with pytest.raises(Conflict):
            await store.members.update(MINE, ann.id, down, 50)
        assert await store.members.update(MINE, ann.id, down, 49) is not None

    meta(work)


def test_of_two_admins_who_leave_at_once_one_stays(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        both = [await joined(store, person(name, role=Role.ADMIN), name) for name in ("Ann", "Bob")]
        answers = await asyncio.gather(
            *(store.members.remove(MINE, each.id, 9, 9) for each in both), return_exceptions=True
        )
        assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "Member"]

    meta(work)
