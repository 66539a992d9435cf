"""A run and its feedback as a HoneyHive event. Pure: no store, no clock. docs/honeyhive.md has the table of fields.

Payloads are spliced in as they were sent; only metadata that gets more members (figures of a model call, roll-ups of a
session) is taken apart, and that at its top alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Raw

from stenograph.domain.runs import USAGE
from stenograph.domain.usage.usage import MODEL_RUNS
from stenograph.model.feedback import Feedback, Shelf, shelf
from stenograph.model.runs import Micros, Run, Usage
from stenograph.wire.honeyhive.times import millis

COLUMNS: Final = (
    frozenset({"name", "run_type", "parent_run_id", "dotted_order", "end_time", "error"})
    | frozenset({"inputs", "outputs", "extra"})
    | USAGE
)
"""The run store's columns that an event is made of."""

RUN_TYPES: Final = {"model": "llm", "tool": "tool", "chain": "chain", "session": "chain", "generic": "chain"}
"""HoneyHive's event types, and the run type that each is stored as."""

SESSION: Final = "session"
TOOL_RUNS: Final = frozenset({"tool", "retriever"})
EXPLANATION: Final = "_explanation"

_EMPTY: Final = Raw(b"{}")
_NO_LIST: Final = Raw(b"[]")


class _Extra(msgspec.Struct, gc=False):
    metadata: Raw = _EMPTY
    honeyhive: Raw = _EMPTY


class Aside(msgspec.Struct, gc=False):
    """What an event has and runs have no field for: `extra.honeyhive`."""

    config: Raw = _EMPTY
    user_properties: Raw = _EMPTY
    source: Raw = _EMPTY
    children_ids: Raw = _NO_LIST
    event_type: Raw = _EMPTY
    duration: Raw = _EMPTY


_extra = msgspec.json.Decoder(_Extra).decode
_aside = msgspec.json.Decoder(Aside).decode
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_text = msgspec.json.Decoder(str).decode
_texts = msgspec.json.Decoder(list[str]).decode
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def event(
    run: Run, feedback: Iterable[Feedback] = (), metadata: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The whole event, to be encoded with `wire.http.encode`.

    `run` has COLUMNS, its usage being its own. `feedback` is all that is known of it, in any order. `metadata` are
    members to show there whatever was sent: a session's roll-ups. What is unknown is left out rather than null, but
    for `parent_id` and `error`: HoneyHive's TypeScript client takes null for nothing else.
    """
    stored, aside = parts(run.extra)
    kind = event_type(run, aside)
    judged = shelves(feedback)
    found: dict[str, Any] = {
        "event_id": run.id,
        "session_id": run.trace_id,
        "parent_id": run.parent_run_id,
        "project_id": run.project_id,
        "org_id": run.workspace,
        "workspace_id": run.workspace,
        "tenant": run.workspace,
        "event_type": kind,
        "event_name": run.name or "unknown",
        "config": _object(aside.config),
        "children_ids": _ids(aside.children_ids),
        "inputs": _payload(run.inputs),
        "outputs": _payload(run.outputs),
        "error": run.error,
        "start_time": millis(run.start_time),
        "metadata": _metadata(stored, kind, run.usage, metadata or {}),
        "feedback": judged[Shelf.FEEDBACK],
        "metrics": judged[Shelf.METRICS],
        "user_properties": _object(aside.user_properties),
    }
    source = text_of(aside.source)
    if source is not None:
        found["source"] = source
    if run.end_time is not None:
        found["end_time"] = run.end_time // 1000  # its TypeScript client insists on a whole number here alone
        found["duration"] = duration(run.start_time, run.end_time)
    if bytes(aside.duration)[:1] in b"-0123456789":  # stated, and another than start and end come to
        found["duration"] = aside.duration
    return found


def duration(start: Micros, end: Micros) -> int | float:
    """Milliseconds."""
    return millis(end - start)


# -- what a run's extra has for an event -----------------------------------------------------------------


def parts(extra: bytes | None) -> tuple[Raw, Aside]:
    """The metadata of a run's `extra` as it was sent, and what stands beside it for HoneyHive."""
    if extra is None:
        return _EMPTY, Aside()
    try:
        found = _extra(extra)
    except _BROKEN:
        return _EMPTY, Aside()
    if found.honeyhive is _EMPTY:
        return _object(found.metadata), Aside()
    try:
        return _object(found.metadata), _aside(found.honeyhive)
    except _BROKEN:
        return _object(found.metadata), Aside()


def event_type(run: Run, aside: Aside) -> str:
    """A trace's root is the session; other runs are what their type comes to. What was stated wins where the run is
    still of the type that it was stored as: a client of LangSmith may have changed it since."""
    stated = text_of(aside.event_type)
    if stated is not None and RUN_TYPES.get(stated) == run.run_type:
        return stated
    return SESSION if run.is_root else event_type_of(run.run_type)


def event_type_of(run_type: str | None) -> str:
    """What a run of this type is to HoneyHive, unless it is a root."""
    if run_type in MODEL_RUNS:
        return "model"
    return "tool" if run_type in TOOL_RUNS else "chain"


def text_of(document: Raw) -> str | None:
    """A JSON text that is not empty; None for anything else."""
    raw = bytes(document)
    if raw[:1] != b'"':
        return None
    try:
        return _text(raw) or None
    except _BROKEN:
        return None


def _object(document: Raw) -> Raw:
    return document if bytes(document)[:1] == b"{" else _EMPTY


def _payload(document: bytes | None) -> Raw:
    return Raw(document) if document is not None and document[:1] == b"{" else _EMPTY


def _ids(document: Raw) -> list[str]:
    if document is _NO_LIST:
        return []
    try:
        return _texts(document)
    except _BROKEN:
        return []


# -- metadata --------------------------------------------------------------------------------------------


def _metadata(stored: Raw, kind: str, usage: Usage, more: Mapping[str, Any]) -> Any:
    own = figures(usage) if kind == "model" else {}
    if not own and not more:
        return stored
    try:
        return {**own, **_members(stored), **more}
    except _BROKEN:
        return {**own, **more}


def figures(usage: Usage) -> dict[str, int | float]:
    """A model call's tokens and cost in dollars, under HoneyHive's names, as far as they are known."""
    found: dict[str, int | float] = {}
    if usage.prompt_tokens or usage.completion_tokens or usage.total_tokens:
        found["prompt_tokens"] = usage.prompt_tokens
        found["completion_tokens"] = usage.completion_tokens
        found["total_tokens"] = usage.total_tokens
    if usage.total_cost is not None:
        found["cost"] = usage.total_cost / 1e12
    return found


# -- feedback --------------------------------------------------------------------------------------------


def by_run(feedback: Iterable[Feedback]) -> dict[UUID, list[Feedback]]:
    """The pieces of each run."""
    found: dict[UUID, list[Feedback]] = {}
    for item in feedback:
        if item.run_id is not None:
            found.setdefault(item.run_id, []).append(item)
    return found


def shelves(feedback: Iterable[Feedback]) -> dict[Shelf, dict[str, Any]]:
    """An event's `metrics` and `feedback`: of several pieces of one key the newest. What is said in words beside a
    score or a value stands under `<key>_explanation`."""
    newest: dict[tuple[Shelf, str], Feedback] = {}
    for item in sorted(feedback, key=_age):
        newest[shelf(item), item.key] = item
    found: dict[Shelf, dict[str, Any]] = {Shelf.METRICS: {}, Shelf.FEEDBACK: {}}
    for (side, key), item in newest.items():
        if (value := judgement(item)) is not None:
            found[side][key] = value
    for (side, key), item in newest.items():
        if item.comment:
            own = newest.get((side, key + EXPLANATION))
            if own is None or judgement(own) is None or _age(own) < _age(item):
                found[side][key + EXPLANATION] = item.comment
    return found


def _age(item: Feedback) -> tuple[Micros, Micros, str]:
    return item.modified_at, item.created_at, str(item.id)


def judgement(item: Feedback) -> Any:
    """The score as it was given, else the value; None when there is neither."""
    if item.raw_score is not None:
        return Raw(item.raw_score)
    if item.score is not None:
        return item.score
    return None if item.value is None else Raw(item.value)


# -- answers ---------------------------------------------------------------------------------------------


def answer(events: Sequence[Mapping[str, Any]], count: int) -> dict[str, Any]:
    """A page of events. Clients of one age read `count`, those of another `totalEvents`: how many match in all."""
    return {"events": events, "count": count, "totalEvents": count}
