"""Rows of a file as examples: which columns mean what. Pure, but for the files of attachments, which it names.

A file that was exported says itself what its columns are. Of any other the columns are chosen, and hold texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Raw

from stenograph.errors import Invalid
from stenograph.model.examples import SPLIT_KEY
from stenograph.transfer import attachments
from stenograph.transfer.attachments import Saved
from stenograph.transfer.client import NULL
from stenograph.transfer.rows import Row, first, member_of
from stenograph.transfer.source import Source, SourceRow

GROUPS: Final = ("inputs", "outputs", "metadata")
_OWN: Final = frozenset({"id", "split", "created_at", "source_run_id", "attachments"})

_members = msgspec.json.Decoder(dict[str, Raw]).decode


@dataclass(frozen=True, slots=True)
class Keys:
    """The columns that are chosen for each part of an example. None chosen: the file says it itself."""

    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    metadata: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.inputs or self.outputs or self.metadata)

    def of(self, group: str) -> Sequence[str]:
        found: Sequence[str] = getattr(self, group)
        return found

    @property
    def all(self) -> frozenset[str]:
        return frozenset((*self.inputs, *self.outputs, *self.metadata))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExample:
    """An example to be sent, and where in the file it is. Payloads are JSON objects, `outputs` may be None."""

    place: str
    id: UUID | None
    inputs: Raw
    outputs: Raw | None
    metadata: Raw | None
    created_at: str | None
    source_run_id: UUID | None
    files: Mapping[str, Saved | str]


class Reading:
    """The examples of a file. Invalid, naming the file, when its columns cannot be told."""

    def __init__(self, source: Source, name: str, keys: Keys, splits: Sequence[str]) -> None:
        self._source = source
        self._name = name
        self._keys = keys
        self._splits = list(dict.fromkeys(splits))
        self._left: dict[str, None] = {}
        if keys and not keys.inputs:
            raise Invalid("name the columns of the inputs too: --input-key")
        if keys and source.columns is not None:
            self._check_columns(source.columns)

    @property
    def left_columns(self) -> list[str]:
        """Columns whose values went nowhere, among the rows read so far."""
        return list(self._left)

    def _check_columns(self, columns: Sequence[str]) -> None:
        for group in GROUPS:
            for key in self._keys.of(group):
                if key not in columns and f"{group}.{key}" not in columns:
                    raise Invalid(f"{self._name} has no column {key!r}; there are {_shown(columns)}")

    def examples(self) -> Iterator[NewExample]:
        """Invalid names the file and the row."""
        for row in self._source.rows():
            try:
                yield self._chosen(row) if self._keys else self._whole(row)
            except Invalid as error:
                raise Invalid(f"{self._name}, {row.place}: {error.message}") from None

    # -- files that say what they are ----------------------------------------------------------------------

    def _whole(self, row: SourceRow) -> NewExample:
        parts = {group: _object(row.members, group) for group in GROUPS}
        for column in row.members:
            if column not in _OWN and member_of(column)[0] not in GROUPS:
                self._left[column] = None
        if parts["inputs"] is None:
            columns = self._source.columns or list(row.members)
            raise Invalid(
                "there are no inputs: neither a column `inputs` nor any `inputs.…` has a value. "
                f"Say with --input-key which columns they are; there are {_shown(columns)}"
            )
        return NewExample(
            place=row.place,
            id=_uuid(row.members, "id"),
            inputs=parts["inputs"],
            outputs=parts["outputs"],
            metadata=self._metadata(parts["metadata"], row.members.get("split", NULL)),
            created_at=_text(row.members, "created_at"),
            source_run_id=_uuid(row.members, "source_run_id"),
            files=_files(row.members.get("attachments", NULL)),
        )

    def _metadata(self, metadata: Raw | None, split: Raw) -> Raw | None:
        """With the splits in it: where a server keeps them."""
        names = self._splits or (None if split == NULL else _names(split))
        if names is None:
            return metadata
        members: dict[str, Any] = {} if metadata is None else dict(_members(metadata))
        return Raw(msgspec.json.encode({**members, SPLIT_KEY: names}))

    # -- other files ---------------------------------------------------------------------------------------

    def _chosen(self, row: SourceRow) -> NewExample:
        parts = {group: _picked(row.members, group, self._keys.of(group)) for group in GROUPS}
        for column in row.members:
            group, member = member_of(column)
            known = column in self._keys.all or (group in GROUPS and member in self._keys.of(group))
            if not known and not (not member and group in GROUPS and self._source.columns is None):
                self._left[column] = None
        if not parts["inputs"]:
            raise Invalid(f"there is none of {_shown(self._keys.inputs)}")
        encoded = {group: Raw(msgspec.json.encode(found)) for group, found in parts.items() if found}
        return NewExample(
            place=row.place,
            id=None,
            inputs=encoded["inputs"],
            outputs=encoded.get("outputs"),
            metadata=self._metadata(encoded.get("metadata"), NULL),
            created_at=None,
            source_run_id=None,
            files={},
        )


# -- parts of a row --------------------------------------------------------------------------------------


def _object(row: Row, group: str) -> Raw | None:
    """An object: the group's own column, with the members that have columns of their own; None for neither."""
    own = row.get(group, NULL)
    if own != NULL and first(own) != b"{":
        raise Invalid(f"{group} has to be a JSON object, not {_start(own)}")
    start = f"{group}."
    members = {column[len(start) :]: value for column, value in row.items() if column.startswith(start)}
    if not members:
        return None if own == NULL else own
    return Raw(msgspec.json.encode(members if own == NULL else {**_members(own), **members}))


def _picked(row: Row, group: str, keys: Sequence[str]) -> dict[str, Raw]:
    """Members by their names: columns, or members of the group's own object."""
    own = row.get(group, NULL)
    inner = _members(own) if first(own) == b"{" else {}
    found = {}
    for key in keys:
        value = row.get(key, row.get(f"{group}.{key}", inner.get(key)))
        if value is not None:
            found[key] = value
    return found


def _text(row: Row, column: str) -> str | None:
    value = row.get(column, NULL)
    if value == NULL:
        return None
    if first(value) != b'"':
        raise Invalid(f"{column} has to be a text, not {_start(value)}")
    text: str = msgspec.json.decode(value)
    return text or None


def _uuid(row: Row, column: str) -> UUID | None:
    text = _text(row, column)
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(f"{column} {text[:80]!r} is not a uuid; a file needs no such column") from None


def _names(split: Raw) -> list[str]:
    """A list of names; anything else is one name."""
    if first(split) == b"[":
        try:
            return msgspec.json.decode(split, type=list[str])
        except msgspec.ValidationError:
            raise Invalid(f"split has to be a name or a list of names, not {_start(split)}") from None
    return [msgspec.json.decode(split) if first(split) == b'"' else bytes(split).decode()]


def _files(value: Raw) -> Mapping[str, Saved | str]:
    return {} if value == NULL else attachments.stated(value)


def _shown(columns: Sequence[str]) -> str:
    shown = ", ".join(repr(each[:60]) for each in columns[:20])
    return (shown + (", …" if len(columns) > 20 else "")) or "none"


def _start(value: Raw) -> str:
    text = bytes(memoryview(value)[:40]).decode(errors="replace")
    return text if len(memoryview(value)) <= 40 else f"{text}…"
