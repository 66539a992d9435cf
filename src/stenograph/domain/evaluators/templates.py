"""Prompts with {{ paths }} into an event, filled in. Nothing is executed: a path finds a value or it does not.

`{{ outputs.content }}`, `{{ inputs.chat_history[0].content }}` and `{{ inputs.chat_history.0.content }}` go down into
objects and lists. A name may hold dots itself: `{{ metadata.a.b }}` finds {"a": {"b": 1}} and {"a.b": 1}. Texts stand
as they are, everything else as its JSON. docs/decisions/070-prompts-are-filled-not-executed.md
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from stenograph.domain.evaluators.verdicts import EvaluationFailed
from stenograph.errors import Invalid

OPEN: Final = "{{"
CLOSE: Final = "}}"

MAX_STEPS: Final = 12
"""Steps of a path: names that hold dots are looked for in every way that the path can be read."""

MAX_PROMPT: Final = 1_000_000
"""Characters of a prompt once it is filled in."""

_NAME: Final = r"""([^.\[\]|{}()'"\s]+)"""
_INDEX: Final = r"""\[\s*(?:(\d{1,9})|"([^"\]]*)"|'([^'\]]*)')\s*\]"""
_FIRST: Final = re.compile(_NAME)
_STEP: Final = re.compile(rf"\s*(?:{_INDEX}|\.\s*{_NAME})")
_NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Blank:
    """A place to fill in."""

    text: str
    path: tuple[str, ...]


def parse(template: str) -> list[str | Blank]:
    """A template as the texts and blanks it consists of. Invalid, with what stands there, for what is no path."""
    parts: list[str | Blank] = []
    at = 0
    while (start := template.find(OPEN, at)) >= 0:
        end = template.find(CLOSE, start + len(OPEN))
        if end < 0:
            raise Invalid(f"{template[start : start + 40]!r} opens a blank with {OPEN} and does not close it")
        parts.append(template[at:start])
        text = template[start + len(OPEN) : end].strip()
        parts.append(Blank(text, _path(text)))
        at = end + len(CLOSE)
    return [*parts, template[at:]]


def _path(text: str) -> tuple[str, ...]:
    steps: list[str] = []
    at, found = 0, _FIRST.match(text)
    while found is not None:
        steps.append(next(group for group in found.groups() if group is not None))
        at = found.end()
        found = _STEP.match(text, at)
    if not steps or at < len(text):
        raise Invalid(
            f"{{{{ {text[:60]} }}}} is no path into an event: what is filled in are paths, such as "
            "{{ outputs.content }}"
        )
    if len(steps) > MAX_STEPS:
        raise Invalid(f"{{{{ {text[:60]}… }}}} has more than {MAX_STEPS} steps")
    return tuple(steps)


def fill(template: str, event: Any) -> str:
    """The template with what the event has at each path. EvaluationFailed names a path that leads nowhere."""
    filled: list[str] = []
    size = 0
    for part in parse(template):
        text = part if isinstance(part, str) else _shown(part, event)
        size += len(text)
        if size > MAX_PROMPT:
            raise EvaluationFailed(f"the prompt has more than {MAX_PROMPT} characters once it is filled in")
        filled.append(text)
    return "".join(filled)


def _shown(blank: Blank, event: Any) -> str:
    found = _find(event, blank.path)
    if found is _NOTHING and blank.path[0] == "event":
        found = _find(event, blank.path[1:])
    if found is _NOTHING:
        raise EvaluationFailed(
            f"its prompt asks for {{{{ {blank.text[:60]} }}}}, which this event does not have"
        )
    return found if isinstance(found, str) else msgspec.json.encode(found).decode()


def _find(value: Any, steps: Sequence[str]) -> Any:
    """What stands at these steps; the whole value at none."""
    if not steps:
        return value
    if isinstance(value, dict):
        for count in range(1, len(steps) + 1):
            name = ".".join(steps[:count])
            if name in value and (found := _find(value[name], steps[count:])) is not _NOTHING:
                return found
    elif isinstance(value, list) and steps[0].isdecimal() and int(steps[0]) < len(value):
        return _find(value[int(steps[0])], steps[1:])
    return _NOTHING
