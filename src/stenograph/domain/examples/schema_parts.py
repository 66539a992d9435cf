"""A JSON Schema taken apart: its subschemas, and which of them look at which place of a document.

All drafts from 4 to 2020-12 are read by one table of keywords; where they differ, a part too many is named. What
a schema means is the validator's business, not this module's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias
from urllib.parse import unquote, urldefrag, urljoin

from stenograph.domain.datasets.public_schemas import published_at
from stenograph.domain.examples.schema_patterns import weight
from stenograph.errors import Invalid

Path: TypeAlias = "tuple[str | int, ...]"

BASE: Final = "https://schema.invalid/"
"""The address of a schema that states none; nothing can be there (RFC 2606)."""

HERE: Final = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies")
"""Keywords whose subschemas look at the same place as the schema itself."""
REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_ITEMS: Final = ("items", "prefixItems", "additionalItems", "contains", "unevaluatedItems")
_OTHER_MEMBERS: Final = (
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
)
_COMPARED: Final = ("enum", "const", "required", "dependentRequired", "dependencies", "type")
_NAMED: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies"})
"""Keywords whose value is an object of subschemas by name."""


class Part:
    """One subschema. `checks` is the number of comparisons it makes at a place, its subschemas not counted in;
    `text` and `names` are the weights of the patterns it holds against a text, and against each member's name.
    """

    __slots__ = (
        "also", "checks", "here", "home", "is_legacy", "items", "members", "names", "others", "path", "rank",
        "schema", "text",
    )  # fmt: skip

    def __init__(self, schema: dict[str, Any], home: str, path: Path, *, is_legacy: bool) -> None:
        self.schema = schema
        self.is_legacy = is_legacy
        self.home = home
        self.path = path
        self.rank = 0
        self.checks = 1
        self.text = 0
        self.names = 0
        self.here: list[Part] = []
        """Look at the same place."""
        self.also: list[Part] = []
        """Those of `here` that have to hold whenever this part does."""
        self.members: dict[str, list[Part]] = {}
        """Look at the member of this name."""
        self.others: list[Part] = []
        """May look at any member."""
        self.items: list[Part] = []

    def member(self, name: str) -> Part | None:
        """The part for the member of this name, as far as names alone decide."""
        if name in self.members:
            return self.members[name][0]
        below = self.schema.get("additionalProperties")
        if name in self.schema.get("properties", ()) or self.schema.get("patternProperties"):
            return None
        return _of(self.others, below)

    def item(self, index: int) -> Part | None:
        """The part for the item at this index."""
        first = self.schema.get("prefixItems", self.schema.get("items"))
        if not isinstance(first, list):
            return _of(self.items, first)
        if index < len(first):
            return _of(self.items, first[index])
        rest = "items" if "prefixItems" in self.schema else "additionalItems"
        return _of(self.items, self.schema.get(rest))

    @property
    def is_reference(self) -> bool:
        """Whether nothing but its reference counts, as in draft 7 and before."""
        return self.is_legacy and "$ref" in self.schema

    @property
    def address(self) -> str:
        """Where the validator finds this part."""
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in self.path)
        return self.home + "#" + "".join("/" + _percent(step) for step in steps)


def _of(parts: list[Part], schema: Any) -> Part | None:
    return next((part for part in parts if part.schema is schema), None)


def _percent(step: str) -> str:
    return "".join(
        char if char.isalnum() and char.isascii() else "".join(f"%{byte:02X}" for byte in char.encode())
        for char in step
    )


def base_of(document: dict[str, Any]) -> str:
    """The address that a schema has by its own statement. ValueError when the statement is no address."""
    stated = document.get("id" if _is_draft4(document) else "$id")
    return urldefrag(urljoin(BASE, stated))[0] if isinstance(stated, str) else BASE


def _is_draft4(document: dict[str, Any]) -> bool:
    return "draft-04" in str(document.get("$schema"))


def take_apart(document: dict[str, Any]) -> list[Part]:
    """All parts that a validation may come to, the whole schema first.

    Invalid, with the path within the schema, when it refers to anything but itself and what this server
    publishes, when it gives addresses to its own subschemas, or when a part refers back to itself without a
    step into the document.
    """
    builder = _Builder(document)
    parts = builder.build()
    _rank(parts)
    return parts


class _Builder:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._legacy = "/draft-0" in str(document.get("$schema"))
        self._id = "id" if _is_draft4(document) else "$id"
        try:
            self._base = base_of(document)
        except ValueError:
            raise Invalid("this is not an address", (self._id,)) from None
        self._parts: dict[int, Part] = {}
        self._todo: list[Part] = []
        self._anchors: dict[str, dict[str, list[tuple[dict[str, Any], Path]]]] = {}

    def build(self) -> list[Part]:
        self._part(self._document, self._base, ())
        while self._todo:
            self._fill(self._todo.pop())
        return list(self._parts.values())

    def _part(self, schema: dict[str, Any], home: str, path: Path) -> Part:
        found = self._parts.get(id(schema))
        if found is None:
            found = self._parts[id(schema)] = Part(schema, home, path, is_legacy=self._legacy)
            self._todo.append(found)
        return found

    def _fill(self, part: Part) -> None:
        schema = part.schema
        own = part.home == self._base
        if own and part.path and isinstance(stated := schema.get(self._id), str) and stated[:1] != "#":
            raise Invalid(f"only the outermost schema may have an {self._id}", (*part.path, self._id))
        for keyword in HERE:
            part.here += self._below(part, keyword)
        part.also += self._below(part, "allOf")
        for keyword in REFERENCES:
            if isinstance(text := schema.get(keyword), str):
                targets = list(self._referred(part, keyword, text))
                part.here += targets
                part.also += targets if keyword == "$ref" else ()
        if "unevaluatedProperties" in schema or "unevaluatedItems" in schema:
            part.here *= 2  # the validator asks them once more, for what they have looked at
        for keyword in _ITEMS:
            part.items += self._below(part, keyword)
        for keyword in _OTHER_MEMBERS:
            part.others += self._below(part, keyword)
        named = schema.get("properties")
        for name, each in named.items() if isinstance(named, dict) else ():
            part.checks += 1
            if isinstance(each, dict):
                part.members[name] = [self._part(each, part.home, (*part.path, "properties", name))]
        part.checks += sum(_count(schema[keyword]) for keyword in _COMPARED if keyword in schema)
        self._weigh_patterns(part)

    def _weigh_patterns(self, part: Part) -> None:
        pattern, by_name = part.schema.get("pattern"), part.schema.get("patternProperties")
        if isinstance(pattern, str):
            part.text = _weight(pattern, (*part.path, "pattern"))
        for name in by_name if isinstance(by_name, dict) else ():
            part.names += _weight(name, (*part.path, "patternProperties", name))

    def _below(self, part: Part, keyword: str) -> Iterator[Part]:
        """The subschemas of a keyword. True and false have no part: they cost nothing."""
        value = part.schema.get(keyword)
        path = (*part.path, keyword)
        if isinstance(value, list):
            for index, each in enumerate(value):
                if isinstance(each, dict):
                    yield self._part(each, part.home, (*path, index))
        elif isinstance(value, dict) and keyword in _NAMED:
            for name, each in value.items():
                if isinstance(each, dict):
                    yield self._part(each, part.home, (*path, name))
        elif isinstance(value, dict):
            yield self._part(value, part.home, path)

    # -- references ------------------------------------------------------------------------------------------

    def _referred(self, part: Part, keyword: str, text: str) -> Iterator[Part]:
        where = (*part.path, keyword)
        try:
            address, fragment = urldefrag(urljoin(part.home, text))
        except ValueError:
            raise Invalid(f"{_cut(text)} is not an address", where) from None
        if text.startswith("#"):  # some schemes know no relative addresses
            address, fragment = part.home, text[1:]
        document = self._document if address == self._base else published_at(address)
        if document is None:
            raise Invalid(foreign(text), where)
        found = list(self._targets(document, address, unquote(fragment)))
        if not found:
            raise Invalid(f"{_cut(text)} leads nowhere", where)
        for schema, path in found:
            if isinstance(schema, dict):
                yield self._part(schema, address, path)
            elif not isinstance(schema, bool):
                raise Invalid(f"{_cut(text)} leads to something that is not a schema", where)

    def _targets(self, document: dict[str, Any], home: str, fragment: str) -> Iterator[tuple[Any, Path]]:
        if fragment and not fragment.startswith("/"):
            if home not in self._anchors:
                self._anchors[home] = _anchors(document)
            yield from self._anchors[home].get(fragment, ())
            return
        value: Any = document
        path: Path = ()
        for raw in fragment.split("/")[1:]:
            step: str | int = raw.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and raw.isascii() and raw.isdigit() and len(raw) < 10:
                step = int(raw)
                if step >= len(value):
                    return
            elif not isinstance(value, dict) or step not in value:
                return
            value = value[step]
            path = (*path, step)
        yield value, path


def _anchors(document: dict[str, Any]) -> dict[str, list[tuple[dict[str, Any], Path]]]:
    """Subschemas by the plain names they give themselves, in the manner of any draft."""
    found: dict[str, list[tuple[dict[str, Any], Path]]] = {}
    todo: list[tuple[Any, Path]] = [(document, ())]
    while todo:
        value, path = todo.pop()
        if isinstance(value, dict):
            stated = {
                value.get(keyword) for keyword in ("$anchor", "$dynamicAnchor") if _is_text(value, keyword)
            }
            stated |= {value[keyword][1:] for keyword in ("$id", "id") if _is_text(value, keyword, "#")}
            for name in stated:
                found.setdefault(str(name), []).append((value, path))
            todo += [(each, (*path, name)) for name, each in value.items()]
        elif isinstance(value, list):
            todo += [(each, (*path, index)) for index, each in enumerate(value)]
    return found


def _is_text(value: dict[str, Any], keyword: str, start: str = "") -> bool:
    return isinstance(text := value.get(keyword), str) and text.startswith(start)


def _rank(parts: list[Part]) -> None:
    """Number the parts so that each comes before those that it asks about its own place."""
    state: dict[int, bool] = {}
    finished = 0
    for start in parts:
        stack = [(start, iter(start.here))]
        if id(start) in state:
            continue
        state[id(start)] = False
        while stack:
            part, rest = stack[-1]
            below = next(rest, None)
            if below is None:
                stack.pop()
                state[id(part)] = True
                finished += 1
                part.rank = len(parts) - finished
            elif id(below) not in state:
                state[id(below)] = False
                stack.append((below, iter(below.here)))
            elif not state[id(below)]:
                raise Invalid("this schema refers back to itself at the same place of a document", part.path)


def _count(value: Any) -> int:
    """Values within a value."""
    count, todo = 0, [value]
    while todo:
        each = todo.pop()
        count += 1
        if isinstance(each, dict):
            todo += each.values()
        elif isinstance(each, list):
            todo += each
    return count


def _weight(pattern: str, where: Path) -> int:
    found = weight(pattern)
    if found is None:
        raise Invalid(f"{_cut(pattern)} is not a regular expression, or a very large one", where)
    return found


def foreign(address: str) -> str:
    """What to say of a reference to another document."""
    return (
        f"{_cut(address)} is not within this schema: only #/… and this server's own "
        "/public/schemas/v1/message.json and tooldef.json can be referred to"
    )


def _cut(text: str) -> str:
    return repr(text if len(text) <= 120 else text[:120] + "…")
