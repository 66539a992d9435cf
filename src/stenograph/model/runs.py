"""Runs: what clients say of them, how that merges, and what is stored.

A run reaches us as patches: a create and any number of updates, in any order, any number of times.
`merge` folds them into one set of facts; `Run` is those facts plus what we derive from them once.
Payloads (inputs, outputs, events, extra, serialized) are raw JSON bytes from the wire to the disk.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Final, TypeAlias
from uuid import UUID

import msgspec

from stenograph.model.json_members import merged

Micros: TypeAlias = int
"""Microseconds since 1970-01-01 UTC."""

PicoDollars: TypeAlias = int
"""10⁻¹² US dollars: prices are given a million tokens, so a token's price keeps six digits."""

RUN_TYPES: Final = frozenset({"tool", "chain", "llm", "retriever", "embedding", "prompt", "parser"})
PLACE: Final = ("project_id", "start_time", "trace_id", "parent_run_id", "dotted_order", "tags")
"""Fields that a stored run always has, derived or empty where no client has stated them."""

EXTRA_IS_OURS: Final = 1 << len(PLACE)
"""A further bit of `Run.stated`: no client has stated `extra`, all of it is the metadata of the run's example."""

EXTRA_IS_OPEN: Final = EXTRA_IS_OURS << 1
"""Another: `extra` has been stated in parts alone, so that a create has its own to put beneath them."""

PAYLOADS: Final = ("inputs", "outputs", "events", "extra", "serialized")


class Attachment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file that came with a run; its bytes are in the blob store under `attachment_key`."""

    name: str
    mime_type: str
    size: int


class RunPatch(msgspec.Struct, frozen=True, array_like=True, tag=1, gc=False):
    """What one request says of one run. None means that it says nothing of that field.

    `merges` says that `extra` is a part: it joins what is stated, member by member, where it would else replace it.
    This is also the inbox's record: fields are only ever appended, each with a default.
    """

    workspace: UUID
    id: UUID
    create: bool
    received_at: Micros
    trace_id: UUID | None = None
    parent_run_id: UUID | None = None
    dotted_order: str | None = None
    project_id: UUID | None = None
    name: str | None = None
    run_type: str | None = None
    start_time: Micros | None = None
    end_time: Micros | None = None
    error: str | None = None
    inputs: bytes | None = None
    outputs: bytes | None = None
    events: bytes | None = None
    extra: bytes | None = None
    serialized: bytes | None = None
    tags: list[str] | None = None
    reference_example_id: UUID | None = None
    attachments: list[Attachment] | None = None
    merges: bool = False

    def size(self) -> int:
        """Bytes of payload, near enough for memory budgets."""
        return (
            400
            + len(self.inputs or b"")
            + len(self.outputs or b"")
            + len(self.events or b"")
            + len(self.extra or b"")
            + len(self.serialized or b"")
            + len(self.error or "")
        )


class Facts:
    """The fold of a run's patches: mutable, private to the merge, cheap to make.

    The rule, chosen so that order and repetition do not matter: an update replaces every field that it
    states; a create only fills what nothing has stated yet. Attachments add up by name.

    `extra` may be stated in parts (RunPatch.merges). An update's part wins over the members that it meets; a create's
    `extra`, a part or the whole, gives way to those of all parts before it. Once someone has stated the whole, creates
    have nothing to add. So a create may come before, between or after the updates and comes to the same; except where
    two of them disagree on whether a member is an object: the later one replaces it then, and what it had is lost.
    """

    __slots__ = (
        "attachments", "dotted_order", "end_time", "error", "events", "extra", "extra_is_open", "id", "inputs",
        "name", "outputs", "parent_run_id", "project_id", "received_at", "reference_example_id", "run_type",
        "serialized", "start_time", "tags", "trace_id", "workspace",
    )  # fmt: skip

    workspace: UUID
    id: UUID
    received_at: Micros
    trace_id: UUID | None
    parent_run_id: UUID | None
    dotted_order: str | None
    project_id: UUID | None
    name: str | None
    run_type: str | None
    start_time: Micros | None
    end_time: Micros | None
    error: str | None
    inputs: bytes | None
    outputs: bytes | None
    events: bytes | None
    extra: bytes | None
    extra_is_open: bool
    serialized: bytes | None
    tags: list[str] | None
    reference_example_id: UUID | None
    attachments: list[Attachment] | None

    def __init__(self, first: RunPatch | Run) -> None:
        (
            self.attachments, self.dotted_order, self.end_time, self.error, self.events, self.extra, self.id,
            self.inputs, self.name, self.outputs, self.parent_run_id, self.project_id, self.received_at,
            self.reference_example_id, self.run_type, self.serialized, self.start_time, self.tags, self.trace_id,
            self.workspace,
        ) = _copied(first)  # fmt: skip
        if first.attachments:
            self.attachments = list({file.name: file for file in first.attachments}.values())
        if isinstance(first, Run):
            for bit, field in enumerate(PLACE):
                if not first.stated >> bit & 1:
                    setattr(self, field, None)
            if first.stated & EXTRA_IS_OURS:
                self.extra = None
            in_parts = bool(first.stated & EXTRA_IS_OPEN)
        else:
            in_parts = first.merges
        self.extra_is_open = in_parts or self.extra is None

    @property
    def stated(self) -> int:
        """Which of PLACE a client has stated, the first the lowest bit; and whether `extra` only in parts."""
        place = (  # spelled out, for every run that is written is asked
            (self.project_id is not None)
            | (self.start_time is not None) << 1
            | (self.trace_id is not None) << 2
            | (self.parent_run_id is not None) << 3
            | (self.dotted_order is not None) << 4
            | (self.tags is not None) << 5
        )
        return place | EXTRA_IS_OPEN if self.extra_is_open and self.extra is not None else place

    def apply(self, patch: RunPatch) -> None:
        """Fold in one more patch."""
        for field, value in zip(_MERGED, _merged(patch), strict=True):
            if value is not None and (not patch.create or getattr(self, field) is None):
                setattr(self, field, value)
        if patch.extra is not None:
            self._state_extra(patch.extra, patch)
        if patch.attachments:
            named = {file.name: file for file in (self.attachments or ())}
            named.update((file.name, file) for file in patch.attachments)
            self.attachments = list(named.values())
        self.received_at = min(self.received_at, patch.received_at)

    def _state_extra(self, said: bytes, patch: RunPatch) -> None:
        if patch.create and not self.extra_is_open:
            return
        if self.extra is None:
            self.extra = said
        elif patch.create:
            self.extra = merged(said, self.extra)
        else:
            self.extra = merged(self.extra, said) if patch.merges else said
        self.extra_is_open = self.extra_is_open and patch.merges


_COPIED: Final = tuple(field for field in Facts.__slots__ if field != "extra_is_open")
# One step in C for all fields: every run that is written takes these.
_copied: Final = attrgetter(*_COPIED)
_MERGED: Final = tuple(
    field for field in _COPIED if field not in {"workspace", "id", "received_at", "attachments", "extra"}
)
_merged: Final = attrgetter(*_MERGED)


def merge(base: Run | None, patches: Iterable[RunPatch]) -> Facts:
    """Fold `patches`, in the order they were acknowledged, over what is already stored."""
    rest = iter(patches)
    facts = Facts(base if base is not None else next(rest))
    for patch in rest:
        facts.apply(patch)
    return facts


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens and cost of one run on its own, its children not included.

    Detail keys are the provider's (`cache_read`, `reasoning`, `audio` …). Details are disjoint parts of
    their total: `prompt_details` sums to at most `prompt_tokens`. Costs are None where no price is known.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_cost: PicoDollars | None = None
    completion_cost: PicoDollars | None = None
    total_cost: PicoDollars | None = None
    prompt_token_details: dict[str, int] = {}
    completion_token_details: dict[str, int] = {}
    prompt_cost_details: dict[str, PicoDollars] = {}
    completion_cost_details: dict[str, PicoDollars] = {}


NO_USAGE: Final = Usage()


class Run(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A run as stored. Reads fill only the columns they asked for; the rest keep their defaults.

    `version` is the inbox position of the newest patch merged in: of two rows of one run the higher wins.
    `stated` tells which fields of PLACE are a client's word and not our derivation: see Facts.stated.
    `metadata` is `extra.metadata` flattened to strings, for filters; `extra` is what the client sent, its metadata
    joined by that of the example which the run answers (model/carried_metadata.py).
    """

    workspace: UUID
    id: UUID
    project_id: UUID
    trace_id: UUID
    start_time: Micros
    version: int = 0
    is_root: bool = False
    parent_run_id: UUID | None = None
    dotted_order: str | None = None
    name: str | None = None
    run_type: str | None = None
    status: str = "pending"
    end_time: Micros | None = None
    first_token_time: Micros | None = None
    received_at: Micros = 0
    error: str | None = None
    inputs: bytes | None = None
    outputs: bytes | None = None
    events: bytes | None = None
    extra: bytes | None = None
    serialized: bytes | None = None
    tags: list[str] | None = None
    metadata: dict[str, str] = {}
    thread_id: str | None = None
    reference_example_id: UUID | None = None
    attachments: list[Attachment] | None = None
    usage: Usage = NO_USAGE
    stated: int = 0
    deleted: bool = False

    @property
    def place(self) -> tuple[UUID, bool, Micros]:
        """The part of the store's sort key that can change between two versions of a run."""
        return self.project_id, self.is_root, self.start_time

    def tombstone(self, version: int) -> Run:
        """A row that supersedes all lower versions in this run's place and makes it vanish."""
        return Run(
            workspace=self.workspace,
            id=self.id,
            project_id=self.project_id,
            trace_id=self.trace_id,
            start_time=self.start_time,
            is_root=self.is_root,
            version=version,
            deleted=True,
        )


class Family(msgspec.Struct, frozen=True):
    """What belongs to one run: the ids of all its descendants, oldest first, and its usage together with theirs,
    None when none of them has any."""

    descendants: list[UUID]
    usage: Usage | None


def parse_dotted_order(text: str) -> list[tuple[str, UUID]]:
    """Split `20240101T000000000000Z<uuid>.…` into (timestamp text, run id), root first.

    Raises ValueError when a segment is not a timestamp ending in Z followed by a uuid.
    """
    path = []
    for segment in text.split("."):
        stamp, mark, run_id = segment.partition("Z")
        if not mark:
            raise ValueError(f"segment {segment!r} has no 'Z' between time and id")
        path.append((stamp, UUID(run_id)))
    return path
