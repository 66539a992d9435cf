"""Transformations of a dataset, applied to an example: to OpenAI's messages and tools, and to what a schema names.

Bytes that a transformation does not change stay as they were sent. What does not look as a transformation expects
is left as it is: whether that will do is for the schema to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from stenograph.domain.examples import openai_messages, openai_tools
from stenograph.domain.examples.named_members import Place, certain, named_only
from stenograph.domain.examples.schemas import root_part
from stenograph.errors import Invalid
from stenograph.model.spelled_json import spelled
from stenograph.model.transformations import Transformation, TransformationType

MAX_TRANSFORMATIONS: Final = 100
MAX_STEPS: Final = 32
MAX_STEP: Final = 1000
"""Characters of a step."""

Edit: TypeAlias = "Callable[[bytes], bytes | None]"
"""A JSON value's successor; None when it stays as it is."""

_SIDES: Final = ("inputs", "outputs")
_ORDER: Final = tuple(TransformationType)

_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


# -- parsing ---------------------------------------------------------------------------------------------------


def parse_transformations(document: bytes, where: tuple[str | int, ...]) -> tuple[Transformation, ...]:
    """A dataset's `transformations`: a list of {path, transformation_type}, or null for none.

    Invalid, its path beginning with `where`, for anything else.
    """
    try:
        stated = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise Invalid("transformations have to be a JSON list", where) from None
    if stated is None:
        return ()
    if not isinstance(stated, list):
        raise Invalid("transformations have to be a list of objects with path and transformation_type", where)
    if len(stated) > MAX_TRANSFORMATIONS:
        raise Invalid(f"a dataset has at most {MAX_TRANSFORMATIONS} transformations", where)
    return tuple(_transformation(each, (*where, index)) for index, each in enumerate(stated))


def _transformation(stated: Any, where: tuple[str | int, ...]) -> Transformation:
    if not isinstance(stated, dict):
        raise Invalid("a transformation is an object with path and transformation_type", where)
    try:
        kind = TransformationType(str(stated.get("transformation_type")))
    except ValueError:
        known = ", ".join(TransformationType)
        raise Invalid(f"has to be one of {known}", (*where, "transformation_type")) from None
    path = stated.get("path")
    where = (*where, "path")
    if not isinstance(path, list) or not all(isinstance(step, str) for step in path):
        raise Invalid("has to be a list of texts, such as ['inputs', 'messages']", where)
    if not path or path[0] not in _SIDES:
        raise Invalid("has to begin with inputs or outputs", where)
    if len(path) > MAX_STEPS or any(len(step) > MAX_STEP for step in path):
        raise Invalid(f"has at most {MAX_STEPS} steps of at most {MAX_STEP} characters", where)
    return Transformation(kind, path[0], tuple(path[1:]))


# -- applying --------------------------------------------------------------------------------------------------


def transform(
    transformations: Sequence[Transformation],
    inputs_schema: bytes | None,
    outputs_schema: bytes | None,
    inputs: bytes | None,
    outputs: bytes | None,
    source_extra: bytes | None = None,
) -> tuple[bytes | None, bytes | None]:
    """Inputs and outputs after all transformations, in the order of their types. None stays None.

    `source_extra` is the `extra` of the run that the example is made from, or of its model call: tools come from
    its `invocation_params.tools`, where there are none at the path.
    """
    payloads = {"inputs": inputs, "outputs": outputs}
    schemas = {"inputs": inputs_schema, "outputs": outputs_schema}
    for each in sorted(transformations, key=lambda each: _ORDER.index(each.type)):
        payload = payloads[each.side]
        if payload is None:
            continue
        try:
            payloads[each.side] = _apply(each, schemas[each.side], payload, source_extra)
        except (msgspec.DecodeError, RecursionError, ValueError):
            continue  # no JSON, or a number or nesting beyond what can be read
    return payloads["inputs"], payloads["outputs"]


def _apply(each: Transformation, schema: bytes | None, payload: bytes, extra: bytes | None) -> bytes:
    changed: bytes | None = None
    match each.type:
        case TransformationType.CONVERT_TO_OPENAI_MESSAGE:
            payload = _with_message(payload, each.path, schema)
            changed = _edited(payload, each.path, _messages)
        case TransformationType.CONVERT_TO_OPENAI_TOOL:
            payload = _with_tools(payload, each.path, extra)
            changed = _edited(payload, each.path, _tools)
        case TransformationType.REMOVE_SYSTEM_MESSAGES:
            changed = _edited(payload, each.path, _without_system)
        case TransformationType.REMOVE_EXTRA_FIELDS:
            root = None if schema is None else root_part(schema)
            if root is not None:
                place = Place([root]).at(each.path)
                changed = _edited(payload, each.path, lambda value: named_only(value, place))
        case TransformationType.EXTRACT_TOOLS_FROM_RUN:
            changed = _with_tools(payload, each.path, extra)
    return payload if changed is None else changed


def _edited(document: bytes, path: tuple[str, ...], edit: Edit) -> bytes | None:
    """The document with the value at the path edited; None when there is none or it stays as it is."""
    if not path:
        return edit(document)
    step, rest = path[0], path[1:]
    if _is_object(document):
        members = _members(document)
        if step not in members:
            return None
        edited = _edited(bytes(members[step]), rest, edit)
        return None if edited is None else _json({**members, step: msgspec.Raw(edited)})
    if _is_list(document) and step.isascii() and step.isdigit() and len(step) < 10:
        items = _items(document)
        index = int(step)
        if index >= len(items):
            return None
        edited = _edited(bytes(items[index]), rest, edit)
        if edited is None:
            return None
        items[index] = msgspec.Raw(edited)
        return _json(items)
    return None


def _is_object(document: bytes) -> bool:
    return document.lstrip()[:1] == b"{"


def _is_list(document: bytes) -> bool:
    return document.lstrip()[:1] == b"["


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value)


# -- messages --------------------------------------------------------------------------------------------------


def _messages(value: bytes) -> bytes | None:
    """A message, a list of them, or a list of such lists; a list of one list is as good as the inner one."""
    if not _is_list(value):
        found = openai_messages.as_openai(decoded := spelled(value))
        return _json(found[0]) if found and len(found) == 1 and found[0] is not decoded else None
    items = _items(value)
    if len(items) == 1 and _is_batch(items[0]):
        inner = bytes(items[0])
        return _message_list(inner) or inner
    return _message_list(value)


def _is_batch(item: msgspec.Raw) -> bool:
    """Whether an item of a list is a list of messages, not a pair that is one message."""
    text = bytes(item)
    if not _is_list(text) or openai_messages.is_pair(decoded := spelled(text)):
        return False
    return any(openai_messages.role_of(each) is not None for each in decoded)


def _message_list(value: bytes) -> bytes | None:
    converted: list[Any] = []
    is_changed = False
    for item in _items(value):
        decoded = spelled(item)
        if isinstance(decoded, list) and not openai_messages.is_pair(decoded):
            batch = _batch(decoded)
            converted.append(item if batch is None else batch)
            is_changed |= batch is not None
            continue
        found = openai_messages.as_openai(decoded)
        if found is None or (len(found) == 1 and found[0] is decoded):
            converted.append(item)
        else:
            converted += found
            is_changed = True
    return _json(converted) if is_changed else None


def _batch(messages: list[Any]) -> list[Any] | None:
    converted: list[Any] = []
    for each in messages:
        converted += openai_messages.as_openai(each) or [each]
    same = len(converted) == len(messages) and all(map(_is, converted, messages))
    return None if same else converted


def _is(one: Any, other: Any) -> bool:
    return one is other


def _without_system(value: bytes) -> bytes | None:
    if not _is_list(value):
        return None
    items = _items(value)
    kept: list[msgspec.Raw] = []
    is_changed = False
    for item in items:
        decoded = spelled(item)
        if openai_messages.role_of(decoded) in ("system", "developer"):
            is_changed = True
        elif _is_batch(item) and (inner := _without_system(bytes(item))) is not None:
            kept.append(msgspec.Raw(inner))
            is_changed = True
        else:
            kept.append(item)
    return _json(kept) if is_changed else None


# -- messages out of a traced model call -----------------------------------------------------------------------

_HOLDERS: Final = ("generations", "choices", "messages", "message", "input", "output")
"""Where traced calls have their messages: LangChain's models and OpenAI's answers first, then any chain."""
_ALTERNATIVES: Final = ("generations", "choices")
"""Lists of which the first is the answer."""


def _with_message(payload: bytes, path: tuple[str, ...], schema: bytes | None) -> bytes:
    """A required member that is not there, taken from where a traced call of a model has its messages.

    The member it was taken from goes away.
    """
    if len(path) != 1 or not _is_object(payload) or path[0] in (members := _members(payload)):
        return payload
    name = path[0]
    root = None if schema is None else root_part(schema)
    if root is None or not any(name in part.schema.get("required", ()) for part in certain([root])):
        return payload
    wanted = certain(below for part in certain([root]) for below in part.members.get(name, ()))
    wants_list = any("items" in part.schema or part.schema.get("type") == "array" for part in wanted)
    if openai_messages.role_of(spelled(payload)) is not None:
        return _json({name: [msgspec.Raw(payload)] if wants_list else msgspec.Raw(payload)})
    for holder in _HOLDERS:
        if holder not in members:
            continue
        held = _held(spelled(members[holder]))
        if not all(openai_messages.role_of(each) is not None for each in held):
            continue
        if held and (wants_list or len(held) == 1 or holder in _ALTERNATIVES):
            del members[holder]
            return _json({**members, name: held if wants_list else held[0]})
    return payload


def _held(value: Any) -> list[Any]:
    """What could be messages in a holder; generations and choices have each in a member `message`."""
    if openai_messages.role_of(value) is not None:
        return [value]
    if isinstance(value, dict):
        return [value["message"]] if "message" in value else []
    if not isinstance(value, list):
        return []
    if len(value) == 1 and isinstance(value[0], list) and not openai_messages.is_pair(value[0]):
        value = value[0]
    return [found for each in value for found in (isinstance(each, dict) and _held(each)) or [each]]


# -- tools -----------------------------------------------------------------------------------------------------


def _tools(value: bytes) -> bytes | None:
    if not _is_list(value):
        converted = openai_tools.as_openai(decoded := spelled(value))
        return None if converted is decoded else _json(converted)
    items: list[Any] = list(_items(value))
    is_changed = False
    for index, item in enumerate(items):
        converted = openai_tools.as_openai(decoded := spelled(item))
        if converted is not decoded:
            items[index] = converted
            is_changed = True
    return _json(items) if is_changed else None


def _with_tools(payload: bytes, path: tuple[str, ...], extra: bytes | None) -> bytes:
    """The run's tools at the path, unless there are some already."""
    tools = None if extra is None else _tools_of_run(extra)
    if tools is None or not path:
        return payload

    def put(parent: bytes) -> bytes | None:
        if not _is_object(parent):
            return None
        members = _members(parent)
        if path[-1] in members and spelled(members[path[-1]]) not in (None, []):
            return None
        return _json({**members, path[-1]: tools})

    changed = _edited(payload, path[:-1], put)
    return payload if changed is None else changed


def _tools_of_run(extra: bytes) -> msgspec.Raw | None:
    """None when there are none, or the extra is not as expected."""
    try:
        params = _members(extra).get("invocation_params")
        tools = None if params is None else _members(params).get("tools")
        return tools if tools is not None and _items(tools) else None
    except (msgspec.DecodeError, RecursionError):
        return None
