"""What the queries of the v2 API share: a window of time, a size, a cursor, and an answer as JSON or as events."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from stenograph.errors import Invalid, Unsupported
from stenograph.model.runs import Micros
from stenograph.wire.http import Params, encode, of_body
from stenograph.wire.langsmith.experiments.experiments import END_EVENT, data_event, event_stream
from stenograph.wire.langsmith.runs.convert import micros
from stenograph.wire.langsmith.runs.schemas import Moment
from stenograph.wire.langsmith.v2.schemas import AskedIn

_DAY: Final[Micros] = 86_400_000_000

MAX_TRACE: Final = 10_000
"""Runs of a trace in one answer: there are no pages of them."""


def now() -> Micros:
    return time.time_ns() // 1000


def bounds(earliest: Moment, latest: Moment) -> tuple[Micros | None, Micros | None]:
    """Both ends as they were stated, in microseconds."""
    with of_body():
        return micros(earliest, "min_start_time"), micros(latest, "max_start_time")


def since(stated: Micros | None) -> Micros:
    """The start of a window: LangSmith's is a day ago when nobody says it."""
    return now() - _DAY if stated is None else stated


def refuse(sent: AskedIn) -> None:
    """Unsupported for what changes which things are found and which nothing here can judge."""
    for name in ("ai_search", "sem_filter"):
        if getattr(sent, name) is not None:
            raise Unsupported(f"{name} needs a language model, and none is asked here: write a filter")
    for name in ("min_feedback_modified_at", "max_feedback_modified_at"):
        if getattr(sent, name) is not None:
            raise Unsupported(f"feedback cannot be bounded by the time it changed here: leave {name} out")


def page(request: Request, items: list[dict[str, Any]], cursor: str | None) -> Response:
    """A page of items. As events, where a client asks for these: a JSON Patch that makes the page, and the end."""
    found = {"items": items, "next_cursor": cursor}
    if "text/event-stream" not in request.headers.get("accept", ""):
        return encode(found)

    async def events() -> AsyncIterator[bytes]:
        yield data_event([{"op": "add", "path": "", "value": found}])
        yield END_EVENT

    return event_stream(events())


def needed(params: Params, name: str) -> UUID:
    """An id among the query parameters; Invalid when it is not there."""
    found = params.uuid(name)
    if found is None:
        raise Invalid("this is needed", ("query", name))
    return found
