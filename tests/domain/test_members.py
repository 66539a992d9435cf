"""People: links, joining, what their keys reach, removal; on the embedded store, with clocks that are set."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest

from stenograph.domain.access import KEY_TTL, PROLONGED_EVERY, SEEN_EVERY, Access
from stenograph.domain.feedback.own import is_own
from stenograph.domain.members import MAX_AT_ONCE, NO_LINK, Draft, Members
from stenograph.domain.page import SIGNED_IN_SECONDS
from stenograph.domain.people import name_of, names
from stenograph.errors import Conflict, Forbidden, Invalid, NotFound, StoreUnavailable, Unauthenticated
from stenograph.model.access import DEFAULT_WORKSPACE, Caller, Role, capped
from stenograph.model.feedback import APP, Feedback
from stenograph.model.members import LINK_LIFE, Member, MemberPatch
from stenograph.store.meta.database import Database, open_meta
from tests.metadata import new_metadata

OPERATOR = Caller(DEFAULT_WORKSPACE, Role.ADMIN)


class House:
    """A store with the services over it, at times that tests set: microseconds, and the cache's seconds."""

    def __init__(self, store: Database, *, is_open: bool = False) -> None:
        self.now, self.seconds, self.store = 1_000, 0.0, store
        self.access = Access(store, is_open=is_open, clock=lambda: self.seconds, now=lambda: self.now)
        self.members = Members(store, self.access, now=lambda: self.now)

    async def joined(
        self, name: str = "Ann", role: Role = Role.WRITE, by: Caller = OPERATOR
    ) -> tuple[Member, str]:
        """A member and the key of their browser."""
        invited = await self.members.invite(by, Draft(role, name))
        return invited.member, (await self.members.join(invited.token)).secret

    async def caller(self, secret: str) -> Caller:
        return await self.access.authenticate(secret)


Work = Callable[[House], Awaitable[None]]


@pytest.fixture
def house(tmp_path: Path) -> Callable[..., None]:
    async def session(work: Work, is_open: bool) -> None:
        store = await open_meta(new_metadata(tmp_path / "meta.db"))
        try:
            await work(House(store, is_open=is_open))
        finally:
            await store.close()

    return lambda work, is_open=False: asyncio.run(session(work, is_open))


def test_a_role_is_capped_by_another() -> None:
    assert capped(Role.ADMIN, Role.WRITE) is Role.WRITE
    assert capped(Role.WRITE, Role.ADMIN) is Role.WRITE
    assert capped(Role.INGEST, Role.WRITE) is Role.INGEST
    assert capped(Role.READ, Role.READ) is Role.READ
    assert capped(Role.INGEST, Role.READ) is None


def test_whoever_is_invited_joins_once_and_is_a_person(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        invited = await on.members.invite(OPERATOR, Draft(Role.WRITE, "Ann", "ann@x.org"))
        assert len(invited.token) == 64
        assert invited.member.link_until == 1_000 + LINK_LIFE
        for _ in range(3):  # whoever previews a link uses nothing up
            looked = await on.members.look(invited.token)
            assert (looked.member, looked.workspace) == (invited.member, "Default")
        on.now = 2_000
        issued = await on.members.join(invited.token)
        assert issued.key.expires_at == 2_000 + SIGNED_IN_SECONDS * 1_000_000
        who = await on.caller(issued.secret)
        assert who == Caller(DEFAULT_WORKSPACE, Role.WRITE, issued.key.id, invited.member.id)
        assert who.person == invited.member.id
        assert await name_of(on.store, who) == "Ann"
        (ann,) = await on.members.all(who)
        assert (ann.joined_at, ann.seen_at, ann.link_until) == (2_000, 2_000, None)
        for call in (on.members.look(invited.token), on.members.join(invited.token)):
            with pytest.raises(NotFound) as refusal:
                await call
            assert refusal.value.message == NO_LINK

    house(work)


def test_every_link_that_lets_nobody_in_says_the_same(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        links = [await on.members.invite(OPERATOR, Draft(Role.READ, name)) for name in "abc"]
        old, withdrawn, removed = links
        again = await on.members.link(OPERATOR, old.member.id)
        await on.members.withdraw(OPERATOR, withdrawn.member.id)
        await on.members.remove(OPERATOR, removed.member.id)
        assert (await on.members.look(again.token)).member.id == old.member.id
        on.now += LINK_LIFE - 1
        assert (await on.members.look(again.token)).member.id == old.member.id
        on.now += 1
        for token in (*(each.token for each in links), again.token, "", "x" * 64, "half \ud800", "nul \0"):
            for call in (on.members.look(token), on.members.join(token)):
                with pytest.raises(NotFound) as refusal:
                    await call
                assert refusal.value.message == NO_LINK
        assert await on.access.list_keys(OPERATOR) == []

    house(work)


def test_two_browsers_with_one_link_are_one(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        invited = await on.members.invite(OPERATOR, Draft(Role.READ, "Ann"))
        answers = await asyncio.gather(
            *(on.members.join(invited.token) for _ in range(4)), return_exceptions=True
        )
        assert sorted(type(answer).__name__ for answer in answers) == ["IssuedKey", *["NotFound"] * 3]

    house(work)


def test_a_person_is_one_by_whichever_key(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        member, first = await on.joined()
        on.now += SIGNED_IN_SECONDS * 1_000_000
        with pytest.raises(Unauthenticated, match="sign-in has expired"):
            await on.caller(first)
        second = (await on.members.join((await on.members.link(OPERATOR, member.id)).token)).secret
        who = await on.caller(second)
        programs = (await on.access.create_key(who, "notebook", Role.INGEST, own=True)).secret
        seen_by = [(await on.caller(secret)).person for secret in (second, programs)]
        assert seen_by == [member.id, member.id]
        service = await on.access.create_key(OPERATOR, "ci", Role.WRITE)
        assert (await on.caller(service.secret)).person == service.key.id
        assert OPERATOR.person is None
        found = await names(on.store, DEFAULT_WORKSPACE)
        assert found == {member.id: "Ann", service.key.id: "ci"}

    house(work)


def test_feedback_is_the_members_own_by_any_of_their_keys() -> None:
    member, key = uuid4(), uuid4()

    def given(by: object) -> Feedback:
        source = f'{{"type": "app", "user_id": "{by}"}}'.encode()
        return Feedback(
            workspace=DEFAULT_WORKSPACE, id=uuid4(), key="k", created_at=1, modified_at=1, source_type=APP,
            source=source,
        )  # fmt: skip

    for with_key in (key, uuid4()):
        who = Caller(DEFAULT_WORKSPACE, Role.WRITE, with_key, member)
        assert is_own(who, given(member))
        assert not is_own(who, given(with_key))
    assert is_own(Caller(DEFAULT_WORKSPACE, Role.WRITE, key), given(key))
    assert not is_own(Caller(DEFAULT_WORKSPACE, Role.WRITE, key), given(member))


def test_a_role_changes_all_keys_of_a_member_at_once(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        member, browser = await on.joined(role=Role.WRITE)
        who = await on.caller(browser)
        made = {
            role: (await on.access.create_key(who, role, role, own=True)).secret
            for role in (Role.INGEST, Role.READ, Role.WRITE)
        }
        for role, secret in made.items():
            assert (await on.caller(secret)).role is role
        await on.members.change(OPERATOR, member.id, MemberPatch(role=Role.READ))
        assert (await on.caller(browser)).role is Role.READ
        assert (await on.caller(made[Role.WRITE])).role is Role.READ
        assert (await on.caller(made[Role.READ])).role is Role.READ
        with pytest.raises(Forbidden, match="'ingest', which its member may not"):
            await on.caller(made[Role.INGEST])
        await on.members.change(OPERATOR, member.id, MemberPatch(role=Role.ADMIN))
        assert (await on.caller(browser)).role is Role.ADMIN
        assert (await on.caller(made[Role.WRITE])).role is Role.WRITE

    house(work)


def test_another_process_learns_of_it_within_the_life_of_the_cache(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        member, browser = await on.joined(role=Role.ADMIN)
        here = House(on.store)
        assert (await here.caller(browser)).role is Role.ADMIN
        await on.members.change(OPERATOR, member.id, MemberPatch(role=Role.READ))
        assert (await here.caller(browser)).role is Role.ADMIN
        here.seconds += KEY_TTL
        assert (await here.caller(browser)).role is Role.READ
        await on.members.remove(OPERATOR, member.id)
        here.seconds += KEY_TTL
        with pytest.raises(Unauthenticated):
            await here.caller(browser)

    house(work)


def test_whoever_is_removed_is_out_at_once_and_keeps_their_name(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        member, browser = await on.joined()
        who = await on.caller(browser)
        program = (await on.access.create_key(who, "notebook", Role.READ, own=True)).secret
        await on.caller(program)
        await on.members.remove(OPERATOR, member.id)
        with pytest.raises(Unauthenticated, match="sign-in has ended"):
            await on.caller(browser)
        with pytest.raises(Unauthenticated, match="revoked"):
            await on.caller(program)
        assert await on.members.all(OPERATOR) == []
        assert (await names(on.store, DEFAULT_WORKSPACE))[member.id] == "Ann"
        for change in (
            on.members.remove(OPERATOR, member.id),
            on.members.link(OPERATOR, member.id),
            on.members.withdraw(OPERATOR, member.id),
            on.members.change(OPERATOR, member.id, MemberPatch(name="x")),
            on.access.create_key(who, "late", Role.READ, own=True),
        ):
            with pytest.raises(NotFound):
                await change

    house(work)


def test_members_have_keys_of_their_own_and_see_no_others(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        _, browser = await on.joined(role=Role.READ)
        bob, bobs = await on.joined("Bob", Role.WRITE)
        ann, admin = await on.caller(browser), await on.caller(bobs)
        service = await on.access.create_key(OPERATOR, "ci", Role.WRITE)
        own = await on.access.create_key(ann, "mine", Role.READ, own=True)
        for role in (Role.INGEST, Role.WRITE, Role.ADMIN):
            with pytest.raises(Forbidden, match="no more than you"):
                await on.access.create_key(ann, "more", role, own=True)
        with pytest.raises(Forbidden):
            await on.access.create_key(ann, "nobody's", Role.READ)
        with pytest.raises(Forbidden, match="belongs to nobody"):
            await on.access.create_key(OPERATOR, "mine", Role.READ, own=True)
        assert {key.name for key in await on.access.list_keys(ann)} == {"sign-in", "mine"}
        assert len(await on.access.list_keys(OPERATOR)) == 4
        assert admin.key_id is not None
        for foreign in (service.key.id, admin.key_id, uuid4()):
            with pytest.raises(NotFound):
                await on.access.revoke_key(ann, foreign)
        assert (await on.access.revoke_key(ann, own.key.id)).revoked_at is not None
        await on.members.change(OPERATOR, bob.id, MemberPatch(role=Role.ADMIN))
        assert len(await on.access.list_keys(await on.caller(bobs))) == 4

    house(work)


def test_a_members_weak_key_makes_nothing_stronger_than_itself(house: Callable[..., None]) -> None:
    """A key that leaks from a program of an admin's reads, if that is what it was for."""

    async def work(on: House) -> None:
        member, browser = await on.joined(role=Role.ADMIN)
        strong = await on.caller(browser)
        weak = await on.caller((await on.access.create_key(strong, "notebook", Role.READ, own=True)).secret)
        assert weak.role is Role.READ
        with pytest.raises(Forbidden):
            await on.access.create_key(weak, "more", Role.WRITE, own=True)
        for change in (on.members.link(weak, member.id), on.members.withdraw(weak, member.id)):
            with pytest.raises(Forbidden, match="less than you"):
                await change
        assert (await on.members.link(strong, member.id)).token

    house(work)


def test_members_make_links_for_themselves_and_admins_for_all(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        ann, browser = await on.joined(role=Role.READ)
        bob, _ = await on.joined("Bob")
        who = await on.caller(browser)
        phone = await on.members.join((await on.members.link(who, ann.id)).token)
        assert (await on.caller(phone.secret)).person == ann.id
        assert (await on.caller(browser)).person == ann.id
        for change in (
            on.members.link(who, bob.id),
            on.members.link(who, uuid4()),
            on.members.withdraw(who, bob.id),
            on.members.invite(who, Draft(Role.READ, "Eve")),
            on.members.add(who, [Draft(Role.READ, "Eve")]),
            on.members.readmit(who, uuid4(), Role.READ),
            on.members.change(who, ann.id, MemberPatch(role=Role.ADMIN)),
            on.members.remove(who, ann.id),
        ):
            with pytest.raises(Forbidden):
                await change
        with pytest.raises(Forbidden):
            await on.members.all(Caller(DEFAULT_WORKSPACE, Role.INGEST))

    house(work)


def test_the_last_admin_stays_unless_somebody_else_could_let_people_in(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        ann, browser = await on.joined(role=Role.ADMIN)
        who = await on.caller(browser)
        down = MemberPatch(role=Role.READ)
        await on.members.invite(who, Draft(Role.ADMIN, "Not here yet"))
        for change in (on.members.change(who, ann.id, down), on.members.remove(who, ann.id)):
            with pytest.raises(Conflict, match="make somebody else one first"):
                await change
        assert (await on.caller(browser)).role is Role.ADMIN
        key = await on.access.create_key(OPERATOR, "spare", Role.ADMIN)
        await on.members.change(who, ann.id, down)
        await on.members.change(OPERATOR, ann.id, MemberPatch(role=Role.ADMIN))
        await on.access.revoke_key(OPERATOR, key.key.id)
        await on.joined("Bob", Role.ADMIN)
        await on.members.remove(who, ann.id)
        with pytest.raises(Unauthenticated):
            await on.caller(browser)

    house(work)


def test_the_command_line_and_the_operator_may_remove_the_last_admin(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        ann, _ = await on.joined(role=Role.ADMIN)
        await on.members.remove(OPERATOR, ann.id)
        team = await on.access.create_workspace(OPERATOR, "Team")
        bob = (await on.members.invite(OPERATOR, Draft(Role.ADMIN, "Bob"), team.id)).member
        secret = (await on.members.join((await on.members.link(OPERATOR, bob.id, team.id)).token)).secret
        at_team = await on.caller(secret)
        assert at_team.workspace == team.id
        with pytest.raises(Conflict):
            await on.members.remove(at_team, bob.id)
        operator = await on.caller((await on.access.create_key(OPERATOR, "op", Role.ADMIN)).secret)
        assert [each.name for each in await on.members.all(operator, team.id)] == ["Bob"]
        with pytest.raises(NotFound):
            await on.members.all(at_team, DEFAULT_WORKSPACE)
        with pytest.raises(NotFound):
            await on.members.invite(at_team, Draft(Role.READ, "Eve"), DEFAULT_WORKSPACE)
        await on.members.remove(operator, bob.id, team.id)

    house(work)


def test_what_is_wrong_with_a_member_is_named(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        addresses = ("ann", "a@", "@b", "a b@c", "a@b\0", "a@" + "b" * 320)
        wrong = [
            (Draft(Role.INGEST, "Ann"), "role"),
            (Draft(Role.READ, ""), "name"),
            (Draft(Role.READ, "a\0b"), "name"),
            (Draft(Role.READ, "half \ud800"), "name"),
            (Draft(Role.READ, "n" * 201), "name"),
            *((Draft(Role.READ, "Ann", email), "email") for email in addresses),
        ]
        for draft, field in wrong:
            with pytest.raises(Invalid) as refusal:
                await on.members.invite(OPERATOR, draft)
            assert refusal.value.where == ("body", field), draft
            with pytest.raises(Invalid) as refusal:
                await on.members.add(OPERATOR, [Draft(Role.READ, "fine"), draft])
            assert refusal.value.where == ("body", 1, field), draft
        with pytest.raises(Invalid):
            await on.members.add(OPERATOR, [Draft(Role.READ, "x")] * (MAX_AT_ONCE + 1))
        ann = (await on.members.invite(OPERATOR, Draft(Role.READ, "Ann"))).member
        for patch in (MemberPatch(role=Role.INGEST), MemberPatch(name=""), MemberPatch(email="x")):
            with pytest.raises(Invalid):
                await on.members.change(OPERATOR, ann.id, patch)
        assert await on.members.all(OPERATOR) == [ann]

    house(work)


def test_who_invited_is_told_by_name(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        _, browser = await on.joined("Ann", Role.ADMIN)
        bob = await on.members.invite(await on.caller(browser), Draft(Role.READ, email="bob@x.org"))
        assert (bob.member.invited_by, bob.member.name) == ("Ann", "bob@x.org")
        key = await on.caller((await on.access.create_key(OPERATOR, "the lead", Role.ADMIN)).secret)
        assert (await on.members.invite(key, Draft(Role.READ, "Cid"))).member.invited_by == "the lead"
        assert (await on.members.invite(OPERATOR, Draft(Role.READ, "Dan"))).member.invited_by is None

    house(work)


def test_last_seen_is_noted_now_and_then_and_fails_nobody(
    house: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(on: House) -> None:
        member, browser = await on.joined()
        noted: list[int] = []
        seen = on.store.members.seen

        async def counted(member_id: object, at: int) -> None:
            noted.append(at)
            await seen(member.id, at)

        monkeypatch.setattr(on.store.members, "seen", counted)
        began = on.now
        for on.now in range(began, began + SEEN_EVERY, SEEN_EVERY // 20):
            on.seconds += KEY_TTL
            await on.caller(browser)
        assert noted == []
        on.now = began + SEEN_EVERY
        for _ in range(5):
            on.seconds += KEY_TTL
            await on.caller(browser)
        assert noted == [on.now]
        assert (await on.members.all(OPERATOR))[0].seen_at == on.now

        async def broken(member_id: object, at: int) -> None:
            raise StoreUnavailable

        monkeypatch.setattr(on.store.members, "seen", broken)
        on.now += SEEN_EVERY
        on.seconds += KEY_TTL
        assert (await on.caller(browser)).person == member.id

    house(work)


def test_a_sign_in_lasts_while_it_is_used_and_ends_with_signing_out(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        _, browser = await on.joined()
        service = (await on.access.create_key(OPERATOR, "ci", Role.READ, expires_at=10**15)).secret
        life = SIGNED_IN_SECONDS * 1_000_000
        assert not await on.access.prolong(browser)
        for _ in range(3):
            on.now += life - PROLONGED_EVERY
            assert await on.access.prolong(browser)
            assert not await on.access.prolong(browser)
        await on.caller(browser)
        for other in (service, "unknown"):
            assert not await on.access.prolong(other)
            await on.access.end_sign_in(other)
        await on.caller(service)
        await on.access.end_sign_in(browser)
        assert not await on.access.prolong(browser)
        with pytest.raises(Unauthenticated, match="sign-in has ended"):
            await on.caller(browser)

    house(work)


def test_an_open_server_keeps_links_for_later(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        invited = await on.members.invite(OPERATOR, Draft(Role.READ, "Ann"))
        with pytest.raises(Conflict, match="open"):
            await on.members.join(invited.token)
        assert (await on.members.look(invited.token)).member.name == "Ann"
        closed = House(on.store)
        assert (await closed.members.join(invited.token)).secret

    house(work, is_open=True)


def test_whoever_can_be_let_in_opens_a_closed_server(house: Callable[..., None]) -> None:
    async def work(on: House) -> None:
        assert not await on.access.has_keys()
        invited = await on.members.invite(OPERATOR, Draft(Role.ADMIN, "Ann"))
        assert await on.access.has_keys()
        await on.members.remove(OPERATOR, invited.member.id)
        assert not await on.access.has_keys()

    house(work)
