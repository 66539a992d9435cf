"""Projects: named streams of traces. One bound to a reference dataset is an experiment."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.model.listing import MetadataTest
from stenograph.model.runs import Micros

DEFAULT_PROJECT: Final = "default"
"""Every workspace starts with it: clients learn their workspace's id from the first project they list."""

CANONICAL_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,254}")
"""What Julep's clients refer to projects and agents by."""

TRACE_TIERS: Final = frozenset({"longlived", "shortlived"})


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project that exists; deleted ones are not seen outside the store.

    `extra` is the client's JSON object, its `metadata` member the one that filters look into.
    `test_run_number` counts the experiments of one reference dataset from 1; the store assigns it.
    An experiment may say what it expects: so many examples, each so often, judged under these feedback keys.
    """

    id: UUID
    workspace: UUID
    name: str
    start_time: Micros
    created_at: Micros
    modified_at: Micros
    description: str | None = None
    end_time: Micros | None = None
    extra: bytes | None = None
    default_dataset_id: UUID | None = None
    reference_dataset_id: UUID | None = None
    trace_tier: str | None = None
    longlived_ttl_days: int | None = None
    test_run_number: int | None = None
    num_examples: int | None = None
    num_repetitions: int | None = None
    evaluator_keys: tuple[str, ...] | None = None
    canonical_name: str | None = None

    @property
    def canonical(self) -> str | None:
        """What Julep's clients call it: the canonical name if it was given one, else its name where that is fit."""
        if self.canonical_name is not None:
            return self.canonical_name
        return self.name if CANONICAL_NAME.fullmatch(self.name) else None

    @property
    def expected_runs(self) -> int | None:
        """How many runs an experiment expects, where it said so."""
        if self.num_examples is None:
            return None
        return self.num_examples * (1 if self.num_repetitions is None else self.num_repetitions)


class NewProject(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says of a project it wants. Without `id` one is chosen; `start_time` defaults to now."""

    name: str
    id: UUID | None = None
    description: str | None = None
    start_time: Micros | None = None
    end_time: Micros | None = None
    extra: bytes | None = None
    default_dataset_id: UUID | None = None
    reference_dataset_id: UUID | None = None
    trace_tier: str | None = None
    longlived_ttl_days: int | None = None
    num_examples: int | None = None
    num_repetitions: int | None = None
    evaluator_keys: tuple[str, ...] | None = None
    canonical_name: str | None = None


class ProjectPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to a project. None leaves a field as it is: clients send null for what they do not mean."""

    name: str | None = None
    description: str | None = None
    start_time: Micros | None = None
    end_time: Micros | None = None
    extra: bytes | None = None
    default_dataset_id: UUID | None = None
    reference_dataset_id: UUID | None = None
    trace_tier: str | None = None
    longlived_ttl_days: int | None = None
    num_examples: int | None = None
    num_repetitions: int | None = None
    evaluator_keys: tuple[str, ...] | None = None


class ProjectSort(StrEnum):
    """The orders that metadata alone can give; ties fall to the id."""

    NAME = "name"
    START_TIME = "start_time"
    CREATED_AT = "created_at"
    MODIFIED_AT = "modified_at"


class ProjectQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which projects of one workspace, in which order. None and False mean no condition.

    `name_contains` ignores case. `reference_free` leaves experiments out. `metadata` is a JSON object that
    must be contained (see `contains`) in `extra.metadata`; `tests` look into the same. An empty `ids` or
    `reference_datasets` matches nothing. Without `limit` all are returned.
    """

    workspace: UUID
    ids: tuple[UUID, ...] | None = None
    name: str | None = None
    name_contains: str | None = None
    reference_free: bool = False
    reference_datasets: tuple[UUID, ...] | None = None
    metadata: bytes | None = None
    tests: tuple[MetadataTest, ...] = ()
    sort: ProjectSort = ProjectSort.START_TIME
    descending: bool = True
    offset: int = 0
    limit: int | None = None


def contains(whole: Any, part: Any) -> bool:
    """Whether the JSON value `part` is contained in `whole`, by the rule of PostgreSQL's `@>` on jsonb.

    Objects contain member by member, arrays element by element in any order, and everything else is
    contained in its equal; `true` is not `1`. (PostgreSQL manual, "jsonb Containment and Existence".)
    """
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and contains(whole[key], value) for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and all(
            any(contains(candidate, wanted) for candidate in whole) for wanted in part
        )
    if isinstance(part, bool) or isinstance(whole, bool):
        return part is whole
    return bool(part == whole)


def metadata_of(extra: bytes | None) -> Any:
    """The `metadata` member of a project's `extra`, decoded; an empty object when there is none."""
    decoded = msgspec.json.decode(extra) if extra else None
    return decoded.get("metadata", {}) if isinstance(decoded, dict) else {}
