"""What an evaluator found, and what that has to be to count."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from stenograph.errors import Invalid
from stenograph.llm.chat import Tokens
from stenograph.model.evaluators import Definition, ReturnType

MAX_TEXT: Final = 10_000
"""Characters of a value, and of an explanation: longer ones are cut."""

MAX_REASON: Final = 2000
"""Characters of what is told of a failure."""


class EvaluationFailed(Invalid):
    """The evaluator failed on this event. `again`: it may do better another time."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        super().__init__(reason if len(reason) <= MAX_REASON else f"{reason[:MAX_REASON]}…")
        self.again = again


@dataclass(frozen=True, slots=True)
class Verdict:
    """A value and why. `tokens` were used to find it."""

    value: bool | int | float | str
    explanation: str | None = None
    tokens: Tokens | None = None
    model: str | None = None


def fitting(verdict: Verdict, definition: Definition) -> Verdict:
    """The verdict with its value as the definition's return type has it; EvaluationFailed when it is another."""
    value = verdict.value
    match definition.return_type:
        case ReturnType.FLOAT:
            if isinstance(value, str) or not math.isfinite(value):
                raise EvaluationFailed(f"it returned {_shown(value)}, and its return type is float")
            value = float(value)
        case ReturnType.BOOLEAN:
            if isinstance(value, str) or value not in (True, False):
                raise EvaluationFailed(f"it returned {_shown(value)}, and its return type is boolean")
            value = bool(value)
        case ReturnType.CATEGORICAL:
            value = category(value, definition)
        case ReturnType.STRING:
            value = value if isinstance(value, str) else _shown(value)
            value = _clean(value)[:MAX_TEXT]
    explanation = None if verdict.explanation is None else _clean(verdict.explanation)[:MAX_TEXT]
    return Verdict(value, explanation or None, verdict.tokens, verdict.model)


def category(value: bool | int | float | str, definition: Definition) -> str:
    """The category that this names, whatever its case; EvaluationFailed when it names none."""
    text = value if isinstance(value, str) else _shown(value)
    known = {each.category.strip().casefold(): each.category for each in definition.categories}
    found = known.get(text.strip().casefold())
    if found is None and known:
        raise EvaluationFailed(f"it returned {text[:100]!r}, which is none of its categories")
    return _clean(text)[:MAX_TEXT] if found is None else found


def _shown(value: bool | int | float | str) -> str:
    if isinstance(value, str):
        return repr(value[:100])
    return str(value).lower() if isinstance(value, bool) else repr(value)[:100]


def _clean(text: str) -> str:
    """Without what neither JSON nor the stores can hold."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
