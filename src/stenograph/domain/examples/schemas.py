"""JSON Schemas of datasets: what counts as one, and what is wrong with a document under one.

Drafts 4, 6, 7, 2019-09 and 2020-12; without `$schema`, 2020-12. `format` says something and checks nothing, as
the newer drafts have it. Nothing is ever fetched. A schema comes from a caller and so does the document, so what
the two can cost together is bounded before it is begun (`schema_effort.py`).
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import jsonschema_rs
import msgspec

from stenograph.domain.datasets.public_schemas import published_at
from stenograph.domain.examples.schema_effort import Effort, effort, unfolded
from stenograph.domain.examples.schema_parts import BASE, Part, Path, base_of, foreign, take_apart
from stenograph.domain.examples.schema_patterns import BACKTRACKING, LINEAR, LINEAR_WEIGHT, Options
from stenograph.errors import Invalid

MAX_SCHEMA: Final = 256 * 1024
"""Bytes of a schema."""
MAX_PROBLEMS: Final = 20
MAX_MESSAGE: Final = 300
"""Characters of a problem's message; a step of its path has at most as many."""
MAX_EFFORT: Final = Effort(checks=20_000_000, text=1_000_000, copies=1 << 80)
"""About a second at the worst: see `schema_effort.py`."""
MAX_TOLD: Final = Effort(checks=20_000, text=1_000_000, copies=2_000_000)
"""Up to this, the validator lists all errors at once. One costs it 10 microseconds and a copy of the value."""

_DRAFT: Final = re.compile(
    r"https?://json-schema\.org/(?:draft-0[467]/schema|draft/(?:2019-09|2020-12)/schema)#?"
)
_DRAFTS: Final = (
    "http://json-schema.org/draft-07/schema#, the same with 04 or 06, and "
    "https://json-schema.org/draft/2020-12/schema, the same with 2019-09"
)
_MAX_STEPS: Final = 8
"""How far down in a large document a problem is located."""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, and the steps to where in the document: names and indexes."""

    path: Path
    message: str


def check_schema(document: bytes, where: tuple[str | int, ...]) -> None:
    """Invalid, its path beginning with `where`, unless the document is a JSON Schema that can be used here."""
    try:
        _compiled.get(document)
    except Invalid as error:
        raise Invalid(error.message, (*where, *_short(error.where))) from None


def problems(schema: bytes, document: bytes) -> tuple[Problem, ...]:
    """What is wrong with a JSON document, at most MAX_PROBLEMS of it; nothing when it fits the schema.

    A document that cannot be read or is too much work to check has that as its problem. Invalid when the schema
    is none: see `check_schema`. Up to about a second of CPU, holding the interpreter.
    """
    compiled = _compiled.get(schema)
    try:
        value = msgspec.json.decode(document)
        return compiled.problems(value, document)
    except RecursionError:
        return (Problem((), "is nested too deeply to be held against the schema"),)
    except msgspec.DecodeError as error:
        return (Problem((), _cut(f"cannot be held against the schema: {error}")),)
    except ValueError as error:  # the validator's own limit of nesting
        return (Problem((), _cut(f"cannot be held against the schema: {error}")),)


def root_part(schema: bytes) -> Part | None:
    """The parts of a schema, beginning with the whole of it; None when it cannot be used."""
    try:
        return _compiled.get(schema).root
    except Invalid:
        return None


# -- compiled schemas ------------------------------------------------------------------------------------------


class _Schema:
    """A schema ready for use. Invalid, with the path within it, when it cannot be used."""

    def __init__(self, text: bytes) -> None:
        self._document = _read(text)
        parts = take_apart(self._document)
        self.root = parts[0]
        linear = all(max(part.text, part.names) <= LINEAR_WEIGHT for part in parts)
        self._options: Options = LINEAR if linear else BACKTRACKING
        self._base = base_of(self._document)
        self._refused: str | None = None
        self._anywhere = unfolded(self.root)
        if effort(self.root, None, MAX_EFFORT) is None:
            raise Invalid("this schema branches so often that nothing can be held against it")
        self._validator = self._compile(text.decode(), BASE)

    def _compile(self, schema: str | dict[str, Any], base: str) -> jsonschema_rs.Validator:
        self._refused = None
        try:
            return jsonschema_rs.validator_for(
                schema,
                base_uri=base,
                retriever=self._retrieve,
                pattern_options=self._options,
                validate_formats=False,
                mask="the value",
            )
        except jsonschema_rs.ValidationError as error:
            if self._refused is not None:
                raise Invalid(foreign(self._refused)) from None
            raise Invalid(_cut(error.message), tuple(error.instance_path)) from None
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise Invalid(_cut(f"cannot be used as a schema: {error}")) from None

    def _retrieve(self, address: str) -> Any:
        """In place of all fetching."""
        found = self._document if address == self._base else published_at(address)
        if found is None:
            self._refused = address
            raise LookupError(address)
        return found

    def validator(self, part: Part) -> jsonschema_rs.Validator | None:
        """The validator of one part; None when the schema's own address is spelled so that none is found there."""
        try:
            return self._compile({"$ref": part.address}, _ELSEWHERE)
        except Invalid:
            return None

    def objection(self, part: Part, value: Any) -> jsonschema_rs.ValidationError | None:
        """The first that a part has by itself, without looking into members."""
        stated = part.schema
        own: dict[str, Any] = {keyword: stated[keyword] for keyword in _BY_ITSELF if keyword in stated}
        if stated.get("additionalProperties") is False:
            own["additionalProperties"] = False
            for keyword in ("properties", "patternProperties"):
                own[keyword] = dict.fromkeys(stated.get(keyword, ()), True)
        try:
            self._compile(own, _ELSEWHERE).validate(value)
        except jsonschema_rs.ValidationError as error:
            return error
        return None

    def problems(self, value: Any, document: bytes) -> tuple[Problem, ...]:
        if not self._is_cheap(document) and effort(self.root, value, MAX_EFFORT) is None:
            return (Problem((), "is too large for this schema, which has too many ways to look at it"),)
        if self._validator.is_valid(value):
            return ()
        telling = _Telling(self)
        telling.tell(self.root, self._validator, value, ())
        return tuple(telling.found)

    def _is_cheap(self, document: bytes) -> bool:
        """Whether no document of this size could be too much. A value but the first follows a `,`, `{` or `[`."""
        if self._anywhere is None:
            return False
        values = 1 + document.count(b",") + document.count(b"{") + document.count(b"[")
        most = Effort(self._anywhere.checks * values, self._anywhere.text * len(document))
        return most.within(MAX_EFFORT)


_ELSEWHERE: Final = uuid4().urn
"""The address of schemas that only refer to a part; no caller can know it."""

_BY_ITSELF: Final = (
    "$schema", "type", "enum", "const", "required", "dependentRequired", "minLength", "maxLength", "pattern",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems",
    "uniqueItems", "minProperties", "maxProperties",
)  # fmt: skip


class _Telling:
    """Says what is wrong with a value of which it is known that something is.

    Small values are left to the validator. Of others it would list all errors, each with a copy of the value that
    has it; so the way is followed down to the members that are wrong, until they are small.
    """

    def __init__(self, schema: _Schema) -> None:
        self.found: list[Problem] = []
        self._schema = schema
        self._validators: dict[int, jsonschema_rs.Validator | None] = {}

    def tell(self, part: Part, validator: jsonschema_rs.Validator, value: Any, path: Path) -> None:
        """Adds one problem or more."""
        before = len(self.found)
        if effort(part, value, MAX_TOLD) is not None:
            for error in validator.iter_errors(value):
                self._add((*path, *error.instance_path), error.message)
        else:
            first = None if part.is_reference else self._schema.objection(part, value)
            if first is not None:
                self._add((*path, *first.instance_path), first.message)
            if len(path) < _MAX_STEPS:
                self._tell_below(part, value, path)
        if len(self.found) == before:
            self._add(path, "the value does not fit the schema")

    def _tell_below(self, part: Part, value: Any, path: Path) -> None:
        for below, member, step in _down(part, value):
            if len(self.found) >= MAX_PROBLEMS:
                return
            if id(below) not in self._validators:
                self._validators[id(below)] = self._schema.validator(below)
            validator = self._validators[id(below)]
            if validator is not None and not validator.is_valid(member):
                self.tell(below, validator, member, (*path, *step))

    def _add(self, path: Path, message: str) -> None:
        problem = Problem(_short(path), _cut(message))
        if len(self.found) < MAX_PROBLEMS and problem not in self.found:
            self.found.append(problem)


def _down(part: Part, value: Any) -> Iterator[tuple[Part, Any, Path]]:
    """What has to hold for a value: parts, what each looks at, and the steps to it."""
    for below in part.also:
        yield below, value, ()
    if part.is_reference:
        return
    if isinstance(value, dict):
        for name, member in value.items():
            if (found := part.member(name)) is not None:
                yield found, member, (name,)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            if (found := part.item(index)) is not None:
                yield found, member, (index,)


def _read(text: bytes) -> dict[str, Any]:
    if len(text) > MAX_SCHEMA:
        raise Invalid(f"a schema has at most {MAX_SCHEMA} bytes, and this one has {len(text)}")
    try:
        document = msgspec.json.decode(text)
    except RecursionError:
        raise Invalid("a schema must not be nested that deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(_cut(f"not valid JSON: {error}")) from None
    if not isinstance(document, dict):
        raise Invalid("a schema has to be a JSON object")
    draft = document.get("$schema")
    if draft is not None and not (isinstance(draft, str) and _DRAFT.fullmatch(draft)):
        raise Invalid(_cut(f"the drafts known here are {_DRAFTS}"), ("$schema",))
    return document


def _short(path: Path) -> Path:
    return tuple(_cut(step) if isinstance(step, str) else step for step in path)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


class _Compiled:
    """The schemas used last, bounded by count and by the bytes of their texts. Safe to share between threads."""

    def __init__(self, count: int, size: int) -> None:
        self._count = count
        self._size = size
        self._held: OrderedDict[bytes, _Schema] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, text: bytes) -> _Schema:
        """Compiled now or before. Invalid, with the path within the schema, when it cannot be used."""
        with self._lock:
            found = self._held.get(text)
            if found is not None:
                self._held.move_to_end(text)
                return found
        found = _Schema(text)
        with self._lock:
            if text not in self._held:
                self._held[text] = found
                self._bytes += len(text)
            while len(self._held) > self._count or self._bytes > self._size:
                dropped, _ = self._held.popitem(last=False)
                self._bytes -= len(dropped)
        return found


_compiled: Final = _Compiled(count=256, size=1 << 20)
