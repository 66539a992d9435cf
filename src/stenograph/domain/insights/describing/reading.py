"""Traces read by a model one text at a time: what each is about in a sentence, and the attributes that are asked for.

Texts that are alike but for numbers and ids are read once. Those that most traces have come first, for the budget may
not reach the last.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from stenograph.domain.insights.analysis import TraceRow
from stenograph.domain.insights.describing.questions import (
    TEXT,
    Answer,
    Ask,
    Question,
    Wording,
    cleaned,
    material,
    of_object,
)
from stenograph.domain.insights.texts import scrubbed
from stenograph.llm import tokens

STAGE: Final = "summarise"
SHARE: Final = 0.6
"""Of the budget: so that there is always something left for names and the report."""

SUMMARY: Final = 240
"""Characters of a summary."""

_TEXT: Final = 1_200
_BATCH: Final = 256
_COMPLETE: Final = 0.95
"""The share of traces with a summary from which on summaries are grouped in the place of texts."""

_MOST_TOKENS: Final = 160
_PER_ATTRIBUTE: Final = 40
_VALUE: Final = 200
_KINDS: Final = {"string": "string", "number": "number", "integer": "integer", "boolean": "boolean"}
_VARIABLE: Final = re.compile(r"\{\{\{?\s*([\w.-]+)\s*\}?\}\}")


def question(text: str, wording: Wording, wanted: Sequence[str] = ()) -> Question:
    """About one text; `wanted` are the attributes to find in it."""
    task = (
        "Say in one plain sentence of at most 25 words what the trace is about: what was wanted, and how it ended "
        "where that is to be seen."
    )
    if wording.template:
        asked = _VARIABLE.sub(r"[\1]", wording.template)[:2_000]
        task = (
            "Sum up the trace in one or two plain sentences by this instruction, whose names in brackets stand for the "
            f"values that the text has: {material(asked)}"
        )
    members: dict[str, dict[str, Any]] = {"summary": TEXT}
    if wanted:
        described = {name: wording.attributes[name][1] or name for name in wanted}
        task += f" Find these attributes too, null where the trace does not tell: {material(described)}"
        for name in wanted:
            members[name] = {"type": [_KINDS[wording.attributes[name][0]], "null"]}
    made = Question(
        system=wording.manners(task),
        user=material({"trace": text[:_TEXT]}),
        schema=of_object(**members),
        most=_MOST_TOKENS + _PER_ATTRIBUTE * len(wanted),
    )
    return counted(made, wording)


def counted(made: Question, wording: Wording) -> Question:
    """With its tokens: the schema goes along, and each message has marks of its own."""
    said = made.system + made.user + material(made.schema)
    return msgspec.structs.replace(made, tokens=tokens.count(said, wording.model) + 16)


def read_all(rows: Sequence[TraceRow], wording: Wording, ask: Ask, needs: Sequence[str]) -> list[TraceRow]:
    """The rows with what was found. Those of which a `needs` is not known to be true are left out: they are no part
    of the report."""
    groups: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for place, row in enumerate(rows):
        wanted = tuple(name for name in wording.attributes if name not in row.attributes)
        if row.text and (wanted or wording.reads_all):
            groups.setdefault((scrubbed(row.text).casefold(), wanted), []).append(place)
    ordered = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    found = list(rows)
    for start in range(0, len(ordered), _BATCH):
        some = ordered[start : start + _BATCH]
        asked = [question(rows[places[0]].text, wording, wanted) for (_, wanted), places in some]
        answers = ask(STAGE, asked, SHARE)
        for ((_, wanted), places), answer in zip(some, answers, strict=True):
            if answer is not None:
                for place in places:
                    found[place] = _told(rows[place], answer, wanted, wording)
        if not any(answer is not None for answer in answers):
            break  # there is no more to spend, or nobody who answers
    found = [row for row in found if all(row.attributes.get(name) is True for name in needs)]
    return _grouped_by_summaries(found) if wording.reads_all else found


def _told(row: TraceRow, answer: Answer, wanted: Sequence[str], wording: Wording) -> TraceRow:
    values = {name: _value(answer.get(name), wording.attributes[name][0]) for name in wanted}
    attributes = row.attributes | {name: value for name, value in values.items() if value is not None}
    return msgspec.structs.replace(
        row, summary=cleaned(answer.get("summary"), SUMMARY), attributes=attributes
    )


def _value(said: Any, kind: str) -> Any:
    """As its schema has it; None for what does not fit."""
    if kind == "string":
        return cleaned(said, _VALUE) or None
    if kind == "boolean":
        return said if isinstance(said, bool) else None
    if isinstance(said, bool) or not isinstance(said, int | float) or not math.isfinite(said):
        return None
    if abs(said) >= 1e15:
        return None
    return int(said) if kind == "integer" or float(said).is_integer() else said


def _grouped_by_summaries(rows: list[TraceRow]) -> list[TraceRow]:
    """With summaries in the place of texts, where nearly all have one: else how a text was come by would tell clusters
    apart."""
    if sum(bool(row.summary) for row in rows) < _COMPLETE * len(rows):
        return rows
    return [
        msgspec.structs.replace(row, text=row.summary, topic=row.summary) if row.summary else row
        for row in rows
    ]
