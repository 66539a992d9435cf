"""HoneyHive's route that makes datapoints of events: those that are named, or all that match."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stenograph.domain.examples.drafts import ExampleDraft
from stenograph.domain.recording.places import named
from stenograph.errors import Invalid, NotFound
from stenograph.model.access import Permission
from stenograph.model.filters import Filter
from stenograph.model.query import RunQuery, RunSelection
from stenograph.wire.honeyhive.datasets.rows import event_draft
from stenograph.wire.honeyhive.datasets.schemas import BatchIn, MappingIn
from stenograph.wire.honeyhive.datasets.shapes import an_id
from stenograph.wire.honeyhive.events import filters, reads, shapes
from stenograph.wire.honeyhive.requests import period
from stenograph.wire.http import body_as, caller, encode, services

MAX_EVENTS: Final = 5_000
"""Events that one request may make datapoints of."""

PAGE: Final = 100
"""Events read at a time: they may be large."""


def routes() -> list[Route]:
    return [Route("/v1/datapoints/batch", create_batch, methods=["POST"])]


async def create_batch(request: Request) -> Response:
    """POST /v1/datapoints/batch: a datapoint an event, all of them or none; in the order that the events are named,
    or in which they happened."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    sent = await body_as(request, BatchIn)
    dataset_id = None if sent.dataset_id is None else an_id(sent.dataset_id, "dataset")
    if dataset_id is not None:
        await to.datasets.check(who.workspace, dataset_id)
    chosen = await _chosen(request, who.workspace, sent)
    drafts = _drafts(request, who.workspace, chosen, sent.mapping)
    made = await to.datapoints.points.create_many(who.workspace, dataset_id, drafts, len(chosen))
    return encode({"inserted": True, "insertedIds": made})


async def _chosen(request: Request, workspace: UUID, sent: BatchIn) -> list[UUID]:
    """The events. `checkState` names more of them, and with `selectAll` those that are not meant."""
    checked = sent.checkState or {}
    texts = dict.fromkeys([*(sent.events or ()), *(text for text, on in checked.items() if on)])
    if not texts and not sent.selectAll:
        raise Invalid("name events, or say selectAll", ("body", "events"))
    if len(texts) > MAX_EVENTS:
        raise Invalid(f"at most {MAX_EVENTS} events at once", ("body", "events"))
    wanted, bounds = _filter(sent.filters), period(sent.dateRange)
    ids = {named(text): text for text in texts}
    query = RunQuery(
        selection=RunSelection(
            workspace=workspace,
            ids=() if sent.selectAll else tuple(ids),
            since=bounds.since,
            until=bounds.until,
            filter=wanted,
        ),
        columns=frozenset(),
        limit=MAX_EVENTS + len(checked) + 1,
        newest_first=False,
    )
    there = [run.id for run in await services(request).runs.page(query)]
    if sent.selectAll:
        left_out = {named(text) for text, on in checked.items() if not on}
        there = [each for each in there if each not in left_out]
        if len(there) > MAX_EVENTS:
            raise Invalid(f"more than {MAX_EVENTS} events match: filter them", ("body", "filters"))
        return there
    found = set(there)
    if wanted is None and bounds.since is None and bounds.until is None:
        missing = next((text for each, text in ids.items() if each not in found), None)
        if missing is not None:
            raise NotFound(f"event not found: {missing[:80]}")
    return [each for each in ids if each in found]


def _filter(sent: Any) -> Filter | None:
    """Filters are a list of them, or one alone."""
    if sent is None or sent == {}:
        return None
    return filters.read([sent] if isinstance(sent, dict) else sent)


async def _drafts(
    request: Request, workspace: UUID, ids: Sequence[UUID], mapping: MappingIn | None
) -> AsyncIterator[ExampleDraft]:
    to = services(request)
    for start in range(0, len(ids), PAGE):
        page = ids[start : start + PAGE]
        selection = RunSelection(workspace=workspace, ids=tuple(page))
        runs = {
            run.id: run
            for run in await to.runs.apart(
                RunQuery(selection=selection, columns=shapes.COLUMNS, limit=len(page))
            )
        }
        for event in await reads.events(request, workspace, [runs[each] for each in page if each in runs]):
            yield event_draft(event, mapping, to.payloads)
