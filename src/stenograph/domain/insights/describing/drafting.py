"""A configuration drafted by a model, out of what somebody wants to know and some traces."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from stenograph.domain.insights import texts
from stenograph.domain.insights.describing import reading
from stenograph.domain.insights.describing.questions import (
    TEXT,
    Answer,
    Question,
    Wording,
    cleaned,
    cleaned_name,
    decoded,
    material,
    of_object,
)
from stenograph.domain.insights.describing.writers import Writers
from stenograph.domain.insights.selecting import Selecting
from stenograph.errors import Invalid, ModelRefused, ModelUnavailable
from stenograph.model.insights import AttributeSchema, InsightJob, ReportRequest

SAMPLED: Final = 20
"""Traces that are shown, the newest."""

MOST_ATTRIBUTES: Final = 5
NEEDED: Final = (
    "a configuration is drafted by a model, and none can be asked: {why}. A workspace may have its own, by the secret "
    "OPENAI_API_KEY"
)
USUAL_PROMPT: Final = "What is asked for in {{run.inputs}}, and how does it end in {{run.outputs}}?"
_KINDS: Final = ("string", "number", "integer", "boolean")
_NAME: Final = re.compile(r"[^\w.-]+")
_MOST_TOKENS: Final = 700
_TASK: Final = (
    "Draft how traces are to be looked at for a report. `name`: a title of at most 6 words. `summary_prompt`: one or "
    "two sentences that say what to sum up of a trace, with the variables {{run.inputs}}, {{run.outputs}} or "
    "{{run.error}} where their values belong, dotted where a part is meant, such as {{run.inputs.question}}. "
    "`attributes`: up to 5 facts worth finding in each trace, each with a name in snake_case, a type (string, number, "
    "integer or boolean) and a description."
)
_SCHEMA: Final = of_object(
    name=TEXT,
    summary_prompt=TEXT,
    attributes={
        "type": "array",
        "items": of_object(name=TEXT, type={"type": "string", "enum": list(_KINDS)}, description=TEXT),
    },
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A configuration that nobody has saved yet."""

    name: str
    summary_prompt: str
    attribute_schemas: dict[str, AttributeSchema]


class Drafting:
    """Callers check the permission, and that the project is the workspace's."""

    def __init__(self, writers: Writers, selecting: Selecting) -> None:
        self._writers = writers
        self._selecting = selecting

    async def draft(self, workspace: UUID, project_id: UUID, request: ReportRequest) -> Draft:
        """For the request's `user_context`. ModelRefused, naming the settings, without a model; ModelUnavailable when
        it gives no answer."""
        try:
            pen = await self._writers.pen(workspace, request)
        except Invalid as error:
            raise ModelRefused(NEEDED.format(why=error.message)) from None
        job = InsightJob(
            id=project_id, workspace=workspace, project_id=project_id, name="", request=request,
            created_at=0, modified_at=0,
        )  # fmt: skip
        shown = [
            text.whole
            for trace in await self._selecting.newest(job, SAMPLED)
            if (text := texts.of_trace(trace.inputs, trace.outputs, trace.error)).whole
        ]
        asker = self._writers.asker_with(pen, workspace, project_id, None)
        # Counting its tokens takes half a second when nobody has counted any before.
        asked = await asyncio.to_thread(_question, request.user_context or {}, shown, pen.cluster_model)
        [content] = await asker.answers([asked])
        answer = None if content is None else decoded(content)
        if answer is None:
            raise ModelUnavailable(f"no configuration was drafted: {asker.use(None).note or 'no answer'}", 5)
        return _read(answer)


def _question(context: Mapping[str, str], shown: Sequence[str], model: str) -> Question:
    wording = Wording(context=dict(context), model=model)
    made = Question(
        system=wording.manners(_TASK),
        user=material({"traces": list(shown)}),
        schema=_SCHEMA,
        most=_MOST_TOKENS,
        strong=True,
    )
    return reading.counted(made, wording)


def _read(answer: Answer) -> Draft:
    """What can be used of it: a prompt that names nothing to look at is none."""
    prompt = cleaned(answer.get("summary_prompt"), 2_000)
    attributes: dict[str, AttributeSchema] = {}
    said = answer.get("attributes")
    for each in said[: 4 * MOST_ATTRIBUTES] if isinstance(said, list) else ():
        if isinstance(each, dict) and (schema := _attribute(each)) and len(attributes) < MOST_ATTRIBUTES:
            attributes.setdefault(*schema)
    return Draft(
        name=cleaned_name(answer.get("name"), 80) or "Insights",
        summary_prompt=prompt if texts.variables(prompt) else USUAL_PROMPT,
        attribute_schemas=attributes,
    )


def _attribute(said: Mapping[str, Any]) -> tuple[str, AttributeSchema] | None:
    name = _NAME.sub("_", cleaned(said.get("name"), 60)).strip("_")
    kind = said.get("type")
    if not name or kind not in _KINDS:
        return None
    return name, AttributeSchema(type=str(kind), description=cleaned(said.get("description"), 300))
