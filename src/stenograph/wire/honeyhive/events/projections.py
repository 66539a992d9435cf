"""The fields that a client wants of each event, by dotted names such as `metadata.cost`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Raw

from stenograph.domain.runs import USAGE
from stenograph.errors import Invalid
from stenograph.wire.honeyhive.events.fields import OBJECTS, PLAIN, Where

_SCOPE: Final = ("org_id", "workspace_id", "tenant")
_JUDGED: Final = frozenset({"metrics", "feedback"})
_COLUMNS: Final[Mapping[str, frozenset[str]]] = {
    "event_name": frozenset({"name"}),
    "event_type": frozenset({"run_type", "extra"}),
    "parent_id": frozenset({"parent_run_id", "dotted_order"}),
    "error": frozenset({"error"}),
    "end_time": frozenset({"end_time"}),
    "duration": frozenset({"end_time"}),
    "inputs": frozenset({"inputs"}),
    "outputs": frozenset({"outputs"}),
    "config": frozenset({"extra"}),
    "user_properties": frozenset({"extra"}),
    "source": frozenset({"extra"}),
    "children_ids": frozenset({"extra"}),
    "metadata": frozenset({"run_type", "extra"}) | USAGE,
}
"""The run store's columns that a field is made of beside the key: no more than these are read."""

_members = msgspec.json.Decoder(dict[str, Raw]).decode


@dataclass(frozen=True, slots=True)
class Projection:
    """Some fields of an event, each with the paths that are wanted inside it: () stands for all of it."""

    paths: Mapping[str, tuple[tuple[str, ...], ...]]

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(column for name in self.paths for column in _COLUMNS.get(name, ()))

    @property
    def judged(self) -> bool:
        """Whether feedback is in it."""
        return bool(_JUDGED & self.paths.keys())

    @property
    def rolled_up(self) -> bool:
        """Whether what sessions come to is in it."""
        return "metadata" in self.paths

    def of(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The event's fields, as far as it has them."""
        found: dict[str, Any] = {}
        for name, paths in self.paths.items():
            if name in event:
                found[name] = event[name] if () in paths else _inside(event[name], paths)
        return found


def projection(names: Iterable[str], where: Where) -> Projection | None:
    """Of these names; None for none of them: then all fields are meant. Invalid for a name that is no field."""
    paths: dict[str, list[tuple[str, ...]]] = {}
    known = (*PLAIN, *OBJECTS, *_SCOPE)
    for text in names:
        name, *path = text.split(".")
        if name not in known or (path and name not in OBJECTS):
            raise Invalid(
                f"{text[:80]!r} is not a field of events: there are {', '.join(known)}, and "
                f"{', '.join(OBJECTS)} with a path such as metadata.cost",
                where,
            )
        paths.setdefault(name, []).append(tuple(path))
    return Projection({name: tuple(found) for name, found in paths.items()}) if paths else None


def _inside(value: Any, paths: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """The members on these paths, nested as they are; names with dots are found as well. Lists are given whole."""
    members = _opened(value)
    found: dict[str, Any] = {}
    if members is None:
        return found
    for path in paths:
        _pick(members, path, found)
    return found


def _pick(members: Mapping[str, Any], path: tuple[str, ...], into: dict[str, Any]) -> None:
    for upto in range(len(path), 0, -1):
        name, rest = ".".join(path[:upto]), path[upto:]
        if name not in members:
            continue
        inner = _opened(members[name]) if rest else None
        if inner is None:
            if not rest or (isinstance(members[name], Raw) and bytes(members[name])[:1] == b"["):
                into[name] = members[name]
            continue
        below = into.setdefault(name, {})
        if isinstance(below, dict):  # else it is there whole
            _pick(inner, rest, below)
            if not below:
                del into[name]


def _opened(value: Any) -> Mapping[str, Any] | None:
    """The members of an object; None when it is none."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, Raw) or bytes(value)[:1] != b"{":
        return None
    try:
        return _members(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
