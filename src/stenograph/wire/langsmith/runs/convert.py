"""LangSmith's JSON to our values and back. Pure: no store, no clock but what is passed in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Raw

from stenograph.domain.attachments import Links
from stenograph.domain.recording.derive import moment
from stenograph.errors import Invalid
from stenograph.model.feedback import FeedbackStat
from stenograph.model.retention import Tier
from stenograph.model.runs import Attachment, Micros, Run, RunPatch, parse_dotted_order
from stenograph.wire.langsmith.runs.schemas import ABSENT, NULL, RunIn
from stenograph.wire.payloads import Payloads

PAYLOAD_KINDS: Final = {
    "inputs": "object",
    "outputs": "object",
    "extra": "object",
    "serialized": "object",
    "events": "array",
    "error": None,
}
"""Fields that may stand in the run's JSON or in parts of their own, and what each must be."""

_text = msgspec.json.Decoder(str).decode
_EPOCH: Final = dt.datetime(1970, 1, 1)


def time_text(moment: Micros | None) -> str | None:
    """Six digits of a second always, no offset: clients compare the text with dotted_order."""
    if moment is None:
        return None
    return (_EPOCH + dt.timedelta(microseconds=moment)).isoformat(timespec="microseconds")


def zoned_text(moment: Micros | None) -> str | None:
    """The same with a Z, as RFC 3339 has it and browsers need it: for all that is not a run's or a project's own."""
    return None if moment is None else f"{time_text(moment)}Z"


def cost_text(pico: int | None) -> str | None:
    """Costs of runs and projects are decimal strings."""
    return None if pico is None else format(Decimal(pico).scaleb(-12).normalize(), "f")


def cost_number(pico: int | None) -> float | None:
    """Costs in statistics are numbers."""
    return None if pico is None else pico / 1e12


def micros(value: str | float | int | None, field: str) -> Micros | None:
    """A client's time; Invalid when it is none."""
    if value is None:
        return None
    found = moment(value)
    if found is None:
        raise Invalid(
            f"{field} {str(value)[:60]!r} is not a time: expected ISO 8601 such as 2024-01-31T09:30:00.000000Z, "
            "or epoch seconds or milliseconds",
            where=(field,),
        )
    return found


# -- runs in ---------------------------------------------------------------------------------------------


def run_patch(
    run: RunIn,
    parts: Mapping[str, bytes | memoryview],
    files: list[Attachment],
    *,
    workspace: UUID,
    run_id: UUID,
    project: UUID | None,
    create: bool,
    now: Micros,
    payloads: Payloads,
) -> RunPatch:
    """One run as sent: `parts` hold the fields that came in parts of their own. Invalid says what is wrong."""
    check = payloads.check

    def payload(field: str, inline: Raw) -> bytes | None:
        document = parts.get(field, inline)
        return None if document is ABSENT else check(document, field, PAYLOAD_KINDS[field])

    error = payload("error", run.error)
    return RunPatch(
        workspace=workspace,
        id=run_id,
        create=create,
        received_at=now,
        trace_id=run.trace_id,
        parent_run_id=run.parent_run_id,
        dotted_order=run.dotted_order,
        project_id=project,
        name=run.name,
        run_type=run.run_type,
        start_time=micros(run.start_time, "start_time"),
        end_time=micros(run.end_time, "end_time"),
        error=None if error is None else _text(error) if error[:1] == b'"' else error.decode(),
        inputs=payload("inputs", run.inputs),
        outputs=payload("outputs", run.outputs),
        events=payload("events", run.events),
        extra=payload("extra", run.extra),
        serialized=payload("serialized", run.serialized),
        tags=run.tags,
        reference_example_id=run.reference_example_id,
        attachments=files or None,
    )


# -- runs out --------------------------------------------------------------------------------------------

SELECTABLE: Final[dict[str, tuple[str, ...]]] = {
    "id": (), "trace_id": (), "session_id": (), "start_time": (), "app_path": (),
    "name": ("name",),
    "run_type": ("run_type",),
    "end_time": ("end_time",),
    "status": ("status",),
    "error": ("error",),
    "extra": ("extra",),
    "events": ("events",),
    "inputs": ("inputs",),
    "outputs": ("outputs",),
    "inputs_preview": ("inputs",),
    "outputs_preview": ("outputs",),
    "serialized": ("serialized",),
    "manifest": ("serialized",),
    "parent_run_id": ("parent_run_id",),
    "parent_run_ids": ("dotted_order",),
    "dotted_order": ("dotted_order",),
    "tags": ("tags",),
    "thread_id": ("thread_id",),
    "reference_example_id": ("reference_example_id",),
    "in_dataset": ("reference_example_id",),
    "first_token_time": ("first_token_time",),
    "s3_urls": ("attachments",),
    "last_queued_at": (), "inserted_at": ("received_at",), "trace_first_received_at": ("received_at",),
    "feedback_stats": (), "child_run_ids": (), "share_token": (), "reference_dataset_id": (),
    "manifest_id": (), "manifest_s3_id": (), "price_model_id": (), "trace_tier": (), "ttl_seconds": (),
    "trace_upgrade": (), "trace_min_max_start_time": (), "messages": ("inputs", "outputs"),
    "inputs_s3_urls": (), "outputs_s3_urls": (), "inputs_or_signed_url": ("inputs",),
    "outputs_or_signed_url": ("outputs",), "error_or_signed_url": ("error",),
    "events_or_signed_url": ("events",), "extra_or_signed_url": ("extra",),
    "serialized_or_signed_url": ("serialized",),
}  # fmt: skip
"""Names that `select` takes beside the token and cost fields, and the columns each is made of."""

USAGE_FIELDS: Final = (
    "total_tokens", "prompt_tokens", "completion_tokens", "total_cost", "prompt_cost", "completion_cost",
    "prompt_token_details", "completion_token_details", "prompt_cost_details", "completion_cost_details",
)  # fmt: skip

REQUIRED: Final = ("name", "run_type", "status", "dotted_order", "parent_run_id", "end_time", "tags")
"""Columns of fields that are in every answer, selected or not: clients' models demand them."""

DEFAULT_SELECT: Final = frozenset(
    {
        "id", "name", "run_type", "start_time", "end_time", "status", "error", "extra", "events", "inputs",
        "outputs", "parent_run_id", "manifest_id", "manifest_s3_id", "session_id", "serialized",
        "reference_example_id", "reference_dataset_id", "price_model_id", "first_token_time", "trace_id",
        "dotted_order", "last_queued_at", "feedback_stats", "parent_run_ids", "tags", "in_dataset",
        "app_path", "share_token", "trace_tier", "trace_first_received_at", "ttl_seconds", "trace_upgrade",
        "thread_id", "s3_urls", *USAGE_FIELDS,
    }
)  # fmt: skip
"""What `select` left out means, attachments included: the clients of today all ask for them."""

PRIVATE: Final = frozenset(
    {
        "session_id", "app_path", "share_token", "thread_id", "in_dataset", "reference_dataset_id",
        "last_queued_at", "inserted_at", "trace_first_received_at", "trace_tier", "trace_upgrade",
        "ttl_seconds",
    }
)  # fmt: skip
"""What RunSchema has and RunPublicSchema has not: readers of a shared trace are not told."""


def raw(document: bytes | None) -> Raw:
    return NULL if document is None else Raw(document)


def preview(document: bytes | None, limit: int = 500) -> str | None:
    """The start of a payload as text, for lists."""
    if document is None:
        return None
    return document[: 2 * limit].decode("utf-8", "replace")[:limit]


class RunWriter:
    """Writes runs of one answer: what was selected, and what clients demand in any case."""

    def __init__(
        self,
        select: frozenset[str],
        *,
        links: Links,
        now: float,
        feedback: Mapping[UUID, Mapping[str, FeedbackStat]],
        shares: Mapping[UUID, UUID],
        children: Mapping[UUID, list[UUID]],
        datasets: Mapping[UUID, UUID],
        tiers: Mapping[UUID, Tier],
        public: bool = False,
        names_project: bool | None = None,
    ) -> None:
        self._select = select
        self._links = links
        self._now = now
        self._feedback = feedback
        self._shares = shares
        self._children = children
        self._datasets = datasets
        self._tiers = tiers
        self._public = public
        self._names_project = not public if names_project is None else names_project

    def __call__(self, run: Run) -> dict[str, Any]:
        """The run as LangSmith's RunSchema; RunPublicSchema (no project, no path) for shared ones.

        `names_project` makes that RunPublicDatasetSchema: the experiments of a shared dataset are public.
        """
        out: dict[str, Any] = {
            "id": run.id,
            "name": run.name or "",
            "run_type": run.run_type or "chain",
            "trace_id": run.trace_id,
            "dotted_order": run.dotted_order,
            "start_time": time_text(run.start_time),
            "end_time": time_text(run.end_time),
            "status": run.status,
            "parent_run_id": run.parent_run_id,
            "execution_order": 1,
            "tags": run.tags,
        }
        if self._names_project:
            out["session_id"] = run.project_id
        if not self._public:
            out["app_path"] = app_path(run)
        self._payloads(run, out)
        self._derived(run, out)
        self._usage(run, out)
        return out

    def _payloads(self, run: Run, out: dict[str, Any]) -> None:
        select = self._select
        for field in ("inputs", "outputs", "events", "extra", "serialized"):
            if field in select:
                out[field] = raw(getattr(run, field))
            if f"{field}_or_signed_url" in select:
                out[f"{field}_or_signed_url"] = raw(getattr(run, field))
        if "error" in select:
            out["error"] = run.error
        if "error_or_signed_url" in select:
            out["error_or_signed_url"] = run.error
        if "manifest" in select:
            out["manifest"] = raw(run.serialized)
        if "inputs_preview" in select:
            out["inputs_preview"] = preview(run.inputs)
        if "outputs_preview" in select:
            out["outputs_preview"] = preview(run.outputs)
        if "s3_urls" in select and run.attachments:
            out["s3_urls"] = {
                f"attachment.{file.name}": {
                    "presigned_url": self._links.sign(run.workspace, run.id, file.name, self._now),
                    "mime_type": file.mime_type,
                }
                for file in run.attachments
            }

    def _derived(self, run: Run, out: dict[str, Any]) -> None:
        made: dict[str, Callable[[], Any]] = {
            "parent_run_ids": lambda: parents(run),
            "child_run_ids": lambda: self._children.get(run.id, []),
            "feedback_stats": lambda: (
                feedback_stats(self._feedback.get(run.id, {}), public=self._public) or None
            ),
            "reference_example_id": lambda: run.reference_example_id,
            "reference_dataset_id": lambda: self._datasets.get(run.project_id),
            "first_token_time": lambda: time_text(run.first_token_time),
            "in_dataset": lambda: run.reference_example_id is not None,
            "thread_id": lambda: run.thread_id,
            "share_token": lambda: self._shares.get(run.trace_id),
            "inserted_at": lambda: time_text(run.received_at),
            "trace_first_received_at": lambda: time_text(run.received_at),
            "trace_tier": lambda: self._tiers.get(run.trace_id),
            "trace_upgrade": lambda: False,
        }
        for field, make in made.items():
            if field in self._select:
                out[field] = make()
        for field in (
            "manifest_id", "manifest_s3_id", "price_model_id", "last_queued_at", "ttl_seconds",
            "messages", "inputs_s3_urls", "outputs_s3_urls",
        ):  # fmt: skip
            if field in self._select:
                out[field] = None

    def _usage(self, run: Run, out: dict[str, Any]) -> None:
        """Always all of it: clients read the details without selecting them."""
        usage = run.usage
        out.update(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            total_tokens=usage.total_tokens,
            prompt_cost=cost_text(usage.prompt_cost),
            completion_cost=cost_text(usage.completion_cost),
            total_cost=cost_text(usage.total_cost),
            prompt_token_details=usage.prompt_token_details or None,
            completion_token_details=usage.completion_token_details or None,
            prompt_cost_details=_cost_details(usage.prompt_cost_details),
            completion_cost_details=_cost_details(usage.completion_cost_details),
        )


def _cost_details(details: Mapping[str, int]) -> dict[str, str | None] | None:
    return {key: cost_text(value) for key, value in details.items()} or None


def app_path(run: Run) -> str:
    """Where LangSmith's own page has a run: clients put their endpoint's host before it."""
    return (
        f"/o/{run.workspace}/projects/p/{run.project_id}/r/{run.id}"
        f"?trace_id={run.trace_id}&start_time={time_text(run.start_time)}"
    )


def parents(run: Run) -> list[UUID]:
    """The run's ancestors, root first."""
    if not run.dotted_order:
        return []
    try:
        return [run_id for _, run_id in parse_dotted_order(run.dotted_order)][:-1]
    except ValueError:
        return []


# -- feedback --------------------------------------------------------------------------------------------


def feedback_stats(stats: Mapping[str, FeedbackStat], *, public: bool = False) -> dict[str, Any]:
    """Key to LangSmith's shape of feedback statistics. Sources name people and other runs: not for the public."""
    return {
        key: {
            "n": stat.n,
            "avg": stat.avg,
            "stdev": stat.stdev,
            "errors": stat.errors,
            "show_feedback_arrow": False,
            "comments": stat.comments,
            "sources": [] if public else stat.sources,
            "session_min_score": stat.min,
            "session_max_score": stat.max,
            "values": stat.values,
            "contains_thread_feedback": False,
        }
        for key, stat in stats.items()
    }
