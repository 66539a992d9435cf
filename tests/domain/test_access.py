"""Keys, roles and workspaces, on the embedded store."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest

from stenograph.domain.access import KEY_TTL, MAX_CACHED_KEYS, Access, require
from stenograph.errors import Conflict, Forbidden, Invalid, NotFound, StoreUnavailable, Unauthenticated
from stenograph.model.access import DEFAULT_WORKSPACE, PERMISSIONS, Caller, KeyKind, Permission, Role
from stenograph.model.projects import ProjectQuery
from stenograph.store.meta.database import Database, open_meta
from tests.metadata import new_metadata

OPERATOR = Caller(DEFAULT_WORKSPACE, Role.ADMIN)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


Work = Callable[[Database], Awaitable[None]]


@pytest.fixture
def meta(tmp_path: Path) -> Callable[[Work], None]:
    async def session(work: Work) -> None:
        store = await open_meta(new_metadata(tmp_path / "meta.db"))
        try:
            await work(store)
        finally:
            await store.close()

    return lambda work: asyncio.run(session(work))


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.INGEST, {Permission.INGEST}),
        (Role.READ, {Permission.READ}),
        (Role.WRITE, {Permission.INGEST, Permission.READ, Permission.WRITE}),
        (Role.ADMIN, {Permission.INGEST, Permission.READ, Permission.WRITE, Permission.ADMIN}),
    ],
)
def test_what_a_role_reaches(role: Role, may: set[Permission]) -> None:
    caller = Caller(DEFAULT_WORKSPACE, role)
    for permission in Permission:
        if permission in may:
            require(caller, permission)
        else:
            with pytest.raises(Forbidden, match=role.value):
                require(caller, permission)


def test_every_role_has_its_permissions() -> None:
    assert set(PERMISSIONS) == set(Role)
    with pytest.raises(Forbidden, match="'ingest'; that needs 'read' or 'write' or 'admin'"):
        require(Caller(DEFAULT_WORKSPACE, Role.INGEST), Permission.READ)


def test_a_closed_server_wants_a_known_key(meta: Callable[[Work], None]) -> None:
    async def work(store: Database) -> None:
        access = Access(store, is_open=False)
        for key in (None, "", "sk_steno_wrong", "héé", "half \ud800"):
            with pytest.raises(Unauthenticated):
                await access.authenticate(key)
        assert not await access.has_keys()
        issued = await access.create_key(OPERATOR, "ci", Role.INGEST)
        assert await access.has_keys()
        caller = await access.authenticate(issued.secret)
        assert caller == Caller(DEFAULT_WORKSPACE, Role.INGEST, issued.key.id)
        with pytest.raises(Unauthenticated):
            await access.authenticate(issued.secret + "x")
        await access.revoke_key(OPERATOR, issued.key.id)
        with pytest.raises(Unauthenticated, match="revoked"):
            await access.authenticate(issued.secret)

    meta(work)


def test_an_open_server_takes_anybody_but_knows_its_keys(meta: Callable[[Work], None]) -> None:
    async def work(store: Database) -> None:
        access = Access(store, is_open=True)
        for key in (None, "", "lsv2_pt_whatever"):
            assert await access.authenticate(key) == OPERATOR
        team = await access.create_workspace(OPERATOR, "Team")
        issued = await access.create_key(OPERATOR, "ci", Role.READ, team.id)
        assert await access.authenticate(issued.secret) == Caller(team.id, Role.READ, issued.key.id)
        await access.revoke_key(OPERATOR, issued.key.id, team.id)
        with pytest.raises(Unauthenticated):
            await access.authenticate(issued.secret)

    meta(work)


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
def test_a_key_works_until_it_expires(meta: Callable[[Work], None], is_open: bool) -> None:
    """To the moment, though what is known of a key is kept for a while."""

    async def work(store: Database) -> None:
        now = [1_000]
        access = Access(store, is_open=is_open, clock=lambda: 0.0, now=lambda: now[0])
        issued = await access.create_key(OPERATOR, "ci", Role.READ, expires_at=2_000)
        assert issued.key.expires_at == 2_000
        for now[0] in (1_000, 1_999):
            found = await access.authenticate(issued.secret)
            assert found == Caller(DEFAULT_WORKSPACE, Role.READ, issued.key.id)
            assert await access.has_keys()
        for now[0] in (2_000, 3_000):
            with pytest.raises(Unauthenticated, match="expired"):
                await access.authenticate(issued.secret)
            assert not await access.has_keys()
        for gone in (2_999, 3_000):
            with pytest.raises(Invalid, match="future"):
                await access.create_key(OPERATOR, "ci", Role.READ, expires_at=gone)

    meta(work)


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        (KeyKind.FINE_GRAINED, r"hh_fgdp_[A-Za-z0-9]{24}_[A-Za-z0-9_-]{64}"),
        (KeyKind.INGESTION, r"hh_ingst_[A-Za-z0-9]{24}_[A-Za-z0-9_-]{64}"),
    ],
)
def test_keys_come_in_the_forms_that_clients_check(
    meta: Callable[[Work], None], kind: KeyKind, form: str
) -> None:
    async def work(store: Database) -> None:
        access = Access(store, is_open=False)
        made = [await access.create_key(OPERATOR, "ci", Role.READ, kind=kind) for _ in range(20)]
        assert all(re.fullmatch(form, issued.secret) for issued in made)
        assert len({issued.secret for issued in made}) == 20
        assert {issued.key.kind for issued in made} == {kind}
        found = await access.authenticate(made[0].secret)
        assert found.key_id == made[0].key.id

    meta(work)


def test_a_key_is_shown_once_and_kept_as_a_hash(meta: Callable[[Work], None], tmp_path: Path) -> None:
    async def work(store: Database) -> None:
        access = Access(store, is_open=False)
        issued = await access.create_key(OPERATOR, "ci", Role.ADMIN)
        other = await access.create_key(OPERATOR, "ci", Role.ADMIN)
        assert re.fullmatch(r"sk_steno_[A-Za-z0-9_-]{43}", issued.secret)
        assert issued.secret != other.secret
        assert issued.key.hint == issued.secret[-4:]
        assert await access.list_keys(OPERATOR) == [issued.key, other.key]
        secret = issued.secret.removeprefix("sk_steno_").encode()
        for file in tmp_path.iterdir():
            assert secret not in file.read_bytes()

    meta(work)


def test_a_stream_of_requests_costs_no_queries(
    meta: Callable[[Work], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(store: Database) -> None:
        clock = Clock()
        access = Access(store, is_open=True, clock=clock)
        issued = await access.create_key(OPERATOR, "ci", Role.INGEST)
        known, unknown = await access.authenticate(issued.secret), await access.authenticate("any")

        async def away(key_hash: str) -> None:
            raise StoreUnavailable

        monkeypatch.setattr(store.keys, "find", away)
        clock.now += KEY_TTL * 0.99
        assert await access.authenticate(issued.secret) == known
        assert await access.authenticate("any") == unknown
        clock.now += KEY_TTL * 0.02
        for key in (issued.secret, "any"):
            with pytest.raises(StoreUnavailable):
                await access.authenticate(key)

    meta(work)


def test_another_process_revokes_within_the_ttl(meta: Callable[[Work], None]) -> None:
    async def work(store: Database) -> None:
        clock = Clock()
        here, there = Access(store, is_open=False, clock=clock), Access(store, is_open=False)
        issued = await there.create_key(OPERATOR, "ci", Role.INGEST)
        await here.authenticate(issued.secret)
        await there.revoke_key(OPERATOR, issued.key.id)
        clock.now += KEY_TTL
        with pytest.raises(Unauthenticated):
            await here.authenticate(issued.secret)

    meta(work)


def test_a_look_up_under_way_does_not_outlive_a_revocation(
    meta: Callable[[Work], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(store: Database) -> None:
        access = Access(store, is_open=False, clock=Clock())
        issued = await access.create_key(OPERATOR, "ci", Role.INGEST)
        find = store.keys.find

        async def overtaken(key_hash: str) -> object:
            found = await find(key_hash)
            await access.revoke_key(OPERATOR, issued.key.id)
            return found

        with monkeypatch.context() as patched:
            patched.setattr(store.keys, "find", overtaken)
            await access.authenticate(issued.secret)
        with pytest.raises(Unauthenticated):
            await access.authenticate(issued.secret)

    meta(work)


def test_the_memory_of_keys_is_bounded(meta: Callable[[Work], None], monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(store: Database) -> None:
        async def nothing(key_hash: str) -> None:
            return None

        monkeypatch.setattr(store.keys, "find", nothing)
        access = Access(store, is_open=True, clock=Clock())
        for n in range(MAX_CACHED_KEYS + 10):
            await access.authenticate(f"guess {n}")
        assert len(access._known) == MAX_CACHED_KEYS

    meta(work)


def test_only_admins_handle_keys_and_workspaces(meta: Callable[[Work], None]) -> None:
    async def work(store: Database) -> None:
        access = Access(store, is_open=False)
        issued = await access.create_key(OPERATOR, "ci", Role.INGEST)
        for role in (Role.INGEST, Role.READ, Role.WRITE):
            caller = Caller(DEFAULT_WORKSPACE, role)
            with pytest.raises(Forbidden):
                await access.create_key(caller, "x", Role.INGEST)
            with pytest.raises(Forbidden):
                await access.list_keys(caller)
            with pytest.raises(Forbidden):
                await access.revoke_key(caller, issued.key.id)
            with pytest.raises(Forbidden):
                await access.create_workspace(caller, "x")
        assert await access.authenticate(issued.secret)

    meta(work)


def test_an_admin_reaches_its_own_workspace_and_the_operator_all(meta: Callable[[Work], None]) -> None:
    async def work(store: Database) -> None:
        access = Access(store, is_open=False)
        team = await access.create_workspace(OPERATOR, "Team")
        mine = await access.create_key(OPERATOR, "ours", Role.READ)
        theirs = await access.create_key(OPERATOR, "theirs", Role.ADMIN, team.id)
        admin = await access.authenticate(theirs.secret)
        assert admin.workspace == team.id
        assert await access.list_keys(admin) == [theirs.key]
        assert await access.list_keys(OPERATOR, team.id) == [theirs.key]
        assert await access.list_keys(OPERATOR) == [mine.key]
        with pytest.raises(NotFound):
            await access.revoke_key(admin, mine.key.id)
        for reach in (access.list_keys(admin, DEFAULT_WORKSPACE), access.list_keys(OPERATOR, uuid4())):
            with pytest.raises(NotFound):
                await reach
        with pytest.raises(NotFound):
            await access.create_key(admin, "x", Role.ADMIN, DEFAULT_WORKSPACE)
        with pytest.raises(NotFound):
            await access.revoke_key(admin, mine.key.id, DEFAULT_WORKSPACE)
        with pytest.raises(Forbidden):
            await access.create_workspace(admin, "Another")
        assert await access.list_workspaces(admin) == [team]
        assert [each.name for each in await access.list_workspaces(OPERATOR)] == ["Default", "Team"]
        reader = Caller(DEFAULT_WORKSPACE, Role.READ)
        assert [each.name for each in await access.list_workspaces(reader)] == ["Default"]
        assert (await access.workspace(admin)) == team
        with pytest.raises(NotFound):
            await access.workspace(Caller(uuid4(), Role.ADMIN))
        assert await access.authenticate(mine.secret)

    meta(work)


def test_a_workspace_has_a_handle_and_a_first_project(meta: Callable[[Work], None]) -> None:
    async def work(store: Database) -> None:
        access = Access(store, is_open=True)
        team = await access.create_workspace(OPERATOR, " Team: Ünit 7! ")
        assert team.handle == "team-nit-7"
        assert [each.name for each in await store.projects.find(ProjectQuery(workspace=team.id))] == [
            "default"
        ]
        with pytest.raises(Conflict, match="team-nit-7"):
            await access.create_workspace(OPERATOR, "team nit 7")
        assert (await access.create_workspace(OPERATOR, "team nit 7", "team-7")).handle == "team-7"
        unwritable = await access.create_workspace(OPERATOR, "研究")
        assert unwritable.handle == f"workspace-{unwritable.id.hex[:8]}"
        long = await access.create_workspace(OPERATOR, "a" * 62 + " " + "b" * 9)
        assert long.handle == "a" * 62

    meta(work)


@pytest.mark.parametrize("name", ["", "n" * 201, "nul \0", "two\nlines", "half \ud800"])
def test_names_have_to_be_printable(meta: Callable[[Work], None], name: str) -> None:
    async def work(store: Database) -> None:
        access = Access(store, is_open=True)
        with pytest.raises(Invalid):
            await access.create_key(OPERATOR, name, Role.READ)
        with pytest.raises(Invalid):
            await access.create_workspace(OPERATOR, name)
        assert await access.list_keys(OPERATOR) == []

    meta(work)


@pytest.mark.parametrize("handle", ["", "-a", "a-", "A", "a b", "a" * 64, "ä", "a\n"])
def test_handles_fit_an_address(meta: Callable[[Work], None], handle: str) -> None:
    async def work(store: Database) -> None:
        with pytest.raises(Invalid):
            await Access(store, is_open=True).create_workspace(OPERATOR, "Team", handle)

    meta(work)
