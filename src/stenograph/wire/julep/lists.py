"""Julep's lists: which page is asked for, and by which metadata.

Its clients spell `metadata_filter={"a": {"b": 1}, "c": [2, 3]}` as `metadata_filter.a.b=1&metadata_filter.c=2&
metadata_filter.c=3`; its documents have an object, which is taken as JSON. What looks like a filter and is neither is
refused: a list that ignored it would show what was not asked for.
"""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request

from stenograph.errors import Invalid
from stenograph.model.access import Caller
from stenograph.model.listing import ListQuery, ListSort, MetadataTest, test_of_text, tests_of_object

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
MAX_OFFSET: Final = 2**31 - 1
MAX_TESTS: Final = 50

_FILTER: Final = "metadata_filter"


def list_query(request: Request, who: Caller) -> ListQuery:
    """limit, offset, sort_by, direction and metadata_filter; what else is in the query is not looked at."""
    sort = _one_of(request, "sort_by", ("created_at", "updated_at"))
    return ListQuery(
        workspace=who.workspace,
        tests=_tests(request),
        sort=ListSort(sort),
        descending=_one_of(request, "direction", ("desc", "asc")) == "desc",
        offset=number(request, "offset", 0, MAX_OFFSET),
        limit=number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT),
    )


def number(request: Request, name: str, default: int, high: int) -> int:
    """A whole number from 0 on. What is none is out of place (422), one out of bounds is refused (400)."""
    text = request.query_params.get(name)
    if not text:
        return default
    try:
        found = int(text)
    except ValueError:
        raise Invalid(f"{text[:40]!r} is not a whole number", ("query", name)) from None
    if not 0 <= found <= high:
        raise Invalid(f"{name} is 0 to {high}, not {text[:40]}")
    return found


def _one_of(request: Request, name: str, known: tuple[str, ...]) -> str:
    """The first is the default."""
    found = request.query_params.get(name) or known[0]
    if found not in known:
        raise Invalid(f"{found[:40]!r} is not one of {', '.join(known)}", ("query", name))
    return found


def _tests(request: Request) -> tuple[MetadataTest, ...]:
    found: list[MetadataTest] = []
    for key, value in request.query_params.multi_items():
        if key == _FILTER:
            found.extend(_of_json(value))
        elif key.startswith(f"{_FILTER}.") and len(key) > len(_FILTER) + 1:
            found.append(test_of_text(key[len(_FILTER) + 1 :], value))
        elif key.startswith((f"{_FILTER}.", f"{_FILTER}[")):
            raise _no_filter(key)
    if len(found) > MAX_TESTS:
        raise Invalid(f"a metadata_filter asks for at most {MAX_TESTS} values", ("query", _FILTER))
    return tuple(dict.fromkeys(found))


def _of_json(text: str) -> tuple[MetadataTest, ...]:
    if not text:
        return ()
    try:
        part = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise _no_filter(text) from None
    if part is None:
        return ()
    if not isinstance(part, dict):
        raise _no_filter(text)
    return tests_of_object(part)


def _no_filter(what: str) -> Invalid:
    return Invalid(
        f"{what[:60]!r} is no filter: a metadata_filter is a JSON object, or metadata_filter.NAME=VALUE",
        ("query", _FILTER),
    )
