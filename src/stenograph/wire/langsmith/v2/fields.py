"""Runs in the v2 API's shape: a field is there when it was selected, and only then.

Beside v1 other names, enumerations in capitals, costs as numbers and RFC 3339 times.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Raw, Struct
from starlette.requests import Request

from stenograph.domain.first_tokens import first_tokens
from stenograph.domain.runs import USAGE
from stenograph.errors import Invalid
from stenograph.model.feedback import FeedbackStat
from stenograph.model.runs import Micros, PicoDollars, Run
from stenograph.wire.http import services
from stenograph.wire.langsmith.examples.shapes import FileLinks, file_links
from stenograph.wire.langsmith.runs.convert import (
    app_path,
    cost_number,
    parents,
    preview,
    raw,
    zoned_text,
)
from stenograph.wire.langsmith.runs.schemas import NULL

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Beside:
    """What a run's answer needs and its row has not. `first_tokens` None: each run's own counts."""

    links: FileLinks
    feedback: Mapping[UUID, Mapping[str, FeedbackStat]]
    shares: Mapping[UUID, UUID]
    datasets: Mapping[UUID, UUID]
    first_tokens: Mapping[UUID, Micros] | None
    public: bool


Write = Callable[[Run, Beside], Any]


class _Extra(Struct):
    metadata: Raw = NULL


_extra = msgspec.json.Decoder(_Extra).decode


def _metadata(run: Run, _: Beside) -> Raw:
    if run.extra is None:
        return NULL
    try:
        found = _extra(run.extra).metadata
    except (
        msgspec.MsgspecError,
        UnicodeDecodeError,
        RecursionError,
    ):  # no object, or one nested beyond reading
        return NULL
    return found if bytes(found)[:1] == b"{" else NULL


def _attachments(run: Run, beside: Beside) -> dict[str, str] | None:
    links = beside.links
    return {
        file.name: links.server + links.links.sign(run.workspace, run.id, file.name, links.now)
        for file in run.attachments or ()
    } or None


def _share_url(run: Run, beside: Beside) -> str | None:
    token = beside.shares.get(run.trace_id)
    return None if token is None else f"{beside.links.server}/public/{token}/r"


def latency(run: Run) -> float | None:
    """Seconds."""
    return None if run.end_time is None else (run.end_time - run.start_time) / 1_000_000


def error_preview(run: Run) -> str | None:
    return None if run.error is None else run.error[:500]


def _first_token(run: Run, beside: Beside) -> str | None:
    if beside.first_tokens is None:
        return zoned_text(run.first_token_time)
    return zoned_text(beside.first_tokens.get(run.id))


def tokens(details: Mapping[str, int]) -> dict[str, Mapping[str, int]] | None:
    return {"raw": details} if details else None


def costs(details: Mapping[str, PicoDollars]) -> dict[str, Mapping[str, float | None]] | None:
    return {"raw": {key: cost_number(value) for key, value in details.items()}} if details else None


def feedback(stats: Mapping[str, FeedbackStat], *, public: bool = False) -> dict[str, Any]:
    """By key. Sources name people and other runs: not for the public."""
    return {
        key: {
            "n": stat.n or sum(stat.values.values()),
            "avg": stat.avg,
            "min": stat.min,
            "max": stat.max,
            "stdev": _of_sample(stat),
            "errors": stat.errors,
            "comments": stat.comments,
            "sources": [] if public else stat.sources,
            "values": stat.values,
            "contains_thread_feedback": False,
        }
        for key, stat in stats.items()
    }


def _of_sample(stat: FeedbackStat) -> float | None:
    """The sample's standard deviation, which v2 has, of the population's, which is kept."""
    if stat.stdev is None or stat.n < 2:
        return None
    return stat.stdev * math.sqrt(stat.n / (stat.n - 1))


_NOWHERE: Write = lambda _, __: None  # noqa: E731
"""Of what is not kept here: which person's key it was, when a thread was judged, which price applied, what queued."""

_FIELDS: Final[dict[str, tuple[Iterable[str], Write]]] = {
    "id": ((), lambda run, _: run.id),
    "name": (("name",), lambda run, _: run.name or ""),
    "run_type": (("run_type",), lambda run, _: (run.run_type or "chain").upper()),
    "status": (("status",), lambda run, _: run.status.upper()),
    "start_time": ((), lambda run, _: zoned_text(run.start_time)),
    "end_time": (("end_time",), lambda run, _: zoned_text(run.end_time)),
    "latency_seconds": (("end_time",), lambda run, _: latency(run)),
    "first_token_time": (("first_token_time",), _first_token),
    "error": (("error",), lambda run, _: run.error),
    "error_preview": (("error",), lambda run, _: error_preview(run)),
    "extra": (("extra",), lambda run, _: raw(run.extra)),
    "metadata": (("extra",), _metadata),
    "events": (("events",), lambda run, _: raw(run.events)),
    "inputs": (("inputs",), lambda run, _: raw(run.inputs)),
    "inputs_preview": (("inputs",), lambda run, _: preview(run.inputs)),
    "outputs": (("outputs",), lambda run, _: raw(run.outputs)),
    "outputs_preview": (("outputs",), lambda run, _: preview(run.outputs)),
    "manifest": (("serialized",), lambda run, _: raw(run.serialized)),
    "parent_run_id": (("parent_run_id", "dotted_order"), lambda run, _: run.parent_run_id),
    "parent_run_ids": (("dotted_order",), lambda run, _: parents(run)),
    "project_id": ((), lambda run, _: run.project_id),
    "trace_id": ((), lambda run, _: run.trace_id),
    "thread_id": (("thread_id",), lambda run, _: run.thread_id),
    "dotted_order": (("dotted_order",), lambda run, _: run.dotted_order),
    "is_root": ((), lambda run, _: run.is_root),
    "reference_example_id": (("reference_example_id",), lambda run, _: run.reference_example_id),
    "reference_dataset_id": ((), lambda run, beside: beside.datasets.get(run.project_id)),
    "total_tokens": (USAGE, lambda run, _: run.usage.total_tokens),
    "prompt_tokens": (USAGE, lambda run, _: run.usage.prompt_tokens),
    "completion_tokens": (USAGE, lambda run, _: run.usage.completion_tokens),
    "total_cost": (USAGE, lambda run, _: cost_number(run.usage.total_cost)),
    "prompt_cost": (USAGE, lambda run, _: cost_number(run.usage.prompt_cost)),
    "completion_cost": (USAGE, lambda run, _: cost_number(run.usage.completion_cost)),
    "prompt_token_details": (USAGE, lambda run, _: tokens(run.usage.prompt_token_details)),
    "completion_token_details": (USAGE, lambda run, _: tokens(run.usage.completion_token_details)),
    "prompt_cost_details": (USAGE, lambda run, _: costs(run.usage.prompt_cost_details)),
    "completion_cost_details": (USAGE, lambda run, _: costs(run.usage.completion_cost_details)),
    "price_model_id": ((), _NOWHERE),
    "tags": (("tags",), lambda run, _: run.tags),
    "app_path": ((), lambda run, _: app_path(run)),
    "attachments": (("attachments",), _attachments),
    "thread_evaluation_time": ((), _NOWHERE),
    "is_in_dataset": (("reference_example_id",), lambda run, _: run.reference_example_id is not None),
    "last_queued_at": ((), _NOWHERE),
    "share_url": ((), _share_url),
    "feedback_stats": (
        (),
        lambda run, beside: feedback(beside.feedback.get(run.id, {}), public=beside.public) or None,
    ),
    "ls_user_id": ((), _NOWHERE),
}
"""Fields, which are selected in capitals, the store's columns behind each, and how it is written."""

_PRIVATE: Final = frozenset(
    {
        "project_id", "thread_id", "app_path", "share_url", "is_in_dataset", "reference_dataset_id", "last_queued_at",
        "thread_evaluation_time", "ls_user_id",
    }
)  # fmt: skip
"""What v1 does not tell the readers of a shared trace either: selected by one of them it is left out."""

Select = frozenset[str]
"""Names of fields, in lower case."""


def selected(names: Sequence[str] | None, where: tuple[str, str], *, public: bool = False) -> Select:
    """The fields to answer with: `id` alone when nothing is selected. Invalid for a name that there is not."""
    if not names:
        return frozenset({"id"})
    chosen = frozenset(name.lower() for name in names)
    for index, name in enumerate(names):
        if name.lower() not in _FIELDS:
            raise Invalid(f"{name[:60]!r} is not a field of runs", (*where, index))
    return chosen - _PRIVATE if public else chosen


def columns(select: Select) -> frozenset[str]:
    """The store's columns behind these fields."""
    return frozenset(column for name in select for column in _FIELDS[name][0])


async def render(
    request: Request,
    runs: Sequence[Run],
    select: Select,
    *,
    public: bool = False,
    subtrees: bool = False,
    comparison: UUID | None = None,
) -> list[dict[str, Any]]:
    """Runs of one workspace as JSON values. `subtrees`: the first token is that of all below, too. `comparison`: only
    the feedback that was given in it."""
    if not runs:
        return []
    to, workspace = services(request), runs[0].workspace
    beneath = subtrees and "first_token_time" in select
    given, shares, datasets, firsts = await asyncio.gather(
        to.experiments.results.feedback(workspace, runs, comparison)
        if "feedback_stats" in select
        else _nothing(),
        to.sharing.tokens(workspace, runs) if "share_url" in select else _nothing(),
        to.projects.reference_datasets(workspace, {run.project_id for run in runs})
        if "reference_dataset_id" in select
        else _nothing(),
        first_tokens(to.runs, workspace, runs) if beneath else _nothing(),
    )
    beside = Beside(file_links(request), given, shares, datasets, firsts if beneath else None, public)
    writers = [(name, write) for name, (_, write) in _FIELDS.items() if name in select]
    return [{name: write(run, beside) for name, write in writers} for run in runs]


async def _nothing() -> Mapping[K, V]:
    return {}
