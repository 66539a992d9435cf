"""Whether a JSON column contains a JSON object, as PostgreSQL's @> has it: every member of it, at every depth.

A scalar equals one of the same type, 1 and 1.0 being one number. An object contains what has fewer members; a list
contains a list each of whose members one of its own contains.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles

from stenograph.errors import Invalid

FUNCTION: Final = "json_contains"
"""What SQLite connections call `holds` (see dialect.py)."""

_decode: Final = msgspec.json.Decoder().decode


def contains(column: sa.ColumnElement[Any], wanted: bytes) -> sa.ColumnElement[bool]:
    """A condition on a column of JSON text. Invalid unless `wanted` is a JSON object that can be read."""
    try:
        found = _decode(wanted)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"a metadata filter is a JSON object: {error}", where=("metadata_filter",)) from None
    if not isinstance(found, dict):
        raise Invalid("a metadata filter is a JSON object", where=("metadata_filter",))
    if not found:
        return sa.true()
    return _Contains(column, sa.bindparam(None, wanted.decode(), sa.Text(), unique=True))


class _Contains(sa.sql.functions.GenericFunction[bool]):
    name = FUNCTION
    inherit_cache = True
    type = sa.Boolean()


@compiles(_Contains, "postgresql")
def _as_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, wanted = element.clauses.clauses
    as_json = postgresql.JSONB()
    return str(compiler.process(sa.cast(column, as_json).contains(sa.cast(wanted, as_json)), **options))


def holds(text: str | None, wanted: str) -> bool:
    """The same in Python, for an engine that lacks it."""
    if text is None:
        return False
    asked = _decode(wanted)
    if text == "{}":
        return not asked
    try:
        return _holds(_decode(text), asked)
    except (msgspec.DecodeError, RecursionError):
        return False


def _holds(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            key in found and _holds(found[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and all(any(_holds(one, each) for one in found) for each in wanted)
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    return bool(found == wanted)
