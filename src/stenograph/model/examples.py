"""Examples: what a dataset holds, how one is changed, and what a query may ask of their metadata.

A write replaces an example by its next version; what it was stays readable as of an earlier moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from stenograph.errors import Invalid
from stenograph.model.projects import contains
from stenograph.model.runs import Micros

SPLIT_KEY: Final = "dataset_split"
"""Where an example's splits are: a member of its metadata, always a list."""

DEFAULT_SPLITS: Final = ("base",)


class ExampleFile(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file that came with an example. Its bytes lie under `key` in the blob store and never change."""

    name: str
    mime_type: str
    size: int
    key: str


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an example; `modified_at` is the moment it began to be so.

    `inputs` and `metadata` are JSON objects, `outputs` one or None. `ordinal` is its place in its write.
    """

    id: UUID
    workspace: UUID
    dataset_id: UUID
    created_at: Micros
    modified_at: Micros
    inputs: bytes = b"{}"
    outputs: bytes | None = None
    metadata: bytes = b"{}"
    source_run_id: UUID | None = None
    files: tuple[ExampleFile, ...] = ()
    ordinal: int = 0


class NewExample(msgspec.Struct, frozen=True, kw_only=True):
    """An example to be added. `metadata` has its splits already: see `with_splits`."""

    id: UUID
    inputs: bytes
    outputs: bytes | None = None
    metadata: bytes = b"{}"
    created_at: Micros | None = None
    source_run_id: UUID | None = None
    files: tuple[ExampleFile, ...] = ()


class FileOperations(msgspec.Struct, frozen=True):
    """What becomes of the files an example has: old name to new, and those that stay as they are."""

    rename: tuple[tuple[str, str], ...] = ()
    retain: tuple[str, ...] = ()


class ListChange(msgspec.Struct, frozen=True):
    """Lists in the metadata under `key`: values put in, values taken out. Lists hold each value once."""

    key: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class ExamplePatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to an example. None leaves a part as it is, and UNSET the source run; None there clears it.

    `metadata` replaces all members but the splits, which `splits` replaces. Files stay when neither `files`
    nor `operations` is given; otherwise those stay that `operations` names, and `files` are put over them.
    `set_members` (JSON object) and `lists` change single members of the metadata, after the rest.
    """

    id: UUID
    inputs: bytes | None = None
    outputs: bytes | None = None
    metadata: bytes | None = None
    splits: tuple[str, ...] | None = None
    files: tuple[ExampleFile, ...] = ()
    operations: FileOperations | None = None
    set_members: bytes | None = None
    unset_members: tuple[str, ...] = ()
    lists: tuple[ListChange, ...] = ()
    source_run_id: UUID | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True)
class ExampleChanges:
    """What one version of a dataset does. `wipes` removes examples from every version, older ones too.

    `creates` and `patches` are gone through once, in this order, so that they need not be in memory.
    """

    creates: Iterable[NewExample] = ()
    patches: Iterable[ExamplePatch] = ()
    deletes: tuple[UUID, ...] = ()
    wipes: tuple[UUID, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.creates or self.patches or self.deletes or self.wipes)


def changed(example: Example, patch: ExamplePatch, at: Micros, ordinal: int) -> Example:
    """The next version. Invalid for contradictory file operations."""
    return msgspec.structs.replace(
        example,
        inputs=example.inputs if patch.inputs is None else patch.inputs,
        outputs=example.outputs if patch.outputs is None else patch.outputs,
        metadata=next_metadata(example.metadata, patch),
        source_run_id=example.source_run_id if patch.source_run_id is UNSET else patch.source_run_id,
        files=_files(example, patch),
        modified_at=at,
        ordinal=ordinal,
    )


# -- metadata and splits ---------------------------------------------------------------------------------
# Members are taken apart as raw JSON, so that what a change does not touch stays as it was sent.

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def with_splits(metadata: bytes | None, splits: Iterable[str] | None) -> bytes:
    """Metadata with its splits as a list: those given, or those it states, or `base`. Invalid unless an object."""
    members = _object(metadata)
    stated = splits_of(metadata or b"{}") if splits is None else _distinct(splits)
    members[SPLIT_KEY] = _json(stated)
    return msgspec.json.encode(members)


def without_splits(metadata: bytes) -> bytes:
    """Metadata that states no splits."""
    members = _object(metadata)
    return msgspec.json.encode(members) if members.pop(SPLIT_KEY, None) is not None else metadata


def splits_of(metadata: bytes) -> tuple[str, ...]:
    """The splits that metadata states; a text counts as a list of one, an empty list as none at all, anything
    else as `base`."""
    stated = _stated(_object(metadata), SPLIT_KEY)
    if isinstance(stated, str):
        return (stated,)
    if isinstance(stated, list) and all(isinstance(each, str) for each in stated):
        return tuple(dict.fromkeys(stated))
    return DEFAULT_SPLITS


def _distinct(splits: Iterable[str]) -> tuple[str, ...]:
    """Each once; nothing at all counts as `base`."""
    return tuple(dict.fromkeys(splits)) or DEFAULT_SPLITS


def _object(metadata: bytes | None) -> dict[str, msgspec.Raw]:
    try:
        return _members.decode(metadata or b"{}")
    except (msgspec.DecodeError, RecursionError):
        raise Invalid("metadata has to be a JSON object", where=("metadata",)) from None


def _stated(members: dict[str, msgspec.Raw], key: str) -> Any:
    raw = members.get(key)
    return None if raw is None else msgspec.json.decode(raw)


def _json(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def next_metadata(before: bytes, patch: ExamplePatch) -> bytes:
    """The metadata of the next version. Invalid when the patch has some that is not an object."""
    untouched = patch.metadata is None and patch.splits is None and patch.set_members is None
    if untouched and not patch.unset_members and not patch.lists:
        return before
    members = _object(before)
    kept = members.get(SPLIT_KEY, _json(DEFAULT_SPLITS))
    if patch.metadata is not None:
        members = _object(patch.metadata)
        members[SPLIT_KEY] = _json(splits_of(patch.metadata)) if SPLIT_KEY in members else kept
    if patch.splits is not None:
        members[SPLIT_KEY] = _json(_distinct(patch.splits))
    members |= _object(patch.set_members)
    for name in patch.unset_members:
        members.pop(name, None)
    for change in patch.lists:
        stated = _stated(members, change.key)
        if not isinstance(stated, list):
            stated = list(DEFAULT_SPLITS) if change.key == SPLIT_KEY else []
        stated = [*stated, *(value for value in dict.fromkeys(change.add) if value not in stated)]
        members[change.key] = _json([value for value in stated if value not in change.remove])
    members.setdefault(SPLIT_KEY, _json(DEFAULT_SPLITS))
    return msgspec.json.encode(members)


# -- files -----------------------------------------------------------------------------------------------


def _files(example: Example, patch: ExamplePatch) -> tuple[ExampleFile, ...]:
    if not patch.files and patch.operations is None:
        return example.files
    operations = patch.operations or FileOperations()
    known = {file.name: file for file in example.files}
    kept: dict[str, ExampleFile] = {}
    renamed = dict(operations.rename)
    for name in operations.retain:
        if name in renamed or name in renamed.values():
            raise _wrong_operation(example, f"attachment {name!r} can be retained or renamed, not both")
        if name in known:
            kept[name] = known[name]
    for old, new in operations.rename:
        if old not in known:
            raise _wrong_operation(example, f"there is no attachment {old!r} to rename")
        if new in kept:
            raise _wrong_operation(example, f"two attachments would be called {new!r}")
        kept[new] = msgspec.structs.replace(known[old], name=new)
    kept |= {file.name: file for file in patch.files}
    return tuple(kept.values())


def _wrong_operation(example: Example, why: str) -> Invalid:
    return Invalid(f"example {example.id}: {why}", where=(str(example.id), "attachments_operations"))


# -- queries ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holds:
    """Metadata contains this JSON object, by the rule of `model.projects.contains`."""

    part: bytes


@dataclass(frozen=True, slots=True)
class Exists:
    """Metadata has this member, whatever its value."""

    key: str


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[MetadataTest, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[MetadataTest, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    part: MetadataTest


MetadataTest: TypeAlias = "Holds | Exists | AllOf | AnyOf | NoneOf"


def passes(metadata: Any, test: MetadataTest) -> bool:
    """Whether decoded metadata meets the test."""
    match test:
        case Holds(part):
            return contains(metadata, msgspec.json.decode(part))
        case Exists(key):
            return isinstance(metadata, dict) and key in metadata
        case AllOf(parts):
            return all(passes(metadata, part) for part in parts)
        case AnyOf(parts):
            return any(passes(metadata, part) for part in parts)
        case NoneOf(part):
            return not passes(metadata, part)


def contained(test: MetadataTest) -> Iterator[bytes]:
    """The JSON of every `Holds` in the test."""
    match test:
        case Holds(part):
            yield part
        case AllOf(parts) | AnyOf(parts):
            for each in parts:
                yield from contained(each)
        case NoneOf(inner):
            yield from contained(inner)


class ExampleOrder(StrEnum):
    """RECENT: last written first; RECENTLY_CREATED: by the stated time of creation; RANDOM: by `random_seed`."""

    RECENT = "recent"
    RECENTLY_CREATED = "recently_created"
    ID = "id"
    RANDOM = "random"


class ExampleQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which examples of one workspace. None means no condition, an empty `ids` matches nothing.

    `as_of` None is the newest version. An example has to be in one of `splits`, pass `test`, and contain all
    of `texts`, whatever their case, in its inputs or outputs. `descending` None is the order's own direction.
    Examples of one write keep its order. Without `payloads`, inputs and outputs are not read.
    """

    workspace: UUID
    dataset_id: UUID | None = None
    ids: tuple[UUID, ...] | None = None
    as_of: Micros | None = None
    splits: tuple[str, ...] | None = None
    test: MetadataTest | None = None
    texts: tuple[str, ...] = ()
    order: ExampleOrder = ExampleOrder.RECENT
    descending: bool | None = None
    random_seed: float | None = None
    offset: int = 0
    limit: int | None = None
    payloads: bool = True
