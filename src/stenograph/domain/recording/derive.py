"""From what clients said of a run to the row that is stored: everything we work out ourselves, once a write.

Pure: prices come as a snapshot, an example's metadata as it is. Runs on the flush thread, 10,000 times a second: it
looks into a payload only where a byte search says that there is something to find.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.model.carried_metadata import Members, carry
from stenograph.model.runs import EXTRA_IS_OURS, Facts, Micros, Run, Usage, parse_dotted_order

THREAD_KEYS: Final = ("session_id", "thread_id", "conversation_id")
"""Metadata keys that name a thread; the first that is set wins."""

_MAX_METADATA_VALUE: Final = 64 * 1024
"""Characters of one metadata value that filters see. The value itself is stored whole in `extra`."""

UsageOf = Callable[[str | None, bytes | None, bytes | None, Micros], Usage]
"""(run type, outputs, extra, start) to tokens and cost: domain.pricing, bound to a workspace's prices."""


class _Extra(msgspec.Struct):
    metadata: dict[str, Any] | None = None


class _Event(msgspec.Struct):
    name: str | None = None
    time: str | float | int | None = None


_extra = msgspec.json.Decoder(_Extra).decode
_events = msgspec.json.Decoder(list[_Event]).decode
_document = msgspec.json.Encoder().encode


NO_PROJECT: Final = UUID(int=0)
"""Where a run stands until a client names its project: an update that came before its create."""


def derive(facts: Facts, version: int, usage: UsageOf, example: Members | None = None) -> Run:
    """The row for these facts. `example` is what the run takes over from the example that it answers."""
    start = _start(facts)
    trace_id, parent, dotted_order = _place(facts, start)
    extra = facts.extra if example is None else carry(facts.extra, example)
    metadata = _metadata(extra)
    metadata["ls_run_depth"] = str(dotted_order.count("."))
    return Run(
        workspace=facts.workspace,
        id=facts.id,
        project_id=facts.project_id or NO_PROJECT,
        trace_id=trace_id,
        start_time=start,
        version=version,
        is_root=parent is None,
        parent_run_id=parent,
        dotted_order=dotted_order,
        name=facts.name,
        run_type=facts.run_type,
        status="error" if facts.error is not None else "success" if facts.end_time is not None else "pending",
        end_time=facts.end_time,
        first_token_time=_first_token(facts.events),
        received_at=facts.received_at,
        error=facts.error,
        inputs=facts.inputs,
        outputs=facts.outputs,
        events=facts.events,
        extra=extra,
        serialized=facts.serialized,
        tags=facts.tags,
        metadata=metadata,
        thread_id=_thread(metadata),
        reference_example_id=facts.reference_example_id,
        attachments=facts.attachments,
        stated=facts.stated if facts.extra is not None or extra is None else facts.stated | EXTRA_IS_OURS,
        usage=usage(facts.run_type, facts.outputs, facts.extra, start),
    )


def _start(facts: Facts) -> Micros:
    """The start as stated, else the time in the last segment of dotted_order, else when we first heard of it."""
    if facts.start_time is not None:
        return facts.start_time
    if facts.dotted_order:
        stamp = facts.dotted_order.rpartition(".")[2].partition("Z")[0]
        try:
            moment = dt.datetime.strptime(stamp, "%Y%m%dT%H%M%S%f").replace(tzinfo=dt.UTC)
        except ValueError:
            pass
        else:
            return micros(moment)
    return facts.received_at


_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def micros(moment: dt.datetime) -> Micros:
    """Microseconds since the epoch; a naive time is UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    # exact: a double holds microseconds to within a third until the year 2250
    return round(moment.timestamp() * 1_000_000)


def stamp(moment: Micros) -> str:
    """A time as it stands in dotted_order."""
    seconds, rest = divmod(moment, 1_000_000)
    return f"{_second(seconds)}{rest:06d}Z"


@lru_cache(10_000)
def _second(seconds: int) -> str:
    return (_EPOCH + dt.timedelta(seconds=seconds)).strftime("%Y%m%dT%H%M%S")


def _place(facts: Facts, start: Micros) -> tuple[UUID, UUID | None, str]:
    """Trace, parent and dotted_order. What is missing follows from the rest; a parent we know nothing of is
    taken for a root that started with us."""
    order = facts.dotted_order
    if order and facts.trace_id is not None and (facts.parent_run_id is not None or "." not in order):
        return facts.trace_id, facts.parent_run_id, order
    if order:
        try:
            path = parse_dotted_order(order)
        except ValueError:
            path = []
        if path:
            parent = facts.parent_run_id or (path[-2][1] if len(path) > 1 else None)
            return facts.trace_id or path[0][1], parent, order
    own = stamp(start) + str(facts.id)
    if facts.parent_run_id is None:
        return facts.trace_id or facts.id, None, own
    above = stamp(start) + str(facts.parent_run_id)
    return facts.trace_id or facts.parent_run_id, facts.parent_run_id, f"{above}.{own}"


def _metadata(extra: bytes | None) -> dict[str, str]:
    """`extra.metadata` as text to text, in a new dict: strings as they are, the rest as JSON, null left out."""
    if extra is None or b'"metadata"' not in extra:
        return {}
    try:
        found = _extra(extra).metadata
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    if not found:
        return {}
    # Nearly all of it is text already: what the decoder made is kept, and only the rest replaced.
    for key in [
        key for key, value in found.items() if type(value) is not str or len(value) > _MAX_METADATA_VALUE
    ]:
        if found[key] is None:
            del found[key]
        else:
            found[key] = _flat(found[key])
    return found


def _flat(value: Any) -> str:
    text = value if isinstance(value, str) else _document(value).decode()
    return text[:_MAX_METADATA_VALUE]


def _thread(metadata: dict[str, str]) -> str | None:
    for key in THREAD_KEYS:
        if named := metadata.get(key):
            return named
    return None


def _first_token(events: bytes | None) -> Micros | None:
    """When the first `new_token` event happened."""
    if events is None or b'"new_token"' not in events:
        return None
    try:
        found: list[Any] = _events(events)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    for event in found:
        if event.name == "new_token" and event.time is not None:
            return moment(event.time)
    return None


def moment(value: str | float | dt.datetime) -> Micros | None:
    """A client's time: ISO with or without offset (naive is UTC), or an epoch in seconds or milliseconds.

    Numbers above 2·10¹⁰ are milliseconds: as seconds they would lie beyond the year 2600. None when it is none
    of these, or lies outside the years that the store can hold (1970 to 2299).
    """
    found: Micros
    if isinstance(value, dt.datetime):
        found = micros(value)
    elif isinstance(value, str):
        try:
            found = micros(dt.datetime.fromisoformat(value.strip()))
        except (ValueError, OverflowError):
            return None
    else:
        try:
            found = round(value * (1_000 if abs(value) > 2e10 else 1_000_000))
        except (ValueError, OverflowError):
            return None
    return found if 0 <= found < 10_413_792_000_000_000 else None
