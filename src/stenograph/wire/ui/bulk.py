"""What is done to many runs at once: deleted with their traces, exported, put into a queue or a dataset.

GET  /ui/api/bulk/places      queues and datasets that there are
POST /ui/api/bulk/delete      {project, traces} -> {deleted}: how many runs
POST /ui/api/bulk/export      {runs} -> JSON lines, a run each, newest first
POST /ui/api/bulk/queue       {runs, to | name} -> {id, name, added}
POST /ui/api/bulk/dataset     the same
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

import msgspec
from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from stenograph.domain.annotation.items import WantedRun
from stenograph.domain.datasets.datasets import NewDataset
from stenograph.domain.examples.drafts import ExampleDraft
from stenograph.domain.runs import USAGE
from stenograph.domain.trace_deletion import TraceDeletion
from stenograph.errors import Invalid, NotFound
from stenograph.model.access import Permission
from stenograph.model.annotation_queues import AnnotationQueue, QueueQuery
from stenograph.model.datasets import DatasetQuery
from stenograph.model.feedback import FeedbackStat
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import Micros, Run
from stenograph.wire.http import body_as, encode, services
from stenograph.wire.ui import shapes
from stenograph.wire.ui.signing_in import viewer

MAX_CHOSEN: Final = 1000
"""Runs, or traces, of one request."""
MAX_PLACES: Final = 500
_AT_ONCE: Final = 50
"""Runs with payloads in memory at a time."""

_COLUMNS: Final = USAGE | {
    "name", "run_type", "status", "error", "end_time", "first_token_time", "tags", "thread_id", "parent_run_id",
    "reference_example_id", "inputs", "outputs", "events", "extra",
}  # fmt: skip

Ids = Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=MAX_CHOSEN)]


class TracesIn(msgspec.Struct, frozen=True):
    project: UUID
    traces: Ids


class RunsIn(msgspec.Struct, frozen=True):
    runs: Ids


class PutIn(msgspec.Struct, frozen=True, kw_only=True):
    """`to` what is there, or a new one under a name."""

    runs: Ids
    to: UUID | None = None
    name: str | None = None

    def named(self) -> str:
        """The new one's name."""
        if not (self.name or "").strip():
            raise Invalid("Say where to: `to` or `name`.", ("body", "name"))
        return (self.name or "").strip()


async def places(request: Request) -> Response:
    """GET /ui/api/bulk/places: by name."""
    who = await viewer(request, Permission.READ)
    to = services(request)
    queues = await to.annotation_queues.find(QueueQuery(workspace=who.workspace, limit=MAX_PLACES))
    datasets = await to.datasets.find(DatasetQuery(workspace=who.workspace, limit=MAX_PLACES))
    found = {
        "queues": [{"id": one.queue.id, "name": one.queue.name} for one in queues],
        "datasets": [{"id": one.id, "name": one.name} for one in datasets],
    }
    return encode({kind: sorted(some, key=lambda one: str(one["name"])) for kind, some in found.items()})


async def delete(request: Request) -> Response:
    """POST /ui/api/bulk/delete. NotFound for an unknown project; traces that are gone already are no error."""
    who = await viewer(request, Permission.WRITE)
    sent = await body_as(request, TracesIn)
    to = services(request)
    project = await to.projects.read(who.workspace, sent.project)
    chosen = RunSelection(workspace=who.workspace, projects=(project.id,), traces=tuple(sent.traces))
    gone = await TraceDeletion(to.runs, to.sharing, to.queue_items).delete(chosen)
    return encode({"deleted": len(gone)})


async def queue(request: Request) -> Response:
    """POST /ui/api/bulk/queue. NotFound when the queue or one of the runs is unknown: nothing is added then."""
    who = await viewer(request, Permission.WRITE)
    sent = await body_as(request, PutIn)
    to = services(request)
    wanted = [WantedRun(run_id=run) for run in dict.fromkeys(sent.runs)]
    if sent.to is not None:
        into = await to.annotation_queues.read(who.workspace, sent.to)
    else:
        name = sent.named()
        await to.queue_items.places(who.workspace, wanted)
        now = time.time_ns() // 1000
        fresh = AnnotationQueue(
            id=uuid4(), workspace=who.workspace, name=name, created_at=now, updated_at=now
        )
        into = await to.annotation_queues.create(fresh)
    added = await to.queue_items.add(who.workspace, into.id, wanted)
    return encode({"id": into.id, "name": into.name, "added": len(added)})


async def dataset(request: Request) -> Response:
    """POST /ui/api/bulk/dataset: an example of each run's inputs, outputs and files, all as one version.

    NotFound when the dataset or one of the runs is unknown; Invalid when one does not fit the schema.
    """
    who = await viewer(request, Permission.WRITE)
    sent = await body_as(request, PutIn)
    to = services(request)
    drafts = [ExampleDraft(source_run_id=run, use_source_run_io=True) for run in dict.fromkeys(sent.runs)]
    if sent.to is not None:
        into = await to.datasets.read(who.workspace, sent.to)
        await to.examples.add(who.workspace, into.id, drafts)
    else:
        into = await to.examples.create_dataset(who.workspace, NewDataset(name=sent.named()), drafts)
    return encode({"id": into.id, "name": into.name, "added": len(drafts)})


# -- export ----------------------------------------------------------------------------------------------


async def export(request: Request) -> Response:
    """POST /ui/api/bulk/export. NotFound when none of the runs is there."""
    who = await viewer(request, Permission.READ)
    sent = await body_as(request, RunsIn)
    wanted = list(dict.fromkeys(sent.runs))
    to = services(request)
    found = await to.runs.page(
        RunQuery(
            selection=RunSelection(workspace=who.workspace, ids=tuple(wanted)),
            columns=frozenset(),
            limit=len(wanted),
        )
    )
    if not found:
        raise NotFound("There is none of these runs.")

    async def lines() -> AsyncIterator[bytes]:
        for at in range(0, len(found), _AT_ONCE):
            ids = tuple(run.id for run in found[at : at + _AT_ONCE])
            chosen = RunSelection(workspace=who.workspace, ids=ids)
            runs = await to.runs.page(RunQuery(selection=chosen, columns=_COLUMNS, limit=len(ids)))
            feedback = await to.runs.feedback_of(who.workspace, runs)
            for run in runs:
                yield _encoder.encode(line(run, feedback.get(run.id, {}))) + b"\n"

    return StreamingResponse(
        lines(),
        media_type="application/x-ndjson",
        headers={
            "Content-Disposition": 'attachment; filename="runs.jsonl"',
            "X-Content-Type-Options": "nosniff",
        },
    )


_encoder = msgspec.json.Encoder()


def line(run: Run, feedback: Mapping[str, FeedbackStat]) -> dict[str, Any]:
    """A run on a line of its own, by the names that LangSmith's export has; payloads as they were sent."""
    return {
        "id": run.id,
        "trace_id": run.trace_id,
        "parent_run_id": run.parent_run_id,
        "session_id": run.project_id,
        "name": run.name,
        "run_type": run.run_type,
        "status": run.status,
        "error": run.error,
        "start_time": _moment(run.start_time),
        "end_time": _moment(run.end_time),
        "first_token_time": _moment(run.first_token_time),
        "thread_id": run.thread_id,
        "reference_example_id": run.reference_example_id,
        "tags": run.tags or [],
        "inputs": _raw(run.inputs),
        "outputs": _raw(run.outputs),
        "extra": _raw(run.extra),
        "events": _raw(run.events),
        "prompt_tokens": run.usage.prompt_tokens,
        "completion_tokens": run.usage.completion_tokens,
        "total_tokens": run.usage.total_tokens,
        "total_cost": shapes.dollars(run.usage.total_cost),
        "feedback": shapes.averages(feedback),
    }


def _raw(document: bytes | None) -> Raw | None:
    """As sent, on one line: between the tokens of JSON a line's end is a space, and inside of texts there is none."""
    return None if document is None else Raw(document.replace(b"\n", b" ").replace(b"\r", b" "))


def _moment(at: Micros | None) -> str | None:
    """ISO 8601 in UTC, to the microsecond."""
    if at is None:
        return None
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=at)).isoformat()


def routes() -> list[BaseRoute]:
    return [
        Route("/ui/api/bulk/places", places, methods=["GET"]),
        Route("/ui/api/bulk/delete", delete, methods=["POST"]),
        Route("/ui/api/bulk/export", export, methods=["POST"]),
        Route("/ui/api/bulk/queue", queue, methods=["POST"]),
        Route("/ui/api/bulk/dataset", dataset, methods=["POST"]),
    ]
