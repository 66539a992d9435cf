"""Which runs the page asks for: the body that tables, figures and charts have in common."""

from __future__ import annotations

from uuid import UUID

import msgspec
from starlette.requests import Request

from stenograph.errors import Invalid
from stenograph.model.filters import Filter, Search, all_of, words
from stenograph.model.query import RunSelection
from stenograph.wire.http import services

LATEST = 253_402_300_800_000_000
"""The year 10,000: no time of a request is beyond."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """`filter` is LangSmith's language, `search` words that occur anywhere in a run; times are microseconds."""

    filter: str = ""
    search: str = ""
    roots: bool = True
    since: int | None = None
    until: int | None = None


def selection(request: Request, asked: Asked, workspace: UUID, project: UUID) -> RunSelection:
    """The runs of a project that are asked for; Invalid when that makes no sense."""
    for name in ("since", "until"):
        at = getattr(asked, name)
        if at is not None and not 0 <= at < LATEST:
            raise Invalid(f"{name} is not a time in microseconds since 1970.", ("body", name))
    return RunSelection(
        workspace=workspace,
        projects=(project,),
        is_root=True if asked.roots else None,
        since=asked.since,
        until=asked.until,
        filter=_both(request, asked),
    )


def _both(request: Request, asked: Asked) -> Filter | None:
    parts: list[Filter] = []
    if asked.filter.strip():
        parts.append(services(request).page.read_filter(asked.filter, "filter"))
    if asked.search.strip():
        if not words(asked.search):
            raise Invalid("Nothing to search for: a word has at least two characters.", ("body", "search"))
        parts.append(Search(asked.search))
    return all_of(parts) if parts else None
