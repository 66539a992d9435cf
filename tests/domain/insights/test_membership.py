"""Clusters in filters: wherever they stand in one they give way to ids, of the workspace alone and not without end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.domain.insights import membership
from stenograph.domain.insights.membership import Membership
from stenograph.errors import Invalid
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.filters import (
    And,
    Compare,
    Field,
    Filter,
    InCluster,
    Not,
    OneOf,
    Op,
    Or,
    Rare,
    TraceCount,
)
from stenograph.model.insights import (
    Assigned,
    Cluster,
    Following,
    InsightJob,
    JobStatus,
    MemberChunk,
    ReportRequest,
)
from stenograph.model.projects import Project
from stenograph.model.query import RunSelection
from stenograph.store.api import MetaStore
from stenograph.store.meta.database import open_meta

OTHER = UUID("00000000-0000-4000-8000-00000000000b")
NAMED = Compare(Field.NAME, Op.EQ, "x")


async def report(meta: MetaStore) -> tuple[list[UUID], list[UUID]]:
    """Clusters of two finest ones and the one above both; a run in each of the two, and one taken in by the second."""
    home = Project(
        id=uuid4(), workspace=DEFAULT_WORKSPACE, name=str(uuid4()), start_time=1, created_at=1, modified_at=1
    )
    await meta.projects.create(home)
    job = InsightJob(
        id=uuid4(), workspace=DEFAULT_WORKSPACE, project_id=home.id, name="n", request=ReportRequest(keep_up=True),
        created_at=1, modified_at=1,
    )  # fmt: skip
    assert await meta.insights.create(job)
    runs = [uuid4() for _ in range(3)]
    clusters = [
        Cluster(id=uuid4(), job_id=job.id, level=level, name=str(leaves), description="", runs=1, stats={},
                leaves=leaves)
        for level, leaves in ((0, (0,)), (0, (1,)), (1, (0, 1)))
    ]  # fmt: skip
    chunks = [
        MemberChunk(leaf=leaf, number=0, size=1, run_ids=runs[leaf].bytes, project_ids=home.id.bytes, starts=bytes(8),
                    latencies=bytes(4), costs=bytes(4), tokens=bytes(4), closeness=bytes(4))
        for leaf in (0, 1)
    ]  # fmt: skip
    done = msgspec.structs.replace(job, status=JobStatus.SUCCESS, runs=2)
    assert await meta.insights.finish(done, clusters, chunks)
    late = Assigned(run_id=runs[2], project_id=home.id, start_time=1, leaf=1, closeness=0.9)
    assert await meta.insight_following.take(Following.of(job), [late])
    return [each.id for each in clusters], runs


def test_clusters_give_way_to_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def session() -> None:
        meta = await open_meta(f"sqlite:///{tmp_path / 'meta.db'}")
        (first, second, top), runs = await report(meta)
        members = Membership(meta)

        async def ids(*clusters: UUID, workspace: UUID = DEFAULT_WORKSPACE) -> set[bytes]:
            found = await members.resolved(workspace, InCluster(clusters))
            assert isinstance(found, OneOf)
            return {found.ids[at : at + 16] for at in range(0, len(found.ids), 16)}

        assert await ids(first) == {runs[0].bytes}
        assert await ids(second) == {runs[1].bytes, runs[2].bytes}
        assert (
            await ids(top)
            == await ids(first, second)
            == await ids(first, top)
            == {each.bytes for each in runs}
        )
        assert await ids(uuid4()) == await ids() == await ids(top, workspace=OTHER) == set()
        inside, found = InCluster((first,)), OneOf(runs[0].bytes)
        for wanted, expected in _everywhere(inside, found):
            assert await members.resolved(DEFAULT_WORKSPACE, wanted) == expected
        selection = RunSelection(
            workspace=DEFAULT_WORKSPACE, filter=NAMED, trace_filter=Not(inside), tree_filter=inside
        )
        applied = await members.applied(selection)
        assert (applied.filter, applied.trace_filter, applied.tree_filter) == (NAMED, Not(found), found)
        plain = RunSelection(workspace=DEFAULT_WORKSPACE, filter=NAMED)
        assert await members.applied(plain) is plain
        monkeypatch.setattr(membership, "MOST", 2)
        assert len(await ids(second)) == 2
        with pytest.raises(Invalid, match="at most 2 runs"):
            await ids(top)
        monkeypatch.setattr(membership, "MOST", 1)
        with pytest.raises(Invalid, match="at most 1 runs"):
            await ids(second)
        await meta.close()

    asyncio.run(session())


def _everywhere(one: Filter, other: Filter) -> list[tuple[Filter, Filter]]:
    return [
        (And((NAMED, one)), And((NAMED, other))),
        (Or((Not(one), NAMED)), Or((Not(other), NAMED))),
        (Rare(one), Rare(other)),
        (TraceCount(And((one, NAMED)), Op.GT, 2), TraceCount(And((other, NAMED)), Op.GT, 2)),
    ]
