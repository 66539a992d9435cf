"""Questions about runs and feedback: the one set of query values that every face parses into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple
from uuid import UUID

from stenograph.model.feedback_formulas import Applied
from stenograph.model.filters import Filter
from stenograph.model.runs import Micros

StatGroup = Literal["project", "name", "run_type", "tag", "metadata"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSelection:
    """Which runs of a workspace. Everything given must hold; empty and None say nothing.

    `filter` speaks of the run itself, `trace_filter` of the root of its trace, `tree_filter` of any run of
    its trace. `since` and `until` bound the start time, both inclusive. `parent_also` are other names of
    `parent_run`. `without_projects` are being deleted: nothing of them is seen, though their rows may still be
    there. `formulas` select nothing: what they compute counts as feedback of the runs, in filters and in
    statistics.
    """

    workspace: UUID
    projects: tuple[UUID, ...] = ()
    without_projects: tuple[UUID, ...] = ()
    ids: tuple[UUID, ...] = ()
    traces: tuple[UUID, ...] = ()
    parent_run: UUID | None = None
    parent_also: tuple[UUID, ...] = ()
    reference_examples: tuple[UUID, ...] = ()
    run_type: str | None = None
    has_error: bool | None = None
    is_root: bool | None = None
    since: Micros | None = None
    until: Micros | None = None
    filter: Filter | None = None
    trace_filter: Filter | None = None
    tree_filter: Filter | None = None
    formulas: tuple[Applied, ...] = ()


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last run of a page: the next page starts after it, whatever has arrived meanwhile."""

    start_time: Micros
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """A page of runs by start time, ties by id. `columns` are those of the store (see rows.RUN_COLUMNS)."""

    selection: RunSelection
    columns: frozenset[str]
    limit: int = 100
    newest_first: bool = True
    after: Cursor | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadQuery:
    """A page of threads of one project, the most recently active first."""

    selection: RunSelection
    limit: int = 10
    offset: int = 0


class Change(NamedTuple):
    """Something of a run was written. The trace is a nil uuid where it is not known."""

    run: UUID
    trace: UUID
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackQuery:
    """A page of feedback of a workspace, newest first, ties by id.

    `runs` and `traces` bound it to the feedback of certain runs, given with or without their trace's id;
    `on_runs` True means run-level only, False project-level only. `without_projects` as in RunSelection.
    """

    workspace: UUID
    ids: tuple[UUID, ...] = ()
    runs: tuple[UUID, ...] = ()
    traces: tuple[UUID, ...] = ()
    projects: tuple[UUID, ...] = ()
    without_projects: tuple[UUID, ...] = ()
    keys: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    has_comment: bool | None = None
    has_score: bool | None = None
    on_runs: bool | None = None
    created_since: Micros | None = None
    created_until: Micros | None = None
    comparative_experiment: UUID | None = None
    limit: int = 100
    offset: int = 0
