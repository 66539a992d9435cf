"""What was said of an event, as a part of its run. Pure.

Whatever is sent is a part: what came before it, or comes after, is joined with it (RunPatch.merges).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Raw

from stenograph.model.runs import Micros, RunPatch
from stenograph.wire.honeyhive.events.incoming import Said

_encode = msgspec.json.Encoder().encode
_LATEST: Final = 10_413_792_000_000_000
"""The end of the year 2299, in microseconds: as far as the run store counts."""


class _Model(msgspec.Struct, gc=False):
    model: str | None = None


_model = msgspec.json.Decoder(_Model).decode


def create(
    said: Said, run_id: UUID, workspace: UUID, now: Micros, start: Micros, end: Micros | None
) -> RunPatch:
    """What an event says of itself, without where it stands."""
    sourced = replace(said, source=said.source or "unknown")
    return RunPatch(
        workspace=workspace,
        id=run_id,
        create=True,
        received_at=now,
        name=said.name or "unknown",
        run_type=said.run_type,
        start_time=start,
        end_time=end,
        error=said.error,
        inputs=said.inputs,
        outputs=said.outputs,
        extra=extra(sourced, start, end, kind=said.kind),
        merges=True,
    )


def replacing(session: RunPatch) -> RunPatch:
    """What a session's own event says in place of what stood in for it; for the rest it gives way, being a create."""
    return RunPatch(
        workspace=session.workspace,
        id=session.id,
        create=False,
        received_at=session.received_at,
        project_id=session.project_id,
        reference_example_id=session.reference_example_id,
        name=session.name,
        start_time=session.start_time,
        dotted_order=session.dotted_order,
    )


def times_of(said: Said, now: Micros, *, finishes: bool = True) -> tuple[Micros, Micros | None]:
    """When it began and ended, from what was said of start, end and duration.

    What nobody has timed happens now. With outputs or an error it is over, unless `finishes` is False: sessions go on.
    """
    start, end = said.start, said.end
    length = None if said.duration is None else round(said.duration * 1000)
    over = finishes and (said.outputs is not None or said.error is not None)
    if start is None:
        if end is None and (length is not None or over):
            end = now
        start = (now if end is None else end) - (length or 0)
    if end is None and length is not None:
        end = start + length
    if end is None and over:
        end = start
    return _within(start), None if end is None else _within(end)


def _within(moment: Micros) -> Micros:
    return min(max(moment, 0), _LATEST - 1)


def extra(said: Said, start: Micros | None, end: Micros | None, kind: str | None = None) -> bytes | None:
    """What runs have no field for, as a part of `extra`; None when there is nothing to say.

    A duration is kept where start and end do not come to it, or are not known here. The model's name is repeated where
    prices are looked for.
    """
    aside: dict[str, Raw | str | float | None] = {}
    for name in ("config", "user_properties", "children_ids"):
        document = getattr(said, name)
        if document is not None:
            aside[name] = Raw(document)
    if said.source is not None:
        aside["source"] = said.source
    if kind is not None:
        aside["event_type"] = kind
    if said.duration is not None:
        if start is None or end is None or abs(end - start - said.duration * 1000) > 1:
            aside["duration"] = said.duration
        elif kind is None:
            aside["duration"] = None  # what was said of it before holds no more
    elif said.end is not None and kind is None:
        aside["duration"] = None
    found: dict[str, Raw | dict[str, Raw | str | float | None] | dict[str, str]] = {}
    if said.metadata is not None:
        found["metadata"] = Raw(said.metadata)
    if aside:
        found["honeyhive"] = aside
    if said.config is not None and (model := _model_in(said.config)):
        found["invocation_params"] = {"model": model}
    return _encode(found) if found else None


def _model_in(config: bytes) -> str | None:
    if b'"model"' not in config:
        return None
    try:
        return _model(config).model
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
