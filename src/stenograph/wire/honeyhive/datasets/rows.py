"""Rows of a client's own, and events, as datapoints: by a mapping of their members. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
from msgspec import Raw

from stenograph.domain.examples.drafts import ExampleDraft
from stenograph.errors import Invalid
from stenograph.wire.honeyhive.datasets.carried import apart
from stenograph.wire.honeyhive.datasets.schemas import MappingIn
from stenograph.wire.honeyhive.datasets.shapes import HISTORY, OF_DATAPOINT, draft
from stenograph.wire.http import encode
from stenograph.wire.payloads import Payloads

Path = tuple[str | int, ...]

_items = msgspec.json.Decoder(list[Raw]).decode
_members = msgspec.json.Decoder(dict[str, Raw]).decode


def row_drafts(
    rows: Sequence[Mapping[str, Raw]], mapping: MappingIn, payloads: Payloads
) -> Iterator[ExampleDraft]:
    """A datapoint a row: mapped members become inputs, ground truth and history, under their own names; the others
    stay, as metadata. A member that a row does not have is none of its datapoint's. Invalid names the row."""
    chosen = {*(mapping.inputs or ()), *(mapping.ground_truth or ()), *(mapping.history or ())}
    for place, row in enumerate(rows):
        where = ("body", "data", place)
        rest = {name: value for name, value in row.items() if name not in chosen}
        yield _draft(
            _picked(row, mapping.inputs),
            _picked(row, mapping.ground_truth) or None,
            [row[name] for name in mapping.history or () if name in row],
            rest,
            payloads,
            where,
        )


def _picked(row: Mapping[str, Raw], names: Iterable[str] | None) -> dict[str, Raw]:
    return {name: row[name] for name in names or () if name in row}


def _draft(
    inputs: Mapping[str, Any],
    ground_truth: Mapping[str, Any] | None,
    history: Sequence[Raw],
    rest: Mapping[str, Any],
    payloads: Payloads,
    where: Path,
) -> ExampleDraft:
    metadata, fields = apart(_document(rest, payloads, where), OF_DATAPOINT)
    messages = _messages(history, payloads, where)
    if messages:
        fields[HISTORY] = Raw(msgspec.json.encode(messages))
    return draft(
        _document(inputs, payloads, where),
        None if ground_truth is None else _document(ground_truth, payloads, where),
        metadata,
        fields,
        where,
    )


def _document(members: Mapping[str, Any], payloads: Payloads, where: Path) -> bytes:
    try:
        return payloads.check_values(bytes(encode(members).body), "this", "object") or b"{}"
    except Invalid as error:
        raise Invalid(error.message, where) from None


def _messages(found: Sequence[Raw], payloads: Payloads, where: Path) -> list[Raw]:
    """A list has messages, an object is one, null is none."""
    messages: list[Raw] = []
    for each in found:
        document = payloads.check_values(each, HISTORY)
        if document is None:
            continue
        parts = _items(document) if document[:1] == b"[" else [Raw(document)]
        if any(bytes(part)[:1] != b"{" for part in parts):
            raise Invalid("history has to be a list of objects, one a message", where)
        messages += parts
    return messages


# -- events ----------------------------------------------------------------------------------------------

_SHORT: Final = {"inputs": "inputs", "history": "inputs", "ground_truth": "outputs"}
"""Where a mapped name is looked for that does not say which part of the event it means."""


def event_draft(event: Mapping[str, Any], mapping: MappingIn | None, payloads: Payloads) -> ExampleDraft:
    """A datapoint of an event, which is its linked event. `event` is as `events/shapes.py` makes it.

    A mapping has paths such as `inputs.question` or `metadata.topic`; without its first step a path begins at the
    event's inputs, or outputs for the ground truth. A value stands under the last step's name; an object of the event
    as a whole, `inputs`, gives its members. Without a mapping inputs are the event's, and the ground truth is what its
    feedback has of it, else its outputs. Invalid when two values would stand under one name.
    """
    where = ("body", "events", str(event["event_id"]))
    members = _object(Raw(encode(event).body)) or {}
    if mapping is None:
        given = _at(members, ("feedback", "ground_truth"))
        truth = _object(given) or _object(members["outputs"]) or None
        return _of_event(event, _object(members["inputs"]) or {}, truth, (), payloads, where)
    return _of_event(
        event,
        _mapped(members, mapping.inputs, "inputs", where),
        _mapped(members, mapping.ground_truth, "ground_truth", where) or None,
        [found for name in mapping.history or () if (found := _at(members, _path(members, name, "history")))],
        payloads,
        where,
    )


def _of_event(
    event: Mapping[str, Any],
    inputs: Mapping[str, Raw],
    ground_truth: Mapping[str, Raw] | None,
    history: Sequence[Raw],
    payloads: Payloads,
    where: Path,
) -> ExampleDraft:
    made = _draft(inputs, ground_truth, history, {}, payloads, where)
    return replace(made, source_run_id=event["event_id"])


def _mapped(event: Mapping[str, Raw], names: Iterable[str] | None, side: str, where: Path) -> dict[str, Raw]:
    found: dict[str, Raw] = {}
    for name in dict.fromkeys(names or ()):
        path = _path(event, name, side)
        value = _at(event, path)
        if value is None:
            continue
        whole = _object(value) if len(path) == 1 else None
        for key, each in ({path[-1]: value} if whole is None else whole).items():
            if key in found:
                raise Invalid(f"mapping.{side}: two values would be called {key[:80]!r}", where)
            found[key] = each
    return found


def _path(event: Mapping[str, Raw], name: str, side: str) -> tuple[str, ...]:
    steps = tuple(name.split("."))
    return steps if steps[0] in event else (_SHORT[side], *steps)


def _at(members: Mapping[str, Raw] | None, path: Sequence[str]) -> Raw | None:
    """What is there; a name with dots in it is found whole as well."""
    found: Raw | None = None
    for place, step in enumerate(path):
        if members is None:
            return None
        whole = members.get(".".join(path[place:]))
        if whole is not None:
            return whole
        found = members.get(step)
        members = _object(found)
    return found


def _object(document: Raw | None) -> dict[str, Raw] | None:
    if document is None or bytes(document)[:1] != b"{":
        return None
    try:
        return _members(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
