"""Reports on what is in a project's traces: what is asked for, the job that makes one, clusters and their members."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.model.runs import Micros

CHUNK: Final = 500
"""Members that are kept together."""


class JobStatus(StrEnum):
    """queued -> running -> success | error. A cancelled job is an error that says so: clients that poll know no
    other end."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"

    @property
    def is_final(self) -> bool:
        return self in (JobStatus.SUCCESS, JobStatus.ERROR)


CANCELLED: Final = "cancelled"


class AttributeSchema(msgspec.Struct, frozen=True):
    """One attribute to find out of each trace. `filter_by`: traces in which it is not true are left out."""

    type: str = "string"
    description: str = ""
    filter_by: bool = False


class Unit(StrEnum):
    """What is counted: a trace, or all traces of a conversation together."""

    TRACES = "traces"
    THREADS = "threads"


class ReportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is to be made of, all times resolved when its job is created. `filter` is the client's text;
    `hierarchy` are counts of clusters, finest first; `sample` is a count when it is 1 or more, else a share. With
    `keep_up` the report takes in what comes later; all that was recorded before it has a version below `position`.
    `summaries` says which texts a model sums up: `representatives` of clusters, or `all`. `token_budget` None is the
    server's; 0 asks no model."""

    since: Micros | None = None
    until: Micros | None = None
    last_n_hours: int | None = None
    hierarchy: tuple[int, ...] | None = None
    partitions: dict[str, str] | None = None
    sample: float | None = None
    summary_prompt: str | None = None
    filter: str | None = None
    attribute_schemas: dict[str, AttributeSchema] | None = None
    user_context: dict[str, str] | None = None
    provider: str = "openai"
    cluster_model: str | None = None
    summary_model: str | None = None
    projects: tuple[UUID, ...] = ()
    seed: int = 0
    unit: Unit = Unit.TRACES
    keep_up: bool = False
    position: int = 0
    summaries: str = "representatives"
    token_budget: int | None = None


class ModelPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a report may ask a model, as far as can be said before it begins: models by name, the server's host, calls
    and tokens (never more than the budget). `cost` is in dollars, None where a model has no price.

    `note` says why no model is asked; the rest is empty then.
    """

    summary_model: str = ""
    cluster_model: str = ""
    host: str = ""
    token_budget: int = 0
    traces: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    note: str = ""

    @property
    def asks(self) -> bool:
        return bool(self.cluster_model)


class ModelUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a report has asked a model. `calls` and tokens are what this job paid for, `cached` the answers that were
    there already; `budget_used` counts the tokens of both. `unanswered` questions were met without the model, for the
    reason in `note`; empty when there are none."""

    summary_model: str = ""
    cluster_model: str = ""
    calls: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    token_budget: int = 0
    budget_used: int = 0
    unanswered: int = 0
    note: str = ""


class ModelAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is kept for whoever asks the same again. `digest` is of all that was asked, 32 bytes; `content`
    the JSON object that came; tokens are what it took, attempts that failed included."""

    digest: bytes
    content: bytes
    prompt_tokens: int = 0
    completion_tokens: int = 0
    job_id: UUID | None = None
    created_at: Micros = 0


class Progress(msgspec.Struct, frozen=True):
    """Where a job is: `done` of `of` in a stage, by the stage's own measure."""

    stage: str = ""
    done: int = 0
    of: int = 0


class InsightJob(msgspec.Struct, frozen=True, kw_only=True):
    """One report, done or under way. `shape` are the top clusters' names and sizes; `report` is JSON, see
    `HighlightedTrace` and the domain's report.py."""

    id: UUID
    workspace: UUID
    project_id: UUID
    name: str
    request: ReportRequest
    created_at: Micros
    modified_at: Micros
    status: JobStatus = JobStatus.QUEUED
    progress: Progress = Progress()
    config_id: UUID | None = None
    is_scheduled: bool = False
    started_at: Micros | None = None
    finished_at: Micros | None = None
    error: str | None = None
    runs: int | None = None
    shape: dict[str, int] | None = None
    report: Report | None = None
    plan: ModelPlan | None = None


class HighlightedTrace(msgspec.Struct, frozen=True, kw_only=True):
    """A trace worth looking at, and the number that says why. `rank` is how key points refer to it: #1, #2 …"""

    run_id: UUID
    rank: int
    highlight_reason: str
    cluster_id: UUID | None = None
    cluster_name: str | None = None
    summary: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a job found, in short. `overall` are figures of all traces, `distinct` how many different texts they have;
    `agreement` is how well the cheap vectors fit the model's (their mean cosine), None where the model read all;
    `reach` is the least cosine to a cluster's middle at which a trace that comes later belongs to it."""

    title: str
    key_points: tuple[str, ...] = ()
    highlighted_traces: tuple[HighlightedTrace, ...] = ()
    created_at: Micros = 0
    overall: dict[str, Any] = {}
    agreement: float | None = None
    distinct: int = 0
    reach: float | None = None
    use: ModelUse | None = None


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Traces that are about the same. Level 0 is the finest; `parent_id` is of the level above.

    `leaves` are the numbers of the finest clusters below it, or its own: members are kept by these. `centroid` is a
    vector of `float16`, in the space of the model that the job names, so that reports can be compared.
    """

    id: UUID
    job_id: UUID
    level: int
    name: str
    description: str
    runs: int
    stats: dict[str, Any]
    leaves: tuple[int, ...]
    parent_id: UUID | None = None
    children: int = 0
    position: int = 0
    renamed: bool = False
    centroid: bytes = b""


class MemberChunk(msgspec.Struct, frozen=True, kw_only=True):
    """Up to CHUNK traces of one of the finest clusters, those nearest to its middle first.

    Sixteen bytes of an id each, then little-endian: start times as int64 (microseconds), the rest as float32 with NaN
    for nothing. `attributes` is a JSON array of objects, one a trace, or None; `summaries` one of texts or nulls.
    """

    leaf: int
    number: int
    size: int
    run_ids: bytes
    project_ids: bytes
    starts: bytes
    latencies: bytes
    costs: bytes
    tokens: bytes
    closeness: bytes
    attributes: bytes | None = None
    summaries: bytes | None = None


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A trace in its cluster. Latency in seconds, cost in dollars; closeness is the cosine to the cluster's middle."""

    run_id: UUID
    project_id: UUID
    start_time: Micros
    leaf: int
    latency: float | None = None
    cost: float | None = None
    tokens: int | None = None
    closeness: float | None = None
    attributes: dict[str, Any] = {}
    summary: str | None = None


NOWHERE: Final = -1
"""The leaf of a trace that is near to no cluster."""


class Following(msgspec.Struct, frozen=True, kw_only=True):
    """A report that takes in new traces. All versions up to `looked_to` have been looked at."""

    workspace: UUID
    project_id: UUID
    job_id: UUID
    looked_to: int
    looked_at: Micros | None = None

    @classmethod
    def of(cls, job: InsightJob) -> Following:
        """A report that has yet to look at all that was recorded since it was asked for."""
        return cls(
            workspace=job.workspace,
            project_id=job.project_id,
            job_id=job.id,
            looked_to=max(0, job.request.position - 1),
        )


class Assigned(msgspec.Struct, frozen=True, kw_only=True):
    """A trace that was recorded after a report, and the finest cluster that it is nearest to, or NOWHERE. Closeness is
    the cosine to its middle, in the space of the model."""

    run_id: UUID
    project_id: UUID
    start_time: Micros
    leaf: int
    closeness: float


class SavedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is kept for a project, by itself or on a schedule. `config` is the client's JSON object."""

    id: UUID
    workspace: UUID
    project_id: UUID
    name: str
    config: bytes
    created_at: Micros
    modified_at: Micros
    description: str | None = None
    schedule_cron: str | None = None
    due_at: Micros | None = None
