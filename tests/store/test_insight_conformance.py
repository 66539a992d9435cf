"""What `store.api.MetaStore` promises of insights, for every engine of the metadata store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec

from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.insights import (
    NOWHERE,
    Assigned,
    AttributeSchema,
    Cluster,
    Following,
    InsightJob,
    JobStatus,
    MemberChunk,
    ModelAnswer,
    ModelPlan,
    Progress,
    Report,
    ReportRequest,
    SavedConfig,
    Unit,
)
from stenograph.model.projects import Project
from stenograph.store.api import MetaStore

MINE = DEFAULT_WORKSPACE
OTHER = UUID("00000000-0000-4000-8000-00000000000b")
Meta = Callable[..., Any]


async def project(store: MetaStore) -> UUID:
    made = Project(id=uuid4(), workspace=MINE, name=str(uuid4()), start_time=1, created_at=1, modified_at=1)
    await store.projects.create(made)
    return made.id


def job(project_id: UUID, at: int = 1, **said: Any) -> InsightJob:
    """One that says as much as one can."""
    request = ReportRequest(
        since=1, until=2, hierarchy=(5, 2), partitions={"a": "b"}, sample=0.5, filter="x", seed=7,
        attribute_schemas={"n": AttributeSchema("boolean", "what", True)}, projects=(uuid4(),),
        unit=Unit.THREADS, position=7,
    )  # fmt: skip
    whole = InsightJob(
        id=uuid4(), workspace=MINE, project_id=project_id, name="one", request=request, created_at=at,
        modified_at=at, progress=Progress("select", 1, 2), config_id=uuid4(), is_scheduled=True,
        plan=ModelPlan(cluster_model="m", calls=3, cost=0.5),
    )  # fmt: skip
    return msgspec.structs.replace(whole, **said)


def cluster(of: InsightJob, position: int, **said: Any) -> Cluster:
    whole = Cluster(
        id=uuid4(), job_id=of.id, level=0, name=f"c{position}", description="d", runs=3, stats={"x": 1.5},
        leaves=(position,), parent_id=uuid4(), children=1, position=position, centroid=b"\x00\x01",
    )  # fmt: skip
    return msgspec.structs.replace(whole, **said)


def chunk(leaf: int, number: int) -> MemberChunk:
    return MemberChunk(
        leaf=leaf, number=number, size=1, run_ids=uuid4().bytes, project_ids=uuid4().bytes, starts=bytes(8),
        latencies=bytes(4), costs=bytes(4), tokens=bytes(4), closeness=bytes(4), attributes=b'[{"a":1}]',
        summaries=b'["one"]',
    )  # fmt: skip


def test_a_job_comes_back_whole_and_moves_until_it_is_over(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        home = await project(store)
        made = job(home)
        assert not await store.insights.create(job(uuid4()))
        assert await store.insights.create(made)
        assert await store.insights.read(MINE, made.id) == made
        assert await store.insights.read(OTHER, made.id) is None
        assert made in await store.insights.unfinished()
        running = msgspec.structs.replace(made, status=JobStatus.RUNNING, started_at=2, modified_at=2)
        assert await store.insights.move(running)
        renamed = await store.insights.rename(MINE, made.id, "two", 3)
        assert renamed == msgspec.structs.replace(running, name="two", modified_at=3)
        assert await store.insights.rename(OTHER, made.id, "x", 3) is None
        report = Report(title="t", key_points=("p",), created_at=4, overall={"run_count": 1})
        done = msgspec.structs.replace(
            running, status=JobStatus.SUCCESS, finished_at=4, runs=6, shape={"c1": 6}, report=report
        )
        found = [cluster(made, 1), cluster(made, 0)]
        chunks = [chunk(1, 0), chunk(0, 1), chunk(0, 0)]
        assert await store.insights.finish(done, found, chunks)
        assert not await store.insights.finish(done, found, chunks)
        assert not await store.insights.move(running)
        assert await store.insights.read(MINE, made.id) == msgspec.structs.replace(done, name="two")
        assert await store.insights.unfinished() == []
        assert await store.insights.clusters(MINE, made.id) == found[::-1]
        assert await store.insights.clusters(OTHER, made.id) == []
        assert await store.insights.sizes(MINE, made.id) == [(0, 0, 1), (0, 1, 1), (1, 0, 1)]
        assert await store.insights.members(MINE, made.id, [(1, 0), (0, 1)]) == [chunks[1], chunks[0]]
        assert await store.insights.members(OTHER, made.id, [(1, 0)]) == []
        assert await store.insights.rename_cluster(MINE, made.id, found[0].id, "mine")
        assert not await store.insights.rename_cluster(OTHER, made.id, found[0].id, "theirs")
        assert (await store.insights.clusters(MINE, made.id))[1].renamed
        assert not await store.insights.delete(OTHER, made.id)
        assert await store.insights.delete(MINE, made.id)
        assert await store.insights.clusters(MINE, made.id) == []

    meta(work)


def test_jobs_in_pages_newest_first(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        home, config = await project(store), uuid4()
        jobs = [job(home, at, config_id=config if at % 2 else None) for at in (1, 2, 3)]
        for each in jobs:
            await store.insights.create(each)
        assert await store.insights.page(MINE, home, 0, 2) == [jobs[2], jobs[1]]
        assert await store.insights.page(MINE, home, 2, 2) == [jobs[0]]
        assert await store.insights.page(MINE, home, 0, 9, config) == [jobs[2], jobs[0]]
        assert await store.insights.page(OTHER, home, 0, 9) == []

    meta(work)


def test_configs_are_due_once(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        home = await project(store)
        saved = SavedConfig(
            id=uuid4(), workspace=MINE, project_id=home, name="n", config=b'{"sample": 1.50}', created_at=1,
            modified_at=1, description="d", schedule_cron="0 8 * * *", due_at=10,
        )  # fmt: skip
        configs = store.insight_configs
        assert not await configs.create(msgspec.structs.replace(saved, project_id=uuid4()))
        assert await configs.create(saved)
        assert await configs.read(MINE, saved.id) == saved
        assert await configs.read(OTHER, saved.id) is None
        assert await configs.of_project(MINE, home) == [saved]
        assert await configs.due(9) == []
        assert await configs.due(10) == [saved]
        assert await configs.put_off(saved, 20)
        assert not await configs.put_off(saved, 30)
        later = msgspec.structs.replace(saved, due_at=None, schedule_cron=None, name="m")
        assert await configs.replace(later)
        assert not await configs.replace(msgspec.structs.replace(later, workspace=OTHER))
        assert await configs.due(10**12) == []
        assert not await configs.delete(OTHER, saved.id)
        assert await configs.delete(MINE, saved.id)
        assert await configs.read(MINE, saved.id) is None

    meta(work)


async def finished(
    store: MetaStore, home: UUID, at: int, found: list[Cluster], *, keep_up: bool
) -> InsightJob:
    """A report with these clusters, each of one trace."""
    made = job(home, at, request=ReportRequest(keep_up=keep_up, position=9))
    assert await store.insights.create(made)
    done = msgspec.structs.replace(made, status=JobStatus.SUCCESS, runs=len(found))
    clusters = [msgspec.structs.replace(each, job_id=made.id) for each in found]
    leaves = sorted({leaf for each in found for leaf in each.leaves})
    assert await store.insights.finish(done, clusters, [chunk(leaf, 0) for leaf in leaves])
    return done


def test_who_is_in_clusters_by_the_newest_report_that_has_them(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        home = await project(store)
        fine = [cluster(job(home), 0), cluster(job(home), 1)]
        top = cluster(job(home), 2, level=1, leaves=(0, 1))
        first = await finished(store, home, 1, [*fine, top], keep_up=False)
        second = await finished(store, home, 2, [fine[0]], keep_up=False)
        homes = await store.insights.homes(MINE, [top.id, fine[0].id, uuid4(), top.id])
        assert {each.id: (each.job_id, each.leaves) for each in homes} == {
            top.id: (first.id, (0, 1)),
            fine[0].id: (second.id, (0,)),
        }
        assert await store.insights.homes(OTHER, [top.id]) == []
        whole = await store.insights.run_ids(MINE, first.id, [0, 1], 2)
        chunks = await store.insights.members(MINE, first.id, [(0, 0), (1, 0)])
        assert whole == b"".join(each.run_ids for each in chunks)
        assert await store.insights.run_ids(MINE, first.id, [1], 2) == chunks[1].run_ids
        assert await store.insights.run_ids(MINE, first.id, [0, 1], 1) is None
        assert await store.insights.run_ids(MINE, first.id, [], 1) == b""
        assert await store.insights.run_ids(OTHER, first.id, [0, 1], 2) == b""

    meta(work)


def test_a_report_that_keeps_up_takes_each_trace_once(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        home = await project(store)
        first = await finished(store, home, 1, [cluster(job(home), 0)], keep_up=True)
        following = Following(workspace=MINE, project_id=home, job_id=first.id, looked_to=8)
        assert await store.insight_following.of_job(MINE, first.id) == following
        assert following in await store.insight_following.all()
        taken = [
            Assigned(run_id=uuid4(), project_id=home, start_time=5, leaf=leaf, closeness=0.5)
            for leaf in (0, 0, NOWHERE)
        ]
        moved = msgspec.structs.replace(following, looked_to=20, looked_at=3)
        assert await store.insight_following.take(moved, taken)
        assert await store.insight_following.take(moved, taken[:1])
        assert await store.insight_following.of_job(MINE, first.id) == moved
        assert await store.insight_following.counts(MINE, first.id) == {0: 2, NOWHERE: 1}
        ids = [each.run_id for each in taken]
        assert await store.insight_following.known(MINE, first.id, [*ids, uuid4()]) == set(ids)
        assert set(await store.insight_following.run_ids(MINE, first.id, [0], 9)) == set(ids[:2])
        assert len(await store.insight_following.run_ids(MINE, first.id, [0], 1)) == 1
        assert await store.insight_following.counts(OTHER, first.id) == {}
        assert await store.insight_following.known(OTHER, first.id, ids) == set()
        assert await store.insight_following.run_ids(OTHER, first.id, [0], 9) == []
        # another report of the project takes over; the first one keeps what it has
        second = await finished(store, home, 2, [cluster(job(home), 0)], keep_up=True)
        assert await store.insight_following.of_job(MINE, first.id) is None
        assert not await store.insight_following.take(moved, taken)
        assert await store.insight_following.counts(MINE, first.id) == {0: 2, NOWHERE: 1}
        assert not await store.insight_following.follow(msgspec.structs.replace(following, workspace=OTHER))
        assert not await store.insight_following.follow(msgspec.structs.replace(following, job_id=uuid4()))
        assert not await store.insight_following.leave(OTHER, second.id)
        assert await store.insight_following.leave(MINE, second.id)
        assert not await store.insight_following.leave(MINE, second.id)
        assert await store.insight_following.follow(following)
        assert await store.insights.delete(MINE, first.id)
        assert await store.insight_following.of_job(MINE, first.id) is None
        assert await store.insight_following.counts(MINE, first.id) == {}

    meta(work)


def test_answers_are_kept_by_project_and_forgotten(meta: Meta) -> None:
    async def work(store: MetaStore) -> None:
        here, there = await project(store), await project(store)
        one = ModelAnswer(
            digest=b"\x00\xff" * 16, content=b'{"a":1}', prompt_tokens=5, completion_tokens=2**40,
            job_id=uuid4(), created_at=10,
        )  # fmt: skip
        other = msgspec.structs.replace(one, content=b"{}", job_id=None)
        assert await store.insight_answers.keep(MINE, here, one)
        assert await store.insight_answers.keep(MINE, here, other)
        assert not await store.insight_answers.keep(MINE, uuid4(), one)
        assert not await store.insight_answers.keep(OTHER, here, one)
        assert await store.insight_answers.find(MINE, here, [one.digest, one.digest, b"x"]) == {
            one.digest: one
        }
        assert await store.insight_answers.find(MINE, there, [one.digest]) == {}
        assert await store.insight_answers.find(OTHER, here, [one.digest]) == {}
        assert await store.insight_answers.find(MINE, here, []) == {}
        await store.insight_answers.forget(10)
        assert await store.insight_answers.find(MINE, here, [one.digest])
        assert await store.insight_answers.forget(11) >= 1
        assert await store.insight_answers.find(MINE, here, [one.digest]) == {}

    meta(work)
