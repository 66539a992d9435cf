"""What a set of runs comes to."""

from __future__ import annotations

from uuid import UUID

import msgspec

from stenograph.model.feedback import FeedbackStat
from stenograph.model.runs import Micros, PicoDollars, Usage


class RunStats(msgspec.Struct, frozen=True, kw_only=True):
    """Latencies are seconds from start to end of finished runs; shares are 0..1.

    Percentiles interpolate between the two nearest values. Token and cost sums over roots cover their whole
    traces; over any other selection they cover the selected runs themselves, so that nothing counts twice.
    """

    run_count: int = 0
    finished_count: int = 0
    latency_p50: float | None = None
    latency_p99: float | None = None
    latency_avg: float | None = None
    first_token_p50: float | None = None
    first_token_p99: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    median_tokens: int | None = None
    prompt_tokens_p50: int | None = None
    completion_tokens_p50: int | None = None
    tokens_p99: int | None = None
    prompt_tokens_p99: int | None = None
    completion_tokens_p99: int | None = None
    prompt_cost: PicoDollars | None = None
    completion_cost: PicoDollars | None = None
    total_cost: PicoDollars | None = None
    cost_p50: PicoDollars | None = None
    cost_p99: PicoDollars | None = None
    prompt_token_details: dict[str, int] = {}
    completion_token_details: dict[str, int] = {}
    prompt_cost_details: dict[str, PicoDollars] = {}
    completion_cost_details: dict[str, PicoDollars] = {}
    last_run_start_time: Micros | None = None
    error_rate: float | None = None
    streaming_rate: float | None = None
    feedback: dict[str, FeedbackStat] = {}


class Facet(msgspec.Struct, frozen=True):
    """How many runs share one value of a field."""

    key: str
    value: str
    count: int


class ThreadSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation: its traces in short. Payloads are raw JSON."""

    thread_id: str
    count: int
    first_trace: UUID
    last_trace: UUID
    min_start_time: Micros
    max_start_time: Micros
    latency_p50: float | None
    latency_p99: float | None
    first_inputs: bytes | None = None
    last_outputs: bytes | None = None
    last_error: str | None = None
    usage: Usage = Usage()
    feedback: dict[str, FeedbackStat] = {}


class TraceFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a trace comes to below its root: runs, model calls among them, their own tokens and cost summed up."""

    runs: int = 0
    model_runs: int = 0
    usage: Usage = Usage()


class TimeBucket(msgspec.Struct, frozen=True):
    """The statistics of the runs that started within one stride from `start`. `part` is the number of the filter
    that they match, where several were asked for."""

    start: Micros
    group: str
    stats: RunStats
    part: int = 0
