"""Evaluators that ask a model: the prompt filled in, the answer read.

A rating stands in double square brackets, `[[4]]`; the last one counts, for judges think aloud before they judge.
Where a prompt says nothing of brackets, the model is told. An answer that is nothing but a value is one, too.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from stenograph.domain.evaluators.templates import fill
from stenograph.domain.evaluators.verdicts import EvaluationFailed, Verdict, category
from stenograph.llm.chat import ChatReply, ChatRequest
from stenograph.llm.client import RETRIES, Models
from stenograph.model.evaluators import Definition, ReturnType

_MARK: Final = re.compile(r"\[\[([^\[\]]{1,500})\]\]")
_NUMBER: Final = re.compile(r"([-+]?\d{1,15}(?:\.\d{1,15})?)(?:\s*/\s*(\d{1,9}))?", re.ASCII)
_YES: Final = frozenset({"true", "yes", "pass", "passed", "1"})
_NO: Final = frozenset({"false", "no", "fail", "failed", "0"})
_VALUED: Final = ("rating", "score", "value", "result", "category")
_EXPLAINED: Final = ("explanation", "reasoning", "reason", "comment")

_members = msgspec.json.Decoder(dict[str, Any]).decode


async def judge(models: Models, definition: Definition, event: Any, retries: int = RETRIES) -> Verdict:
    """What a model finds. ModelRefused and ModelUnavailable when it cannot be asked; EvaluationFailed, which may do
    better another time, when its answer holds no value of the definition's type."""
    prompt = fill(definition.criteria, event) + _instruction(definition)
    messages = msgspec.json.encode([{"role": "user", "content": prompt}])
    reply = await models.chat(
        ChatRequest(messages=messages, model=definition.model_name or ""), retries=retries
    )
    value, explanation = _read(reply, definition)
    return Verdict(value, explanation, reply.tokens, reply.model)


def _instruction(definition: Definition) -> str:
    if "[[" in definition.criteria:
        return ""
    match definition.return_type:
        case ReturnType.FLOAT:
            upto = f" of at most {definition.scale}" if definition.scale is not None else ""
            wanted = f"a number{upto}, such as [[{definition.scale or 1}]]"
        case ReturnType.BOOLEAN:
            wanted = "either [[true]] or [[false]]"
        case ReturnType.CATEGORICAL:
            names = [f"[[{each.category}]]" for each in definition.categories]
            wanted = f"one of {', '.join(names)}" if names else "a category, such as [[good]]"
        case ReturnType.STRING:
            return ""
    return f"\n\nExplain briefly. Then give your verdict in double square brackets: {wanted}."


def _read(reply: ChatReply, definition: Definition) -> tuple[bool | float | str, str | None]:
    """The value in an answer, and what else it says."""
    text = reply.text.strip()
    if not text:
        choice = reply.choices[0]
        why = choice.refusal or choice.finish_reason or "no reason given"
        raise EvaluationFailed(f"the model answered nothing ({why[:200]})", again=True)
    marks = list(_MARK.finditer(text))
    if marks:
        last = marks[-1]
        explanation = (text[: last.start()].rstrip() + " " + text[last.end() :].lstrip()).strip()
        return _value(last[1].strip(), definition), explanation or None
    if definition.return_type is ReturnType.STRING:
        return text, None
    said = _object(text)
    for name in _VALUED:
        if said.get(name) is not None:
            found = said[name]
            explained = next((said[each] for each in _EXPLAINED if isinstance(said.get(each), str)), None)
            value = found if isinstance(found, str) else msgspec.json.encode(found).decode()
            return _value(value.strip(), definition), explained
    return _value(text, definition), None


def _object(text: str) -> dict[str, Any]:
    """The members of an answer that is a JSON object, in a code fence or not; none of any other."""
    text = text.removeprefix("```json").removeprefix("```").removesuffix("```").strip()
    if not text.startswith("{"):
        return {}
    try:
        return _members(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}


def _value(text: str, definition: Definition) -> bool | float | str:
    match definition.return_type:
        case ReturnType.FLOAT:
            return _number(text, definition)
        case ReturnType.BOOLEAN:
            word = text.casefold().strip(" .!*\"'")
            if word not in _YES | _NO:
                raise _none(text, "truth value")
            return word in _YES
        case ReturnType.CATEGORICAL:
            try:
                return category(text.strip(" .*\"'"), definition)
            except EvaluationFailed:
                raise _none(text, "category that it may be") from None
        case ReturnType.STRING:
            return text


def _number(text: str, definition: Definition) -> float:
    found = _NUMBER.fullmatch(text.strip(" .*"))
    if found is None or found[2] not in (None, str(definition.scale)):
        raise _none(text, "number")
    value = float(found[1])
    if definition.scale is not None and not 0 <= value <= definition.scale:
        raise EvaluationFailed(f"the model rated {found[1]}, on a scale up to {definition.scale}", again=True)
    return value


def _none(text: str, kind: str) -> EvaluationFailed:
    return EvaluationFailed(f"the model's answer holds no {kind}: {text[:200]!r}", again=True)
