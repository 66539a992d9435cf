"""What all of HoneyHive's routes share in reading a request.

Its `/v1` bodies are strict: give their Struct `forbid_unknown_fields=True`, and `body_as` of wire/http.py answers 400.
Bodies of the unversioned paths come in several shapes: see `body_in`.
"""

from __future__ import annotations

import ast
import contextlib
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from starlette.requests import Request

from stenograph.errors import Invalid, NotFound
from stenograph.model.projects import ProjectQuery
from stenograph.model.runs import Micros
from stenograph.wire import http
from stenograph.wire.honeyhive import times
from stenograph.wire.http import decode, services
from stenograph.wire.payloads import clean

T = TypeVar("T")

DEFAULT_PROJECT: Final = "default"
"""Where events go whose client names no project."""

MAX_PAGE: Final = 10_000_000

_MAX_PRINTED: Final = 20_000
"""Characters of an object in a query, as Python prints it, that are read."""

# -- projects --------------------------------------------------------------------------------------------


async def project_for(request: Request, workspace: UUID, name: str | None) -> UUID:
    """The project to write to, made when it is new."""
    return await services(request).projects.get_or_create(workspace, name or DEFAULT_PROJECT)


async def projects_named(request: Request, workspace: UUID, name: str | None) -> tuple[UUID, ...] | None:
    """The projects to read, by the name or the id of one, with those of its experiments: () stands for all, when none
    is named.

    None when the workspace has no such project. That is no error: a client may ask before its first event.
    """
    if not name:
        return ()
    if "\0" in name:
        return None
    projects = services(request).projects
    found = []
    with contextlib.suppress(ValueError):
        found = await projects.find(ProjectQuery(workspace=workspace, ids=(UUID(name),)))
    found = found or await projects.find(ProjectQuery(workspace=workspace, name=name))
    if not found:
        return None
    # Sessions of experiments are in the experiments' projects, and belong to the one that their client named.
    within = await services(request).experiments.evaluations.within(workspace, found[0].id)
    return (found[0].id, *within)


# -- bodies ----------------------------------------------------------------------------------------------


async def body_in(request: Request, name: str, kind: type[T]) -> T:
    """The body's member `name` as `kind`, in any of the shapes that clients of all ages send: an object, the text of
    its JSON, or the object alone without a member around it. Invalid names the path to what is wrong."""
    async with services(request).bodies.read(request) as raw:
        return decode(unwrapped(raw, name), kind)


def unwrapped(body: bytes, name: str) -> bytes:
    """The JSON of the object that a body is about, wherever it stands: see `body_in`."""
    members = decode(body, dict[str, msgspec.Raw])
    if name not in members:
        return body
    inner = bytes(members[name])
    if inner[:1] != b'"':
        return inner
    try:
        return msgspec.json.decode(clean(inner), type=str).encode()
    except (msgspec.DecodeError, UnicodeDecodeError, UnicodeEncodeError):
        raise Invalid(f"{name} is a text that is not JSON", ("body", name)) from None


def whole(value: float | str | None, name: str, *, default: int, low: int = 1, high: int) -> int:
    """A whole number of a body within bounds, both inclusive; JavaScript writes 10 as 10.0, and some as a text."""
    if value is None or value == "":
        return default
    try:
        number = float(value)
    except ValueError:
        number = 0.5
    if isinstance(value, bool) or not number.is_integer():
        raise Invalid(f"{str(value)[:40]!r} is not a whole number", ("body", name))
    if not low <= number <= high:
        raise Invalid(f"{int(number)} is not within {low} and {high}", ("body", name))
    return int(number)


# -- periods ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when, both inclusive; None is open."""

    since: Micros | None = None
    until: Micros | None = None


ALWAYS: Final = Period()


def period(sent: Any, where: tuple[str | int, ...] = ("body", "dateRange")) -> Period:
    """A dateRange in any of its forms: `{"$gte": …, "$lte": …}` with ISO texts or epoch milliseconds, the JSON text
    of such an object, `{"relative": "7d"}`, or a single time to begin with. Invalid names what is wrong."""
    if sent is None or sent == "":
        return ALWAYS
    if isinstance(sent, str):
        text = sent.strip()
        if not text.startswith("{"):
            return Period(since=times.read(text, where))
        try:
            sent = msgspec.json.decode(clean(text.encode()))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            raise Invalid(f"{text[:60]!r} is not valid JSON", where) from None
    if not isinstance(sent, Mapping):
        raise Invalid('must be an object such as {"$gte": "2024-01-31T00:00:00Z", "$lte": …}', where)
    unknown = sorted(str(name) for name in sent.keys() - {"$gte", "$lte", "relative"})
    if unknown:
        raise Invalid(f"{unknown[0][:40]!r} is none of $gte, $lte and relative", where)
    relative = sent.get("relative")
    if relative is not None:
        if not isinstance(relative, str):
            raise Invalid("must be a text such as 7d", (*where, "relative"))
        return Period(since=times.ago(relative, (*where, "relative")))
    return Period(since=_bound(sent, "$gte", where), until=_bound(sent, "$lte", where))


def _bound(sent: Mapping[str, Any], name: str, where: tuple[str | int, ...]) -> Micros | None:
    value = sent.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Invalid("must be a text or a number", (*where, name))
    return times.read(value, (*where, name))


# -- ids -------------------------------------------------------------------------------------------------


def path_id(request: Request, name: str, noun: str) -> UUID:
    """An id of the path. HoneyHive's own ids have another form: one of these is of nothing here, so NotFound."""
    return named_id(request.path_params[name], noun)


def named_id(text: str, noun: str) -> UUID:
    """The same for an id that stands elsewhere."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"There is no {noun} {text[:80]}.") from None


# -- query parameters ------------------------------------------------------------------------------------


def unprinted(text: str) -> str:
    """The JSON of an object or a list in a query: HoneyHive's Python client puts them there as Python prints them,
    `{'$gte': 1, 'type': None}`. Everything else as it is."""
    if text[:1] not in ("{", "[") or "'" not in text or len(text) > _MAX_PRINTED:
        return text
    try:
        msgspec.json.decode(text)
        return text
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of backslashes that mean nothing to Python
            return msgspec.json.encode(ast.literal_eval(text)).decode()
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return text


class Params(http.Params):
    """Query parameters as HoneyHive's clients write them."""

    def texts(self, name: str) -> tuple[str, ...]:
        """A list: `ids[]=a&ids[]=b`, `ids[0]=a`, `ids=a&ids=b`, or one JSON text of an array, `ids=["a","b"]`."""
        found = self.each(name)
        if len(found) == 1 and found[0].lstrip()[:1] == "[":
            try:
                return tuple(msgspec.json.decode(clean(found[0].encode()), type=list[str]))
            except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
                raise Invalid("is not a JSON array of texts", ("query", name)) from None
        return tuple(value for value in found if value)

    def each(self, name: str) -> list[str]:
        """Every value of a list as it is: `ids[]=a&ids[]=b`, `ids[0]=a`, `ids=a`; of an object its JSON."""
        numbered = re.compile(re.escape(name) + r"(?:\[\d{0,6}\])?", re.ASCII)
        return [unprinted(value) for key, value in self._found.multi_items() if numbered.fullmatch(key)]

    def items(self) -> list[tuple[str, str]]:
        """All parameters, as they came."""
        return self._found.multi_items()

    def uuids(self, name: str) -> tuple[UUID, ...]:
        return tuple(http.as_uuid(value, ("query", name)) for value in self.texts(name))

    def period(self, name: str = "dateRange") -> Period:
        """`dateRange={"$gte":…}` as JSON, `dateRange[$gte]=…`, or a time to begin with."""
        where = ("query", name)
        marks = ("$gte", "$lte", "relative")
        apart = {mark: value for mark in marks if (value := self._found.get(f"{name}[{mark}]"))}
        return period(apart or unprinted(self._found.get(name) or ""), where)

    def page(self, *, default: int, most: int) -> tuple[int, int]:
        """`page`, counted from 1, and `limit`."""
        return self.number("page", 1, 1, MAX_PAGE), self.number("limit", default, 1, most)
