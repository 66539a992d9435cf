"""What a JSON Schema names: the members of each place of a document, and the document without all others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from stenograph.domain.examples.schema_parts import Part

_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Place:
    """What a schema says of one place of the documents it is for. Places below are worked out when asked for."""

    __slots__ = ("_asked", "_below", "_item", "is_closed", "named")

    def __init__(self, parts: Iterable[Part]) -> None:
        self._asked = _reached(parts, "here")
        self.named = {name for part in self._asked for name in part.schema.get("properties", ())}
        self.is_closed = bool(self.named) and not any(_is_open(part.schema) for part in self._asked)
        """Whether members that are not named have no place here."""
        self._below: dict[str | None, Place] = {}
        self._item: Place | None = None

    def __bool__(self) -> bool:
        """Whether anything is said."""
        return bool(self._asked)

    def member(self, name: str) -> Place:
        key = name if name in self.named else None
        found = self._below.get(key)
        if found is None:
            below = (each for part in self._asked for each in _of_member(part, name))
            found = self._below[key] = Place(below)
        return found

    def item(self) -> Place:
        """Of any index: where they differ, what is said of one counts for all."""
        if self._item is None:
            self._item = Place(each for part in self._asked for each in part.items)
        return self._item

    def at(self, path: Iterable[str]) -> Place:
        """The place at the end of a path; a number steps into a list, or to a member of that name."""
        place = self
        for step in path:
            is_index = step.isdigit() and step not in place.named
            place = place.item() if is_index else place.member(step)
        return place


def certain(parts: Iterable[Part]) -> list[Part]:
    """These parts and those that have to hold whenever they do."""
    return _reached(parts, "also")


def _reached(parts: Iterable[Part], by: str) -> list[Part]:
    found: dict[int, Part] = {}
    todo = list(parts)
    while todo:
        part = todo.pop()
        if id(part) not in found:
            found[id(part)] = part
            todo += getattr(part, by)
    return list(found.values())


def _of_member(part: Part, name: str) -> Iterable[Part]:
    return part.others if name not in part.schema.get("properties", ()) else part.members.get(name, ())


def _is_open(schema: dict[str, Any]) -> bool:
    """Whether a schema says what further members are like, or has patterns for their names."""
    stated = (schema.get("additionalProperties"), schema.get("unevaluatedProperties"))
    return any(each not in (None, False) for each in stated) or bool(schema.get("patternProperties"))


def named_only(value: bytes, place: Place) -> bytes | None:
    """A JSON value without members that no `properties` names, here and below; None when it stays as it is.

    Where the schema names none, or says what further members are like, all stay.
    """
    start = value.lstrip()[:1]
    if start == b"[" and place.item():
        items = _items(value)
        edits = {index: named_only(bytes(item), place.item()) for index, item in enumerate(items)}
        changed = {index: msgspec.Raw(edit) for index, edit in edits.items() if edit is not None}
        return (
            msgspec.json.encode([changed.get(index, item) for index, item in enumerate(items)])
            if changed
            else None
        )
    if start != b"{" or not place:
        return None
    kept: dict[str, msgspec.Raw] = {}
    is_changed = False
    for name, member in _members(value).items():
        if place.is_closed and name not in place.named:
            is_changed = True
            continue
        below = place.member(name)
        edited = named_only(bytes(member), below) if below else None
        is_changed |= edited is not None
        kept[name] = member if edited is None else msgspec.Raw(edited)
    return msgspec.json.encode(kept) if is_changed else None
