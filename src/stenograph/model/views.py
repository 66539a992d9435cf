"""Saved views: a project's filters under a name."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import msgspec

from stenograph.model.runs import Micros


class ViewType(StrEnum):
    """What a view lists."""

    RUNS = "runs"
    THREADS = "threads"
    SINGLE_RUN = "single_run"


class SavedView(msgspec.Struct, frozen=True, kw_only=True):
    """Filter texts are kept as written, in the language of the face they came through.

    The window is `start_time` to `end_time`, or `duration` (text such as `7d`) up to now.
    """

    id: UUID
    workspace: UUID
    project_id: UUID
    display_name: str
    created_at: Micros
    updated_at: Micros
    description: str | None = None
    type: ViewType = ViewType.RUNS
    filter_string: str | None = None
    trace_filter_string: str | None = None
    tree_filter_string: str | None = None
    start_time: Micros | None = None
    end_time: Micros | None = None
    duration: str | None = None
    shown: str | None = None
    """What the page shows of it, as parameters of its address: tab, columns, words searched for."""


class ViewPatch(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to a view. None leaves a field as it is."""

    display_name: str | None = None
    description: str | None = None
    type: ViewType | None = None
    filter_string: str | None = None
    trace_filter_string: str | None = None
    tree_filter_string: str | None = None
    start_time: Micros | None = None
    end_time: Micros | None = None
    duration: str | None = None
    shown: str | None = None
