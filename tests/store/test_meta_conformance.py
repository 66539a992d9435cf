"""What `store.api.MetaStore` promises, projects apart, for every engine of the metadata store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.errors import Conflict, Invalid, NotFound, StoreUnavailable
from stenograph.model.access import DEFAULT_WORKSPACE, ApiKey, Role, Workspace
from stenograph.model.dead_letters import DeadLetter
from stenograph.model.feedback_setup import FeedbackConfig, FeedbackToken
from stenograph.model.prices import ModelPrice
from stenograph.model.projects import DEFAULT_PROJECT, Project, ProjectPatch, ProjectQuery
from stenograph.model.sharing import Share, ShareKind, thread_target
from stenograph.model.views import SavedView, ViewPatch, ViewType
from stenograph.store.api import MetaStore
from stenograph.store.meta.database import open_meta

OTHER = UUID("00000000-0000-4000-8000-00000000000b")
MINE = DEFAULT_WORKSPACE


def project(name: str, workspace: UUID = MINE, at: int = 1, **fields: object) -> Project:
    known = {
        "id": uuid4(),
        "workspace": workspace,
        "name": name,
        "start_time": at,
        "created_at": at,
        "modified_at": at,
    }
    return msgspec.convert(known | fields, Project, builtin_types=(UUID, bytes))


# ---- workspaces ------------------------------------------------------------------------------------------


def test_first_open_makes_the_default_workspace_with_its_project_and_later_ones_do_not(meta_url: str) -> None:
    async def work() -> None:
        for expected in (DEFAULT_PROJECT, "renamed", "renamed"):
            store = await open_meta(meta_url)
            assert [each.id for each in await store.workspaces.all()] == [DEFAULT_WORKSPACE]
            found = await store.projects.find(ProjectQuery(workspace=DEFAULT_WORKSPACE))
            assert [each.name for each in found] == [expected]
            await store.projects.update(MINE, found[0].id, ProjectPatch(name="renamed"), at=5)
            await store.close()

    asyncio.run(work())


def test_a_taken_handle_is_a_conflict_and_leaves_no_project(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        third = uuid4()
        with pytest.raises(Conflict, match="other"):
            await store.workspaces.create(
                Workspace(id=third, name="Again", handle="other", created_at=3), project("x", workspace=third)
            )
        assert await store.workspaces.read(third) is None
        assert await store.projects.find(ProjectQuery(workspace=third)) == []
        assert [each.handle for each in await store.workspaces.all()] == ["other", "default"]

    meta(work)


# ---- keys ------------------------------------------------------------------------------------------------


def key(workspace: UUID = MINE, at: int = 1) -> ApiKey:
    return ApiKey(id=uuid4(), workspace=workspace, name="ci", role=Role.INGEST, hint="abcd", created_at=at)


def test_keys_are_found_by_hash_and_listed_by_workspace(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        assert not await store.keys.any_active(10)
        newer, older, foreign = key(at=2), key(at=1), key(OTHER)
        for each, key_hash in ((newer, "h1"), (older, "h2"), (foreign, "h3")):
            await store.keys.create(each, key_hash)
        assert await store.keys.find("h1") == newer
        assert await store.keys.find("h3") == foreign
        assert await store.keys.find("h4") is None
        assert await store.keys.all(MINE) == [older, newer]
        with pytest.raises(Conflict):
            await store.keys.create(key(), "h1")

    meta(work)


def test_a_key_is_revoked_once_and_by_its_own_workspace(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        mine = key()
        await store.keys.create(mine, "h1")
        assert await store.keys.revoke(OTHER, mine.id, at=7) is None
        assert await store.keys.find("h1") == mine
        assert await store.keys.any_active(10)
        revoked = msgspec.structs.replace(mine, revoked_at=8)
        assert await store.keys.revoke(MINE, mine.id, at=8) == revoked
        assert await store.keys.revoke(MINE, mine.id, at=9) == revoked
        assert await store.keys.find("h1") == revoked
        assert not await store.keys.any_active(10)

    meta(work)


# ---- shares ----------------------------------------------------------------------------------------------


def share(target: str, workspace: UUID = MINE, at: int = 1, **fields: object) -> Share:
    plain = Share(token=uuid4(), workspace=workspace, kind=ShareKind.RUN, target_id=target, created_at=at)
    return msgspec.structs.replace(plain, **fields)


def test_a_target_has_one_link(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        first = share("t", project_id=uuid4())
        assert await store.shares.ensure(first) == first
        assert await store.shares.ensure(share("t")) == first
        assert (await store.shares.ensure(share("t", kind=ShareKind.DATASET))).token != first.token
        assert (await store.shares.ensure(share("t", workspace=OTHER))).token != first.token
        assert await store.shares.resolve(first.token) == first
        assert await store.shares.resolve(uuid4()) is None
        assert await store.shares.of(MINE, ShareKind.RUN, ["t", "u"]) == [first]
        assert await store.shares.revoke_target(MINE, ShareKind.RUN, "t")
        assert not await store.shares.revoke_target(MINE, ShareKind.RUN, "t")
        assert await store.shares.resolve(first.token) is None
        assert (await store.shares.ensure(share("t"))).token != first.token

    meta(work)


def test_one_thread_id_in_two_projects_is_two_targets() -> None:
    one, two = uuid4(), uuid4()
    assert thread_target(one, "t") != thread_target(two, "t")
    assert thread_target(one, "t") == thread_target(one, "t")


def test_links_are_listed_newest_first_and_revoked_in_bulk(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        mine = [await store.shares.ensure(share(f"t{n}", at=n)) for n in range(5)]
        foreign = await store.shares.ensure(share("t", workspace=OTHER))
        assert await store.shares.page(MINE) == mine[::-1]
        assert await store.shares.page(MINE, offset=1, limit=2) == [mine[3], mine[2]]
        assert await store.shares.revoke(MINE, [mine[0].token, foreign.token, uuid4()]) == 1
        assert await store.shares.revoke(MINE, []) == 0
        assert await store.shares.revoke_all(MINE) == 4
        assert await store.shares.page(MINE) == []
        assert await store.shares.page(OTHER) == [foreign]
        assert await store.shares.of(MINE, ShareKind.RUN, ["t"]) == []
        assert not await store.shares.revoke_target(MINE, ShareKind.RUN, "t")

    meta(work)


# ---- feedback --------------------------------------------------------------------------------------------


def config(name: str, workspace: UUID = MINE, at: int = 1, **fields: object) -> FeedbackConfig:
    plain = FeedbackConfig(workspace=workspace, key=name, config=b'{"type": "freeform"}', modified_at=at)
    return msgspec.structs.replace(plain, **fields)


def test_feedback_configs_are_one_a_key(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        first = config("Score", is_lower_score_better=None, is_enforced=True)
        await store.feedback_configs.create(first)
        assert await store.feedback_configs.read(MINE, "Score") == first
        with pytest.raises(Conflict, match="Score"):
            await store.feedback_configs.create(config("Score"))
        changed = config("Score", at=2, config=b'{"type": "continuous"}')
        await store.feedback_configs.put(changed)
        await store.feedback_configs.put(config("new", at=3))
        assert await store.feedback_configs.read(MINE, "Score") == changed
        assert await store.feedback_configs.read(OTHER, "Score") is None
        assert not await store.feedback_configs.delete(OTHER, "Score", at=4)
        assert await store.feedback_configs.delete(MINE, "Score", at=5)
        assert not await store.feedback_configs.delete(MINE, "Score", at=6)
        assert await store.feedback_configs.read(MINE, "Score") is None
        assert [each.key for each in await store.feedback_configs.page(MINE)] == ["new"]
        every = await store.feedback_configs.page(MINE, with_deleted=True)
        assert every == [config("new", at=3), msgspec.structs.replace(changed, deleted_at=5)]
        assert await store.feedback_configs.page(OTHER, with_deleted=True) == []
        await store.feedback_configs.create(first)
        assert await store.feedback_configs.page(MINE, ["Score"], with_deleted=True) == [first]
        await store.feedback_configs.delete(MINE, "Score", at=7)
        await store.feedback_configs.put(changed)
        assert await store.feedback_configs.page(MINE, ["Score"], with_deleted=True) == [changed]

    meta(work)


def test_replacing_a_config_leaves_another_workspace_alone(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        foreign = config("k", workspace=OTHER)
        await store.feedback_configs.create(foreign)
        await store.feedback_configs.put(config("k", at=5))
        assert await store.feedback_configs.read(OTHER, "k") == foreign
        assert await store.feedback_configs.page(OTHER) == [foreign]

    meta(work)


def test_feedback_configs_are_listed_by_change(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        for n, name in enumerate(["a", "Äb", "ab"]):
            await store.feedback_configs.create(config(name, at=10 - n))

        async def keys(**conditions: object) -> list[str]:
            return [each.key for each in await store.feedback_configs.page(MINE, **conditions)]  # type: ignore[arg-type]

        assert await keys() == ["a", "Äb", "ab"]
        assert await keys(descending=False) == ["ab", "Äb", "a"]
        assert await keys(offset=1, limit=1) == ["Äb"]
        assert await keys(keys=["ab", "zz"]) == ["ab"]
        assert await keys(keys=[]) == []
        assert await keys(key_contains="äB") == ["Äb"]

    meta(work)


def test_feedback_tokens(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        run = uuid4()
        tokens = [
            FeedbackToken(
                id=uuid4(),
                workspace=MINE,
                run_id=run,
                key=f"k{n}",
                expires_at=9,
                created_at=n,
                config=b"{}" if n else None,
            )
            for n in range(3)
        ]
        await store.feedback_tokens.create(tokens)
        await store.feedback_tokens.create([])
        assert await store.feedback_tokens.page(MINE, run) == tokens
        assert await store.feedback_tokens.page(MINE, run, offset=2, limit=2) == tokens[2:]
        assert await store.feedback_tokens.page(MINE, uuid4()) == []
        assert await store.feedback_tokens.page(OTHER, run) == []
        assert await store.feedback_tokens.resolve(tokens[1].id) == tokens[1]
        assert await store.feedback_tokens.resolve(uuid4()) is None
        fresh = msgspec.structs.replace(tokens[0], id=uuid4())
        with pytest.raises(Conflict):
            await store.feedback_tokens.create([fresh, tokens[0]])
        assert await store.feedback_tokens.resolve(fresh.id) is None

    meta(work)


# ---- prices, views, dead letters -------------------------------------------------------------------------


def test_prices_keep_every_digit(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        price = ModelPrice(
            id=uuid4(),
            workspace=MINE,
            name="m",
            match_pattern="^m.*$",
            prompt_cost=Decimal("0.0000001234567890123456789"),
            completion_cost=Decimal("1E-7"),
            prompt_cost_details={"cache_read": Decimal("0.00000003"), "audio": Decimal("0")},
            match_path=["model"],
            provider="p",
            start_time=5,
            created_at=1,
        )
        newer = msgspec.structs.replace(price, id=uuid4(), created_at=2, provider=None, start_time=None)
        for each in (price, newer):
            await store.prices.create(each)
        assert await store.prices.all(MINE) == [newer, price]
        assert await store.prices.read(MINE, price.id) == price
        with pytest.raises(Conflict):
            await store.prices.create(price)
        changed = msgspec.structs.replace(price, name="n", completion_cost=Decimal("2"), match_path=[])
        assert await store.prices.replace(changed)
        assert await store.prices.read(MINE, price.id) == changed
        assert await store.prices.delete(MINE, price.id)
        assert not await store.prices.delete(MINE, price.id)
        assert not await store.prices.replace(price)

    meta(work)


def test_prices_of_another_workspace_are_unknown(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        price = ModelPrice(
            id=uuid4(),
            workspace=MINE,
            name="m",
            match_pattern="m",
            prompt_cost=Decimal(1),
            completion_cost=Decimal(1),
        )
        await store.prices.create(price)
        assert await store.prices.all(OTHER) == []
        assert await store.prices.read(OTHER, price.id) is None
        assert not await store.prices.replace(msgspec.structs.replace(price, workspace=OTHER, name="x"))
        assert not await store.prices.delete(OTHER, price.id)
        assert await store.prices.all(MINE) == [price]

    meta(work)


def view(project_id: UUID, workspace: UUID = MINE, at: int = 1, **fields: object) -> SavedView:
    plain = SavedView(
        id=uuid4(),
        workspace=workspace,
        project_id=project_id,
        display_name="slow ones",
        created_at=at,
        updated_at=at,
        filter_string="gt(latency, 5)",
        shown="cols=name",
    )
    return msgspec.structs.replace(plain, **fields)


def test_views_belong_to_a_project(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        home = await store.projects.create(project("a"))
        elsewhere = await store.projects.create(project("b"))
        runs = view(home.id, at=2, description="d", start_time=3, end_time=4, duration="7d")
        threads = view(home.id, at=1, type=ViewType.THREADS)
        await store.views.create(runs)
        await store.views.create(threads)
        assert await store.views.of_project(MINE, home.id) == [threads, runs]
        assert await store.views.of_project(MINE, home.id, ViewType.RUNS) == [runs]
        assert await store.views.of_project(MINE, elsewhere.id) == []
        assert await store.views.read(MINE, home.id, runs.id) == runs
        assert await store.views.read(MINE, elsewhere.id, runs.id) is None
        with pytest.raises(NotFound):
            await store.views.create(view(uuid4()))
        with pytest.raises(Conflict):
            await store.views.create(view(elsewhere.id, id=runs.id))
        patch = ViewPatch(display_name="n", type=ViewType.SINGLE_RUN, tree_filter_string="f")
        changed = msgspec.structs.replace(
            runs, display_name="n", type=ViewType.SINGLE_RUN, tree_filter_string="f", updated_at=9
        )
        assert await store.views.update(MINE, elsewhere.id, runs.id, patch, at=9) is None
        assert await store.views.update(MINE, home.id, runs.id, patch, at=9) == changed
        assert await store.views.read(MINE, home.id, runs.id) == changed
        assert not await store.views.delete(MINE, elsewhere.id, runs.id)
        assert await store.views.delete(MINE, home.id, runs.id)
        assert not await store.views.delete(MINE, home.id, runs.id)

    meta(work)


def test_views_of_another_workspace_are_unknown(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        home = await store.projects.create(project("a"))
        mine = view(home.id)
        await store.views.create(mine)
        with pytest.raises(NotFound):
            await store.views.create(view(home.id, workspace=OTHER))
        assert await store.views.of_project(OTHER, home.id) == []
        assert await store.views.read(OTHER, home.id, mine.id) is None
        assert await store.views.update(OTHER, home.id, mine.id, ViewPatch(display_name="x"), at=9) is None
        assert not await store.views.delete(OTHER, home.id, mine.id)
        assert await store.views.read(MINE, home.id, mine.id) == mine

    meta(work)


def test_deleting_a_project_takes_its_views_and_links_with_it(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        gone, kept = await store.projects.create(project("a")), await store.projects.create(project("b"))
        for each in (gone, kept):
            await store.views.create(view(each.id))
            await store.shares.ensure(share(str(uuid4()), project_id=each.id))
        elsewhere = await store.shares.ensure(share(str(uuid4())))
        assert await store.projects.delete(OTHER, [gone.id, kept.id], at=9) == []
        assert await store.projects.delete(MINE, [gone.id, uuid4()], at=9) == [gone.id]
        assert await store.views.of_project(MINE, gone.id) == []
        assert len(await store.views.of_project(MINE, kept.id)) == 1
        left = await store.shares.page(MINE)
        assert {each.project_id for each in left} == {kept.id, None}
        assert elsewhere in left

    meta(work)


def letter(workspace: UUID = MINE, at: int = 1, reason: str = "too deep") -> DeadLetter:
    return DeadLetter(
        id=uuid4(), workspace=workspace, kind="run", reason=reason, record=b"\x00\xff", created_at=at
    )


def test_dead_letters_wait_until_replayed(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        first = msgspec.structs.replace(letter(at=1), subject_id=uuid4())
        second, foreign = letter(at=2), letter(OTHER)
        await store.dead_letters.bury([second, first, foreign])
        await store.dead_letters.bury([first, second])
        await store.dead_letters.bury([])
        assert await store.dead_letters.page(MINE) == [first, second]
        assert await store.dead_letters.page(MINE, offset=1, limit=1) == [second]
        assert await store.dead_letters.count(MINE) == 2
        assert await store.dead_letters.mark_replayed(MINE, [first.id, foreign.id], at=9) == 1
        assert await store.dead_letters.mark_replayed(MINE, [first.id], at=10) == 0
        done = msgspec.structs.replace(first, replayed_at=9)
        assert await store.dead_letters.page(MINE) == [second]
        assert await store.dead_letters.page(MINE, replayed=True) == [done]
        assert await store.dead_letters.page(MINE, replayed=None) == [done, second]
        assert await store.dead_letters.count(MINE) == 1
        assert await store.dead_letters.page(OTHER) == [foreign]

    meta(work)


def test_dead_letters_are_noted_read_and_forgotten(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        subject = uuid4()
        first = msgspec.structs.replace(letter(at=1), subject_id=subject)
        second, foreign = letter(at=2), letter(OTHER, at=3)
        to = store.dead_letters
        await to.bury([second, first, foreign])

        async def noted(workspace: UUID | None, **conditions: object) -> list[UUID]:
            return [note.id for note in await to.notes(workspace, **conditions)]  # type: ignore[arg-type]

        [note, _] = await to.notes(MINE)
        assert (note.id, note.workspace, note.kind, note.size) == (first.id, MINE, "run", 2)
        assert (note.reason, note.created_at, note.subject_id) == (first.reason, 1, subject)
        assert await noted(None) == [first.id, second.id, foreign.id]
        assert await noted(None, offset=1, limit=1) == [second.id]
        assert await noted(MINE, subjects=[subject, uuid4()]) == [first.id]
        assert await noted(OTHER, subjects=[subject]) == []
        await to.mark_replayed(MINE, [second.id], at=9)
        assert await noted(None) == [first.id, foreign.id]
        assert await noted(None, replayed=True) == [second.id]
        assert await noted(None, replayed=None) == [first.id, second.id, foreign.id]
        assert await to.read(None, foreign.id) == await to.read(OTHER, foreign.id) == foreign
        assert await to.read(MINE, foreign.id) is None
        assert await to.forget([first, foreign, letter(MINE)]) == 2
        assert await to.forget([first]) == await to.forget([]) == 0
        assert await noted(None, replayed=None) == [second.id]

    meta(work)


def test_dead_letters_take_any_workspace_and_any_reason(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        nowhere = uuid4()
        await store.dead_letters.bury([letter(nowhere, reason="nul \0 and half \ud800 of a pair")])
        (kept,) = await store.dead_letters.page(nowhere)
        assert kept.reason == r"nul \0 and half \ud800 of a pair"

    meta(work)


# ---- the store as a whole --------------------------------------------------------------------------------


def test_more_ids_than_one_statement_holds(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        mine = await store.projects.create(project("a"))
        many = [uuid4() for _ in range(40_000)]
        assert await store.projects.delete(MINE, [*many, mine.id], at=9) == [mine.id]
        assert await store.shares.revoke(MINE, many) == 0
        assert await store.shares.of(MINE, ShareKind.RUN, [str(each) for each in many]) == []
        assert await store.dead_letters.mark_replayed(MINE, many, at=9) == 0

    meta(work)


def test_values_that_no_table_holds_are_invalid(meta: Callable[..., None]) -> None:
    async def work(store: MetaStore) -> None:
        for bad in (
            project("nul \0"),
            project("half \ud800"),
            project("late", at=2**63),
            project("latin", extra=b'"\xff"'),
        ):
            with pytest.raises(Invalid):
                await store.projects.create(bad)
        with pytest.raises(Invalid):
            await store.projects.find(ProjectQuery(workspace=MINE, offset=2**63, limit=1))
        assert len(await store.projects.find(ProjectQuery(workspace=MINE))) == 1

    meta(work)


def test_what_is_written_is_there_after_reopening_and_in_a_second_store(meta_url: str) -> None:
    async def work() -> None:
        one, two = await open_meta(meta_url), await open_meta(meta_url)
        created = await one.projects.create(project("a"))
        assert await two.projects.read(MINE, created.id) == created
        found = await asyncio.gather(
            *(store.projects.ensure(project("b")) for store in (one, two) for _ in range(10))
        )
        assert len({each.id for each in found}) == 1
        await one.close()
        await two.close()
        three = await open_meta(meta_url)
        assert await three.projects.read(MINE, created.id) == created
        await three.close()

    asyncio.run(work())


def test_a_closed_store_is_unavailable(meta_url: str) -> None:
    async def work() -> None:
        store = await open_meta(meta_url)
        await store.close()
        await store.close()
        with pytest.raises(StoreUnavailable):
            await store.workspaces.all()
        with pytest.raises(StoreUnavailable):
            await store.shares.revoke_all(MINE)

    asyncio.run(work())


def test_one_store_serves_one_event_loop_after_another(meta_url: str) -> None:
    store = asyncio.run(open_meta(meta_url))
    first = asyncio.run(store.projects.ensure(project("a")))
    assert asyncio.run(store.projects.ensure(project("a"))) == first
    asyncio.run(store.close())
