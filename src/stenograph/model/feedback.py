"""Feedback: a judgement on a run, or on a whole project. Raw JSON where the client chooses the type."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from stenograph.model.runs import Micros, Run

Place: TypeAlias = "tuple[UUID | None, Micros]"
"""What the run store sorts feedback by before its id."""

SAMPLES: Final = 10
"""Comments and sources that statistics carry along."""


class Feedback(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag=2, gc=False):
    """One piece of feedback, whole: a later version replaces an earlier one.

    Also the inbox's record: fields are only ever appended, each with a default.
    `run_id` may name a run that has not arrived yet; with none, the feedback is on `project_id` itself.
    `score` is the number to compute with; `raw_score` keeps what was sent (`true` is not `1` to clients).
    `home` is the project that it is filed under (see `filed`); before that, project, trace and start time are
    what the client said of the run. One that `keeps` has its run's trace count as judged: see model/retention.py.
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
    is_root: bool = False
    home: UUID | None = None
    keeps: bool = True

    @property
    def place(self) -> Place:
        return self.home, self.created_at

    def filed(self, run: Run | None) -> Feedback:
        """Filed where it belongs: under its run's project, whose trace and start time it then has; under its own
        when it speaks of a project; under none while the run, or the run's project, is not known."""
        if self.run_id is None:
            return msgspec.structs.replace(self, home=self.project_id)
        if run is None or not run.project_id.int:
            return msgspec.structs.replace(self, home=None)
        return msgspec.structs.replace(
            self,
            home=run.project_id,
            project_id=run.project_id,
            trace_id=run.trace_id,
            start_time=run.start_time,
            is_root=run.is_root,
        )

    def tombstone(self, version: int) -> Feedback:
        """A row that supersedes all lower versions in this piece's place and makes it vanish."""
        return Feedback(
            workspace=self.workspace,
            id=self.id,
            key=self.key,
            created_at=self.created_at,
            modified_at=self.modified_at,
            run_id=self.run_id,
            home=self.home,
            deleted=True,
            version=version,
        )

    def size(self) -> int:
        """Bytes of what the client wrote, near enough for memory budgets."""
        texts = (self.raw_score, self.value, self.comment, self.correction, self.source, self.extra)
        return 500 + sum(len(text) for text in texts if text is not None)


class Shelf(StrEnum):
    """HoneyHive keeps what was measured of an event (`metrics`) apart from what was said of it (`feedback`)."""

    METRICS = "metrics"
    FEEDBACK = "feedback"


APP: Final = "app"
"""The source type of feedback that people gave in a user interface."""


class _Marked(msgspec.Struct, gc=False):
    honeyhive: str | None = None


class _Source(msgspec.Struct, gc=False):
    metadata: _Marked | None = None


_source = msgspec.json.Decoder(_Source).decode


def shelf(item: Feedback) -> Shelf:
    """Where HoneyHive's clients find this piece."""
    return shelf_of(item.source_type, item.source)


def shelf_of(source_type: str, source: bytes | None) -> Shelf:
    """The same of a piece from this source: as its metadata says, `{"honeyhive": "metrics"}` or
    `{"honeyhive": "feedback"}`; else by whether people gave it."""
    if source is not None and b'"honeyhive"' in source:
        try:
            metadata = _source(source).metadata
            if metadata is not None and metadata.honeyhive is not None:
                return Shelf(metadata.honeyhive)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            pass
    return Shelf.FEEDBACK if source_type == APP else Shelf.METRICS


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
    the time of its first version, and leaves its place in the table when it is filed elsewhere. A record
    that is replayed after a crash gives no row: what is stored is as new or newer.
    """
    rows: dict[tuple[UUID, UUID, Place], Feedback] = {}
    latest: dict[tuple[UUID, UUID], Feedback] = {}
    for item in items:
        key = (item.workspace, item.id)
        first = stored.get(key)
        if first is not None and first.version >= item.version:
            continue
        former = latest.get(key, first)
        if former is not None and not former.deleted:
            item = msgspec.structs.replace(item, created_at=former.created_at)
            if former.place != item.place:
                rows[*key, former.place] = former.tombstone(item.version)
        rows[*key, item.place] = latest[key] = item
    return list(rows.values())


def refile(items: Iterable[Feedback], run: Run) -> list[Feedback]:
    """The rows that file stored feedback on this run anew: none for what stands where it should.

    They have the version of what they replace: of equal versions in one place the last one written counts.
    """
    rows: list[Feedback] = []
    for item in items:
        moved = item.filed(run)
        if moved.place != item.place:
            rows.append(item.tombstone(item.version))
        if moved != item:
            rows.append(moved)
    return rows


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


def together(one: FeedbackStat, other: FeedbackStat) -> FeedbackStat:
    """What two sets under one key, with no piece in common, come to. `stdev` is the population's, as in each."""
    n = one.n + other.n
    avg = stdev = None
    if n:
        left, right = one.avg or 0.0, other.avg or 0.0
        avg = (one.n * left + other.n * right) / n
        between = one.n * other.n / n * (left - right) ** 2
        within = one.n * (one.stdev or 0.0) ** 2 + other.n * (other.stdev or 0.0) ** 2
        stdev = math.sqrt((within + between) / n)
    bounds = [bound for stat in (one, other) for bound in (stat.min, stat.max) if bound is not None]
    return FeedbackStat(
        count=one.count + other.count,
        n=n,
        avg=avg,
        stdev=stdev,
        min=min(bounds, default=None),
        max=max(bounds, default=None),
        errors=one.errors + other.errors,
        values={
            value: one.values.get(value, 0) + other.values.get(value, 0)
            for value in {**one.values, **other.values}
        },
        comments=[*one.comments, *other.comments][:SAMPLES],
        sources=list(dict.fromkeys([*one.sources, *other.sources]))[:SAMPLES],
    )


Stats: TypeAlias = "Mapping[str, FeedbackStat]"
"""What feedback comes to, by key."""


def all_together(one: Stats, other: Stats) -> dict[str, FeedbackStat]:
    """The same for sets under several keys."""
    return {
        **one,
        **{key: together(one[key], stat) if key in one else stat for key, stat in other.items()},
    }
