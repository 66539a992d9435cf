"""Feedback: a judgement on a run, or on a whole project. Raw JSON where the client chooses the type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from stenograph.model.runs import Micros


class Feedback(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag=2, gc=False):
    """One piece of feedback, whole: a later version replaces an earlier one.

    Also the inbox's record: fields are only ever appended, each with a default.
    `run_id` may name a run that has not arrived yet; with none, the feedback is on `project_id` itself.
    `score` is the number to compute with; `raw_score` keeps what was sent (`true` is not `1` to clients).
    """

    workspace: UUID
    id: UUID
    key: str
    created_at: Micros
    modified_at: Micros
    run_id: UUID | None = None
    trace_id: UUID | None = None
    project_id: UUID | None = None
    score: float | None = None
    raw_score: bytes | None = None
    value: bytes | None = None
    comment: str | None = None
    correction: bytes | None = None
    source_type: str = "api"
    source: bytes | None = None
    group_id: UUID | None = None
    comparative_experiment_id: UUID | None = None
    start_time: Micros | None = None
    extra: bytes | None = None
    error: bool = False
    deleted: bool = False
    version: int = 0

    def size(self) -> int:
        """Bytes of what the client wrote, near enough for memory budgets."""
        texts = (self.raw_score, self.value, self.comment, self.correction, self.source, self.extra)
        return 500 + sum(len(text) for text in texts if text is not None)


class FeedbackPatch(msgspec.Struct, frozen=True, kw_only=True):
    """A change of some fields: UNSET ones stay as they are, None empties."""

    score: float | None | UnsetType = UNSET
    raw_score: bytes | None | UnsetType = UNSET
    value: bytes | None | UnsetType = UNSET
    comment: str | None | UnsetType = UNSET
    correction: bytes | None | UnsetType = UNSET

    def apply(self, to: Feedback) -> Feedback:
        changes = {field: getattr(self, field) for field in self.__struct_fields__}
        stated = {field: value for field, value in changes.items() if value is not UNSET}
        return msgspec.structs.replace(to, **stated)


def supersede(stored: Mapping[tuple[UUID, UUID], Feedback], items: Iterable[Feedback]) -> list[Feedback]:
    """The rows to write for `items`, which come in the order in which they were acknowledged.

    `stored` has the newest version of those that are known, by workspace and id. An id that is known keeps
    the time of its first version, and loses its place in the table when it moves to another run. A record
    that is replayed after a crash gives no row: what is stored is as new or newer.
    """
    rows: dict[tuple[UUID, UUID, UUID | None], Feedback] = {}
    latest: dict[tuple[UUID, UUID], Feedback] = {}
    for item in items:
        key = (item.workspace, item.id)
        first = stored.get(key)
        if first is not None and first.version >= item.version:
            continue
        former = latest.get(key, first)
        if former is not None and not former.deleted:
            item = msgspec.structs.replace(item, created_at=former.created_at)
            if former.run_id != item.run_id:
                left = msgspec.structs.replace(former, deleted=True, version=item.version)
                rows[*key, former.run_id] = left
        rows[*key, item.run_id] = latest[key] = item
    return list(rows.values())


class FeedbackStat(msgspec.Struct, frozen=True, kw_only=True):
    """What a set of feedback under one key comes to. `n` counts numeric scores only, `count` every piece."""

    count: int = 0
    n: int = 0
    avg: float | None = None
    stdev: float | None = None
    min: float | None = None
    max: float | None = None
    errors: int = 0
    values: dict[str, int] = {}
    comments: list[str] = []
    sources: list[str] = []
