"""An event as clients send it, read into a value. Pure: no store, no clock but what is passed in.

HoneyHive's `/v1` paths are strict, the older ones forgive: there unknown fields are passed over, a time that is no
number counts as not sent, an id that is no uuid stands for one that follows from it, and inputs or outputs that are no
object are put into one. What neither takes is said with the path to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import msgspec
from msgspec import Raw

from stenograph.domain.recording.places import named
from stenograph.errors import Invalid
from stenograph.model.runs import Micros
from stenograph.wire.honeyhive import times
from stenograph.wire.honeyhive.events.shapes import RUN_TYPES
from stenograph.wire.http import decode
from stenograph.wire.payloads import Payloads, check_integers

T = TypeVar("T")

TYPES: Final = ("model", "tool", "chain", "session")
_NULL: Final = b"null"
_ABSENT: Final = Raw()


class EventIn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The members of an event, as they stand in the body."""

    project_id: Raw = _ABSENT
    source: Raw = _ABSENT
    event_name: Raw = _ABSENT
    event_type: Raw = _ABSENT
    event_id: Raw = _ABSENT
    session_id: Raw = _ABSENT
    parent_id: Raw = _ABSENT
    children_ids: Raw = _ABSENT
    config: Raw = _ABSENT
    inputs: Raw = _ABSENT
    outputs: Raw = _ABSENT
    error: Raw = _ABSENT
    start_time: Raw = _ABSENT
    end_time: Raw = _ABSENT
    duration: Raw = _ABSENT
    metadata: Raw = _ABSENT
    feedback: Raw = _ABSENT
    metrics: Raw = _ABSENT
    user_properties: Raw = _ABSENT


class LegacyEventIn(EventIn, forbid_unknown_fields=False, gc=False):
    """The same on the older paths."""

    project: Raw = _ABSENT


class SessionIn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The members of a session that is to be started."""

    session_id: Raw = _ABSENT
    session_name: Raw = _ABSENT
    event_name: Raw = _ABSENT
    source: Raw = _ABSENT
    start_time: Raw = _ABSENT
    end_time: Raw = _ABSENT
    duration: Raw = _ABSENT
    config: Raw = _ABSENT
    inputs: Raw = _ABSENT
    outputs: Raw = _ABSENT
    metadata: Raw = _ABSENT
    user_properties: Raw = _ABSENT
    children_ids: Raw = _ABSENT


class LegacySessionIn(SessionIn, forbid_unknown_fields=False, gc=False):
    """The same on the older paths."""

    project: Raw = _ABSENT
    metrics: Raw = _ABSENT
    feedback: Raw = _ABSENT
    error: Raw = _ABSENT


class UpdateIn(msgspec.Struct, gc=False):
    """What may be said of an event later. Unknown members are passed over, as HoneyHive's description of both
    generations has it."""

    event_id: Raw = _ABSENT
    metadata: Raw = _ABSENT
    feedback: Raw = _ABSENT
    metrics: Raw = _ABSENT
    outputs: Raw = _ABSENT
    config: Raw = _ABSENT
    user_properties: Raw = _ABSENT
    duration: Raw = _ABSENT
    end_time: Raw = _ABSENT
    children_ids: Raw = _ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said of an event or a session: documents are JSON objects that are fit to be stored (`children_ids` an
    array, not empty), None where nothing is said. `duration` in milliseconds."""

    kind: str = "session"
    name: str | None = None
    project: str | None = None
    project_id: UUID | None = None
    id: UUID | None = None
    session: UUID | None = None
    parent: UUID | None = None
    source: str | None = None
    start: Micros | None = None
    end: Micros | None = None
    duration: float | None = None
    error: str | None = None
    inputs: bytes | None = None
    outputs: bytes | None = None
    config: bytes | None = None
    metadata: bytes | None = None
    user_properties: bytes | None = None
    children_ids: bytes | None = None
    metrics: bytes | None = None
    feedback: bytes | None = None

    @property
    def run_type(self) -> str:
        return RUN_TYPES[self.kind]


def new_id() -> UUID:
    """For an event that comes without one."""
    return uuid4()


def body(raw: bytes, payloads: Payloads) -> bytes:
    """A body that is fit to be taken apart, and its parts to be read below and stored. Invalid when it is no JSON
    object."""
    found = payloads.check_parts(raw, "body", "object")
    if found is None:
        raise Invalid("the body is empty; a JSON object is expected", ("body",))
    return found


def event(document: bytes, *, strict: bool) -> Said:
    """An event to be created. `event_type` and `inputs` are required."""
    check_integers(document, "event")
    sent: EventIn = decode(document, EventIn if strict else LegacyEventIn)
    read = _Reader(strict)
    kind = read.text(sent.event_type, "event_type")
    if kind is None:
        raise Invalid("event_type is missing: give model, tool, chain or session", ("event_type",))
    kind = kind if strict else kind.strip().lower()
    if kind not in TYPES and (strict or kind not in RUN_TYPES):
        raise Invalid(f"event_type {kind[:40]!r} is not one of {', '.join(TYPES)}", ("event_type",))
    if _nothing(sent.inputs):
        raise Invalid("inputs is missing: give a JSON object, an empty one if need be", ("inputs",))
    return replace(
        _content(read, sent),
        kind=kind,
        name=read.text(sent.event_name, "event_name"),
        project=read.text(sent.project, "project") if isinstance(sent, LegacyEventIn) else None,
        project_id=_uuid_or_none(read.text(sent.project_id, "project_id")),
        id=read.id(sent.event_id, "event_id"),
        session=read.id(sent.session_id, "session_id"),
        parent=read.id(sent.parent_id, "parent_id"),
        start=read.time(sent.start_time, "start_time"),
        end=read.time(sent.end_time, "end_time"),
        error=read.error(sent.error),
        metrics=read.members(sent.metrics, "metrics"),
        feedback=read.members(sent.feedback, "feedback"),
    )


def session(document: bytes, *, strict: bool) -> Said:
    """A session to be started. Nothing is required; an id that is no uuid counts as none, a time that is no number too,
    on the strict path as well: HoneyHive's description says so."""
    check_integers(document, "session")
    sent: SessionIn = decode(document, SessionIn if strict else LegacySessionIn)
    read = _Reader(strict)
    lax = _Reader(False)
    older = sent if isinstance(sent, LegacySessionIn) else LegacySessionIn()
    return replace(
        _content(read, sent),
        name=read.text(sent.event_name, "event_name") or read.text(sent.session_name, "session_name"),
        project=read.text(older.project, "project"),
        id=_uuid_or_none(lax.text(sent.session_id, "session_id")),
        start=lax.time(sent.start_time, "start_time"),
        end=lax.time(sent.end_time, "end_time"),
        error=read.error(older.error),
        metrics=read.members(older.metrics, "metrics"),
        feedback=read.members(older.feedback, "feedback"),
    )


def _content(read: _Reader, sent: EventIn | SessionIn) -> Said:
    """What events and sessions say alike."""
    return Said(
        source=read.text(sent.source, "source"),
        duration=read.duration(sent.duration),
        inputs=read.payload(sent.inputs, "inputs"),
        outputs=read.payload(sent.outputs, "outputs"),
        config=read.members(sent.config, "config"),
        metadata=read.members(sent.metadata, "metadata"),
        user_properties=read.members(sent.user_properties, "user_properties"),
        children_ids=read.ids(sent.children_ids, "children_ids"),
    )


def update(document: bytes, *, strict: bool) -> Said:
    """What is said of an event later. Outputs replace, and have to be an object; null leaves them as they are."""
    check_integers(document, "event")
    sent = decode(document, UpdateIn)
    read = _Reader(strict)
    return Said(
        id=read.id(sent.event_id, "event_id"),
        end=read.time(sent.end_time, "end_time"),
        duration=read.duration(sent.duration),
        outputs=read.members(sent.outputs, "outputs"),
        config=read.members(sent.config, "config"),
        metadata=read.members(sent.metadata, "metadata"),
        user_properties=read.members(sent.user_properties, "user_properties"),
        children_ids=read.ids(sent.children_ids, "children_ids"),
        metrics=read.members(sent.metrics, "metrics"),
        feedback=read.members(sent.feedback, "feedback"),
    )


def _nothing(sent: Raw) -> bool:
    raw = bytes(sent)
    return not raw or raw == _NULL


def _uuid_or_none(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None


class _Reader:
    """Members of a body that has been checked (see `body`), as values; None for null and for what is not there."""

    def __init__(self, strict: bool) -> None:
        self._strict = strict

    def text(self, sent: Raw, name: str) -> str | None:
        """A text that is not empty; on the older paths anything else is written as JSON."""
        if _nothing(sent):
            return None
        raw = bytes(sent)
        if raw[:1] == b'"':
            return decode(raw, str) or None
        if self._strict:
            raise Invalid(f"{name} must be a text, not {_start(raw)}", (name,))
        return raw.decode("utf-8", "replace")

    def error(self, sent: Raw) -> str | None:
        """As `text`, but an empty one says that something failed."""
        return "" if bytes(sent) == b'""' else self.text(sent, "error")

    def id(self, sent: Raw, name: str) -> UUID | None:
        text = self.text(sent, name)
        if text is None:
            return None
        if not self._strict:
            return named(text)
        found = _uuid_or_none(text)
        if found is None:
            raise Invalid(f"{name} {text[:80]!r} is not a uuid", (name,))
        return found

    def number(self, sent: Raw, name: str) -> float | int | None:
        if _nothing(sent):
            return None
        raw = bytes(sent)
        if raw[:1] in b"-0123456789":
            try:
                return msgspec.json.decode(raw, type=float)
            except msgspec.DecodeError:
                pass
        if self._strict:
            raise Invalid(f"{name} must be a number, not {_start(raw)}", (name,))
        return None

    def time(self, sent: Raw, name: str) -> Micros | None:
        """Milliseconds since 1970, or what is so large that it must be microseconds, as HoneyHive's LangChain tracer
        for TypeScript sends, or nanoseconds."""
        number = self.number(sent, name)
        if number is None:
            return None
        found = None
        if number >= 0:
            found = times.moment(number) or times.moment(number / 1e3) or times.moment(number / 1e6)
        if found is None and self._strict:
            raise Invalid(f"{name} {_start(bytes(sent))} is not a time in milliseconds since 1970", (name,))
        return found

    def duration(self, sent: Raw) -> float | None:
        number = self.number(sent, "duration")
        if number is None or not math.isfinite(number):
            return None
        return number if -_LONGEST < number < _LONGEST else None

    def members(self, sent: Raw, name: str) -> bytes | None:
        """A JSON object."""
        if _nothing(sent):
            return None
        raw = bytes(sent)
        if raw[:1] != b"{":
            raise Invalid(f"{name} must be a JSON object, not {_start(raw)}", (name,))
        return raw

    def payload(self, sent: Raw, name: str) -> bytes | None:
        """Inputs or outputs: an object. HoneyHive itself puts lists into one; here everything else too."""
        if _nothing(sent):
            return None
        raw = bytes(sent)
        if raw[:1] == b"{":
            return raw
        if self._strict and (raw[:1] != b"[" or name == "inputs"):
            raise Invalid(f"{name} must be a JSON object, not {_start(raw)}", (name,))
        return b'{"value":' + raw + b"}"

    def ids(self, sent: Raw, name: str) -> bytes | None:
        """A list of texts; an empty one says nothing."""
        if _nothing(sent):
            return None
        try:
            found: Any = msgspec.json.decode(bytes(sent), type=list[str])
        except msgspec.DecodeError:
            raise Invalid(f"{name} must be a list of texts, not {_start(bytes(sent))}", (name,)) from None
        return msgspec.json.encode(found) if found else None


_LONGEST: Final = 4e11
"""Milliseconds, a dozen years: what lasts longer is noise."""


def _start(raw: bytes) -> str:
    shown = raw[:30].decode("utf-8", "replace")
    return shown + ("…" if len(raw) > 30 else "")
