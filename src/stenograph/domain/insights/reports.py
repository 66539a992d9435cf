"""Reports: asked for, watched, read, renamed, compared, ended, and made into work."""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np

from stenograph.domain.annotation.items import QueueItems, WantedRun
from stenograph.domain.datasets.datasets import Datasets
from stenograph.domain.examples.drafts import ExampleDraft
from stenograph.domain.examples.examples import Examples
from stenograph.domain.insights.continuity import matched
from stenograph.domain.insights.describing.writers import Writers
from stenograph.domain.insights.selecting import Selecting
from stenograph.domain.insights.statistics import proportions
from stenograph.domain.insights.texts import variables
from stenograph.domain.insights.working import InsightWork
from stenograph.domain.projects.projects import Projects
from stenograph.errors import Conflict, Invalid, NotFound
from stenograph.model.ids import new_id
from stenograph.model.insights import (
    Cluster,
    Following,
    InsightJob,
    JobStatus,
    Member,
    MemberChunk,
    ModelPlan,
    Progress,
    ReportRequest,
    Unit,
)
from stenograph.model.runs import Micros
from stenograph.store.api import MetaStore

DEFAULT_HOURS: Final = 168
MOST_HOURS: Final = 24 * 366 * 20
MOST_LEVELS: Final = 6
MOST_CLUSTERS: Final = 500
MOST_PARTITIONS: Final = 10
MOST_ATTRIBUTES: Final = 50
MOST_PROJECTS: Final = 100
MAX_NAME: Final = 255
MAX_TEXT: Final = 20_000
KINDS: Final = ("string", "number", "integer", "boolean")
_ADDED: Final = 1000
_THREADS_GO_ON: Final = (
    "a report of threads does not keep up: what is a thread today is a longer one tomorrow"
)
_SORTABLE: Final = ("latency", "cost", "tokens", "closeness", "start_time")


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Some members, and where those after them begin; None when there are no more."""

    members: list[Member]
    following: int | None


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What was recorded after a report and is counted with its clusters: by number of the finest cluster."""

    goes_on: bool
    looked_at: Micros | None
    counts: Mapping[int, int]

    def of(self, cluster: Cluster) -> int:
        """How many of them are in a cluster, of whatever level."""
        return sum(self.counts.get(leaf, 0) for leaf in cluster.leaves)


@dataclass(frozen=True, slots=True)
class Change:
    """A cluster in two reports; None where it is not in one. Shares are of all traces of each."""

    kind: str
    before: Cluster | None
    after: Cluster | None
    share_before: float
    share_after: float
    z: float


class Reports:
    """Of one workspace at a time: what is another's is NotFound. Callers check the permission."""

    def __init__(
        self,
        meta: MetaStore,
        work: InsightWork,
        selecting: Selecting,
        projects: Projects,
        queues: QueueItems,
        datasets: Datasets,
        examples: Examples,
        writers: Writers,
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._store = meta.insights
        self._following = meta.insight_following
        self._work = work
        self._selecting = selecting
        self._projects = projects
        self._queues = queues
        self._datasets = datasets
        self._examples = examples
        self._writers = writers
        self._clock = clock

    # -- jobs --------------------------------------------------------------------------------------------

    async def create(
        self,
        workspace: UUID,
        project_id: UUID,
        request: ReportRequest,
        name: str | None = None,
        *,
        config_id: UUID | None = None,
        is_scheduled: bool = False,
    ) -> InsightJob:
        """Queued, with its window made definite. Invalid for a request that cannot be met."""
        job = await self._drawn_up(workspace, project_id, request, name)
        job = msgspec.structs.replace(job, config_id=config_id, is_scheduled=is_scheduled)
        if not await self._store.create(job):
            raise NotFound(f"project {project_id} not found")
        self._work.wake()
        return job

    async def estimate(self, workspace: UUID, project_id: UUID, request: ReportRequest) -> ModelPlan:
        """What `create` would ask a model, and what that costs. Invalid for a request that cannot be met."""
        job = await self._drawn_up(workspace, project_id, request)
        assert job.plan is not None
        return job.plan

    async def _drawn_up(
        self, workspace: UUID, project_id: UUID, request: ReportRequest, name: str | None = None
    ) -> InsightJob:
        """A job that is not stored yet."""
        await self._projects.read(workspace, project_id)
        for other in request.projects:
            await self._projects.read(workspace, other)
        check(request)
        now = self._clock() // 1000
        job = InsightJob(
            id=new_id(now),
            workspace=workspace,
            project_id=project_id,
            name=check_name(name) if name else f"Insights {_day(now)}",
            request=msgspec.structs.replace(resolved(request, now), position=self._selecting.position()),
            created_at=now,
            modified_at=now,
        )
        traces = await self._selecting.count(job)
        plan = await self._writers.plan(workspace, job.request, traces)
        return msgspec.structs.replace(job, plan=plan)

    async def read(self, workspace: UUID, project_id: UUID, job_id: UUID) -> InsightJob:
        await self._projects.read(workspace, project_id)
        job = await self._store.read(workspace, job_id)
        if job is None or job.project_id != project_id:
            raise unknown(job_id)
        return job

    def progress(self, job: InsightJob) -> Progress:
        """Where it is by now."""
        return self._work.progress(job)

    async def page(
        self, workspace: UUID, project_id: UUID, offset: int, limit: int, config_id: UUID | None = None
    ) -> list[InsightJob]:
        """Newest first."""
        await self._projects.read(workspace, project_id)
        return await self._store.page(workspace, project_id, offset, limit, config_id)

    async def rename(self, workspace: UUID, project_id: UUID, job_id: UUID, name: str) -> InsightJob:
        await self.read(workspace, project_id, job_id)
        job = await self._store.rename(workspace, job_id, check_name(name), self._clock() // 1000)
        if job is None:
            raise unknown(job_id)
        return job

    async def keep_up(self, job: InsightJob, wanted: bool) -> None:
        """Take in what is recorded from now on and was since the report, or no longer. Conflict while there is no
        report; a project has one that keeps up, which another one's beginning ends."""
        if not wanted:
            await self._following.leave(job.workspace, job.id)
            return
        if job.request.unit is Unit.THREADS:
            raise Invalid(_THREADS_GO_ON, ("keep_up",))
        if job.status is not JobStatus.SUCCESS:
            raise Conflict(f"insights job {job.id} has no report: {job.status.value}")
        if await self._following.of_job(job.workspace, job.id) is None:
            await self._following.follow(Following.of(job))

    async def taken_in(self, job: InsightJob) -> TakenIn | None:
        """What a report has taken in since; None of one that never kept up."""
        following = await self._following.of_job(job.workspace, job.id)
        counts = await self._following.counts(job.workspace, job.id)
        if following is None and not counts:
            return None
        return TakenIn(following is not None, None if following is None else following.looked_at, counts)

    async def cancel(self, workspace: UUID, project_id: UUID, job_id: UUID) -> InsightJob:
        """As it is then. One that is over stays as it is."""
        job = await self.read(workspace, project_id, job_id)
        if not job.status.is_final:
            await self._work.end(job)
        return await self.read(workspace, project_id, job_id)

    async def delete(self, workspace: UUID, project_id: UUID, job_id: UUID) -> None:
        """With its clusters. One that is under way is ended."""
        await self.read(workspace, project_id, job_id)
        await self._store.delete(workspace, job_id)
        await self._work.drop(job_id)

    # -- clusters ----------------------------------------------------------------------------------------

    async def clusters(self, job: InsightJob) -> list[Cluster]:
        """The finest level first."""
        return await self._store.clusters(job.workspace, job.id)

    async def cluster(self, job: InsightJob, cluster_id: UUID) -> Cluster:
        for found in await self.clusters(job):
            if found.id == cluster_id:
                return found
        raise NotFound(f"cluster {cluster_id} not found")

    async def rename_cluster(self, job: InsightJob, cluster_id: UUID, name: str) -> Cluster:
        """Conflict when another cluster of the report has the name. Later reports of its configuration keep it."""
        name = check_name(name)
        for other in await self.clusters(job):
            if other.name == name and other.id != cluster_id:
                raise Conflict(f"another cluster of this report is named {name[:60]!r}")
        if not await self._store.rename_cluster(job.workspace, job.id, cluster_id, name):
            raise NotFound(f"cluster {cluster_id} not found")
        return await self.cluster(job, cluster_id)

    async def members(
        self,
        job: InsightJob,
        cluster_id: UUID | None,
        offset: int,
        limit: int,
        sort: str | None = None,
        *,
        descending: bool = True,
    ) -> MemberPage:
        """By cluster, those nearest to its middle first; or sorted by an attribute, those without it last."""
        chunks = await self._sizes(job, cluster_id)
        total = sum(size for _, _, size in chunks)
        following = offset + limit if offset + limit < total else None
        if sort is not None:
            everything = await self._store.members(job.workspace, job.id, [each[:2] for each in chunks])
            rows = [member for chunk in everything for member in unpacked(chunk)]
            return MemberPage(_sorted(rows, sort, descending)[offset : offset + limit], following)
        wanted: list[tuple[int, int]] = []
        at = first = 0
        for leaf, number, size in chunks:
            if at + size > offset and at < offset + limit:
                first = first if wanted else at
                wanted.append((leaf, number))
            at += size
        found = await self._store.members(job.workspace, job.id, wanted)
        members = [member for chunk in found for member in unpacked(chunk)]
        return MemberPage(members[offset - first : offset - first + limit], following)

    async def _sizes(self, job: InsightJob, cluster_id: UUID | None) -> list[tuple[int, int, int]]:
        chunks = await self._store.sizes(job.workspace, job.id)
        if cluster_id is None:
            return chunks
        leaves = set((await self.cluster(job, cluster_id)).leaves)
        return [each for each in chunks if each[0] in leaves]

    async def _all(self, job: InsightJob, cluster_id: UUID | None) -> AsyncIterator[list[Member]]:
        for leaf, number, _ in await self._sizes(job, cluster_id):
            for chunk in await self._store.members(job.workspace, job.id, [(leaf, number)]):
                yield unpacked(chunk)

    # -- work --------------------------------------------------------------------------------------------

    async def to_queue(self, job: InsightJob, cluster_id: UUID | None, queue_id: UUID) -> int:
        """Add the traces to an annotation queue; how many there were. What is in it already stays."""
        added = 0
        async for members in self._all(job, cluster_id):
            wanted = [
                WantedRun(run_id=each.run_id, project_id=each.project_id, start_time=each.start_time)
                for each in members
            ]
            added += len(await self._queues.add(job.workspace, queue_id, wanted))
        return added

    async def to_dataset(self, job: InsightJob, cluster_id: UUID | None, dataset_id: UUID) -> int:
        """Add each trace's inputs and outputs to a dataset as examples, one version; how many there are."""
        await self._datasets.check(job.workspace, dataset_id)

        async def drafts() -> AsyncIterator[ExampleDraft]:
            async for members in self._all(job, cluster_id):
                for each in members:
                    yield ExampleDraft(source_run_id=each.run_id, use_source_run_io=True)

        written = await self._examples.add(job.workspace, dataset_id, drafts())
        return len(written.ids)

    async def changes(self, before: InsightJob, after: InsightJob) -> list[Change]:
        """What is new, gone, grown, shrunk and the same on the finest level, the largest changes first."""
        for job in (before, after):
            if job.status is not JobStatus.SUCCESS:
                raise Conflict(f"insights job {job.id} has no report: {job.status.value}")
        old = [each for each in await self.clusters(before) if each.level == 0]
        new = [each for each in await self.clusters(after) if each.level == 0]
        successors = matched(old, new)
        of_old, of_new = max(1, before.runs or 0), max(1, after.runs or 0)
        found: list[Change] = []
        for cluster in new:
            earlier = successors.get(cluster.id)
            was, now = earlier.runs if earlier else 0, cluster.runs
            z = proportions(now, of_new, was, of_old)
            kind = "new" if earlier is None else "same" if abs(z) < 1.96 else "grown" if z > 0 else "shrunk"
            found.append(Change(kind, earlier, cluster, was / of_old, now / of_new, z))
        kept = {each.id for each in successors.values()}
        for cluster in old:
            if cluster.id not in kept:
                z = proportions(0, of_new, cluster.runs, of_old)
                found.append(Change("gone", cluster, None, cluster.runs / of_old, 0.0, z))
        return sorted(found, key=lambda change: -abs(change.share_after - change.share_before))


# -- requests ----------------------------------------------------------------------------------------------


def check(request: ReportRequest) -> None:
    """Invalid for what cannot be met, whatever the traces."""
    if request.keep_up and request.unit is Unit.THREADS:
        raise Invalid(_THREADS_GO_ON, ("keep_up",))
    if request.hierarchy is not None:
        _check_hierarchy(request.hierarchy)
    if request.sample is not None and not (math.isfinite(request.sample) and 0 < request.sample < 2**53):
        raise Invalid("a sample is a share above 0 or a count of traces", ("sample",))
    if request.sample is not None and request.sample > 1 and request.sample != int(request.sample):
        raise Invalid(f"{request.sample:g} is neither a share up to 1 nor a whole number", ("sample",))
    if request.last_n_hours is not None and not 1 <= request.last_n_hours <= MOST_HOURS:
        raise Invalid(f"a window has 1 to {MOST_HOURS} hours", ("last_n_hours",))
    if request.since is not None and request.until is not None and request.until < request.since:
        raise Invalid("the window ends before it begins", ("end_time",))
    if len(request.projects) > MOST_PROJECTS:
        raise Invalid(f"a report is over at most {MOST_PROJECTS} projects", ("session_ids",))
    if not -(2**63) <= request.seed < 2**63:
        raise Invalid("a seed has at most 64 bits", ("seed",))
    if request.summary_prompt is not None:
        _check_text(request.summary_prompt, "summary_prompt")
        if not variables(request.summary_prompt):
            raise Invalid(
                "name what to look at, such as {{run.inputs}} or {{run.outputs.answer}}", ("summary_prompt",)
            )
    if request.summaries not in ("representatives", "all"):
        raise Invalid("representatives or all texts are summed up", ("summaries",))
    for question, answer in (request.user_context or {}).items():
        _check_text(question, "user_context")
        _check_text(answer, "user_context")
    for name, description in (request.partitions or {}).items():
        check_name(name, ("partitions",))
        _check_text(description, "partitions")
    if request.partitions is not None and not 1 <= len(request.partitions) <= MOST_PARTITIONS:
        raise Invalid(f"name 1 to {MOST_PARTITIONS} categories", ("partitions",))
    if len(request.attribute_schemas or {}) > MOST_ATTRIBUTES:
        raise Invalid(f"a report has at most {MOST_ATTRIBUTES} attributes", ("attribute_schemas",))
    for name, schema in (request.attribute_schemas or {}).items():
        where = ("attribute_schemas", name)
        if not name or len(name) > MAX_NAME or any(character.isspace() for character in name):
            raise Invalid("an attribute's name has no spaces", where)
        if schema.type not in KINDS:
            raise Invalid(f"{schema.type[:40]!r} is not one of {', '.join(KINDS)}", (*where, "type"))
        if schema.filter_by and schema.type != "boolean":
            raise Invalid("traces are chosen by booleans alone", (*where, "filter_by"))


def _check_hierarchy(counts: Sequence[int]) -> None:
    if not 1 <= len(counts) <= MOST_LEVELS:
        raise Invalid(f"a report has 1 to {MOST_LEVELS} levels", ("hierarchy",))
    if not all(1 <= count <= MOST_CLUSTERS for count in counts):
        raise Invalid(f"a level has 1 to {MOST_CLUSTERS} clusters", ("hierarchy",))
    if list(counts) != sorted(counts, reverse=True) and list(counts) != sorted(counts):
        raise Invalid("levels have to shrink, the most specific first", ("hierarchy",))


def _check_text(text: str, field: str) -> None:
    if len(text) > MAX_TEXT:
        raise Invalid(f"at most {MAX_TEXT} characters", (field,))
    if "\0" in text:
        raise Invalid("text must not contain the NUL character", (field,))


def check_name(name: str, where: tuple[str | int, ...] = ("name",)) -> str:
    if not len(name.strip()) >= 1 or len(name) > MAX_NAME:
        raise Invalid(f"a name has 1 to {MAX_NAME} characters", where)
    if "\0" in name:
        raise Invalid("a name must not contain the NUL character", where)
    return name


def resolved(request: ReportRequest, now: Micros) -> ReportRequest:
    """With a definite window: what comes later is no part of the report, however long it waits."""
    until = request.until if request.until is not None else now
    since = request.since
    if since is None and (request.last_n_hours is not None or request.until is None):
        since = until - (request.last_n_hours or DEFAULT_HOURS) * 3_600_000_000
    if since is not None:
        since = max(0, since)
    return msgspec.structs.replace(request, since=since, until=until)


def _day(now: Micros) -> str:
    return dt.datetime.fromtimestamp(now / 1e6, dt.UTC).strftime("%Y-%m-%d %H:%M")


def unknown(job_id: UUID) -> NotFound:
    return NotFound(f"insights job {job_id} not found")


# -- members -----------------------------------------------------------------------------------------------


def unpacked(chunk: MemberChunk) -> list[Member]:
    starts = np.frombuffer(chunk.starts, "<i8").tolist()
    latencies, costs, tokens, closeness = (
        np.frombuffer(column, "<f4").tolist()
        for column in (chunk.latencies, chunk.costs, chunk.tokens, chunk.closeness)
    )
    summaries: list[str | None] = (
        [None] * chunk.size if chunk.summaries is None else msgspec.json.decode(chunk.summaries)
    )
    attributes: list[dict[str, Any]] = (
        [{}] * chunk.size if chunk.attributes is None else msgspec.json.decode(chunk.attributes)
    )
    return [
        Member(
            run_id=UUID(bytes=chunk.run_ids[16 * row : 16 * row + 16]),
            project_id=UUID(bytes=chunk.project_ids[16 * row : 16 * row + 16]),
            start_time=starts[row],
            leaf=chunk.leaf,
            latency=_there(latencies[row]),
            cost=_there(costs[row]),
            tokens=None if math.isnan(tokens[row]) else round(tokens[row]),
            closeness=_there(closeness[row]),
            attributes=attributes[row],
            summary=summaries[row],
        )
        for row in range(chunk.size)
    ]


def _there(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def _sorted(rows: list[Member], key: str, descending: bool) -> list[Member]:
    """Numbers by size, all else as text; what has no value comes last in either direction. Ties by id."""

    def value(member: Member) -> Any:
        if key in member.attributes:
            return member.attributes[key]
        return getattr(member, key) if key in _SORTABLE else None

    rows = sorted(rows, key=lambda member: member.run_id)
    numbers = [row for row in rows if isinstance(value(row), int | float)]
    texts = [row for row in rows if isinstance(value(row), str)]
    rest = [row for row in rows if not isinstance(value(row), int | float | str)]
    numbers.sort(key=value, reverse=descending)
    texts.sort(key=value, reverse=descending)
    return [*numbers, *texts, *rest]
