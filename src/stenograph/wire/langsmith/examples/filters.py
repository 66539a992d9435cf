"""The filter language of examples, to the tests of `model/examples.py`. It asks about metadata alone:

    exists(metadata, "key")               has(metadata, '{"key": {"inner": 1}}')
    eq(metadata_key, "key")               in(metadata_key, ["a", "b"])
    and(eq(metadata_key, "key"), eq(metadata_value, "value"))       also neq and in of the value
    and(…)   or(…)   not(…)

A key and the values asked of it stand in one `and`, as in the filters of runs. Clients put the name of a field in
quotes, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from stenograph.model.examples import AllOf, AnyOf, Exists, Holds, MetadataTest, NoneOf
from stenograph.wire.langsmith.filters.syntax import Argument, Call, ListOf, Literal, Name, Number, fail, read

WHERE: Final = "filter"
_FUNCTIONS: Final = ("and", "or", "not", "exists", "has", "eq", "neq", "in")


def example_test(text: str) -> MetadataTest:
    """What a filter asks. Invalid, with the offset of the mistake, for one that cannot be asked of examples."""
    return _test(read(text, WHERE))


def _test(call: Call) -> MetadataTest:
    if call.name.lower() not in _FUNCTIONS:
        fail(f"{call.name} is not one of {', '.join(_FUNCTIONS)}", WHERE, call.at)
    match call.name.lower():
        case "and":
            return _all_of(call)
        case "or":
            return AnyOf(tuple(_test(each) for each in _calls(call)))
        case "not":
            if len(call.args) != 1:
                fail("not takes one condition", WHERE, call.at)
            return NoneOf(_test(_calls(call)[0]))
        case "exists":
            return Exists(_key(_of_metadata(call)))
        case "has":
            return Holds(_object(_of_metadata(call)))
    field, value = _comparison(call)
    if field == "metadata_value":
        fail('say of which key: and(eq(metadata_key, "key"), eq(metadata_value, …))', WHERE, call.at)
    return _compared(call, value, lambda literal: Exists(_key(literal)))


def _all_of(call: Call) -> MetadataTest:
    calls = _calls(call)
    values = [each for each in calls if _field(each) == "metadata_value"]
    if not values:
        return AllOf(tuple(_test(each) for each in calls))
    keys = [each for each in calls if _field(each) == "metadata_key"]
    if len(keys) != 1 or keys[0].name.lower() != "eq":
        fail("beside metadata_value there has to be one eq(metadata_key, …) in the same and", WHERE, call.at)
    key = _key(_comparison(keys[0])[1])
    asked = [_compared(each, _comparison(each)[1], lambda literal: _member(key, literal)) for each in values]
    rest = [_test(each) for each in calls if each not in values]
    return AllOf((*rest, *asked))


def _compared(call: Call, value: Argument, test: Callable[[Argument], MetadataTest]) -> MetadataTest:
    """eq, neq or in, where `test` is what one value is held against."""
    match call.name.lower():
        case "in":
            if not isinstance(value, ListOf):
                fail("in takes a list of values", WHERE, call.at)
            return AnyOf(tuple(test(item) for item in value.items))
        case "neq":
            return NoneOf(test(value))
    return test(value)


def _member(key: str, value: Argument) -> MetadataTest:
    """Metadata has this value under the key. A text that reads as a number or truth value is meant as either,
    since clients write what they have as text."""
    if not isinstance(value, Literal):
        fail("a metadata value is compared with a text, a number, true, false or null", WHERE, value.at)
    texts = [value.value.text.encode() if isinstance(value.value, Number) else _json(value.value)]
    if isinstance(value.value, str) and _is_scalar(value.value):
        texts.append(value.value.encode())
    name = _json(key)
    tests = tuple(Holds(b"{" + name + b":" + _number(text, value) + b"}") for text in texts)
    return tests[0] if len(tests) == 1 else AnyOf(tests)


def _number(text: bytes, value: Literal) -> bytes:
    """The grammar takes numbers that JSON does not, such as `.5`."""
    try:
        msgspec.json.decode(text)
        return text
    except msgspec.DecodeError:
        pass
    try:
        return _json(float(text))
    except ValueError:
        fail("this is not a number", WHERE, value.at)


def _is_scalar(text: str) -> bool:
    if len(text) > 40:
        return False
    try:
        return isinstance(msgspec.json.decode(text.encode(errors="replace")), bool | int | float)
    except msgspec.DecodeError:
        return False


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)


# -- arguments -------------------------------------------------------------------------------------------


def _calls(call: Call) -> list[Call]:
    if not call.args:
        fail(f"{call.name} needs a condition", WHERE, call.at)
    found = []
    for each in call.args:
        if not isinstance(each, Call):
            fail(f"{call.name} takes conditions", WHERE, each.at)
        found.append(each)
    return found


def _field(call: Call) -> str | None:
    """The field that a comparison is about; None for anything else."""
    return _name(call) if call.name.lower() in ("eq", "neq", "in") else None


def _name(call: Call) -> str | None:
    """What a function's first argument names, in quotes or not."""
    match call.args[0] if call.args else None:
        case Name(text) | Literal(str(text)):
            return text.lower()
    return None


def _comparison(call: Call) -> tuple[str, Argument]:
    field = _field(call)
    if field not in ("metadata_key", "metadata_value") or len(call.args) != 2:
        fail(
            f"{call.name} takes metadata_key or metadata_value, and a value: examples are filtered by metadata",
            WHERE,
            call.at,
        )
    return field, call.args[1]


def _of_metadata(call: Call) -> Argument:
    if len(call.args) != 2 or _name(call) != "metadata":
        fail(f"{call.name} takes metadata and a text: examples are filtered by metadata", WHERE, call.at)
    return call.args[1]


def _key(value: Argument) -> str:
    if not isinstance(value, Literal) or not isinstance(value.value, str):
        fail("a metadata key is a text", WHERE, value.at)
    return value.value


def _object(value: Argument) -> bytes:
    document = _key(value).encode(errors="replace")
    try:
        found = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        fail("""has takes a JSON object, such as '{"key": "value"}'""", WHERE, value.at)
    return document
