"""From a conversation and what is asked to what a model is told: docs recalled, templates rendered, old turns left out.

A prompt is the system's, then the history, then the new messages. The system's template is always rendered; of the
messages those are that the session and the server declare to be templates (decisions/085). What comes out of a template
is a text: nothing is rendered twice, whatever stands in metadata, docs or names.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.domain.chat.asked import Asked, Tool
from stenograph.domain.chat.budget import Weighed, fit
from stenograph.domain.chat.messages import (
    LONG,
    Message,
    Text,
    for_model,
    of_entry,
    paired,
    said,
    unanswerable,
)
from stenograph.domain.chat.parameters import settings_of
from stenograph.domain.chat.recalled import recalled, sought
from stenograph.domain.chat.toolbox import offered
from stenograph.domain.chat.tracing import Trace
from stenograph.domain.chat.variables import variables
from stenograph.domain.recall.search import Recall
from stenograph.domain.templates.renderer import Renderer
from stenograph.errors import Invalid, PromptTooBig
from stenograph.llm import tokens
from stenograph.model.agents import Agent
from stenograph.model.conversations import Conversation, ConversationContext, EntrySource, History, Speaker
from stenograph.model.docs import Found, Owner, OwnerKind

_TOLD: Final = frozenset(
    {
        EntrySource.API_REQUEST,
        EntrySource.API_RESPONSE,
        EntrySource.TOOL_REQUEST,
        EntrySource.TOOL_RESPONSE,
        EntrySource.SUMMARIZER,
    }
)
"""Sources of entries that a model is told again."""

_TEMPLATES: Final = frozenset({Speaker.SYSTEM, Speaker.ASSISTANT})


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is told. `new` are the new messages as they were rendered, `model` may be empty: the server's."""

    agent: Agent
    messages: tuple[Message, ...]
    new: tuple[Message, ...]
    docs: tuple[Found, ...]
    tools: tuple[Tool, ...]
    settings: dict[str, Any]

    @property
    def model(self) -> str:
        return str(self.settings.get("model", ""))


class Prompts:
    """Makes prompts. `renders_users`: messages of users are templates as well in sessions that do not say."""

    def __init__(self, recall: Recall, renderer: Renderer, *, renders_users: bool) -> None:
        self._recall = recall
        self._renderer = renderer
        self._renders_users = renders_users

    async def prepare(self, context: ConversationContext, asked: Asked, trace: Trace) -> Prompt:
        """Invalid when the agent is none of the session's, a template cannot be rendered, or a tool's result answers
        no call; PromptTooBig when what has to be said does not fit."""
        agent = speaking(context, asked)
        settings = settings_of(agent, asked)
        tools = offered(context.tools.get(agent.id, ()), asked.tools)
        history = told(context.history)
        if (place := unanswerable([*history, *asked.messages], len(history))) is not None:
            raise Invalid(
                f"messages[{place}] is the result of a tool call that nobody has made in this session."
            )
        docs = await self._recalled(context, agent, history, asked, trace)
        named = variables(context, agent, asked, settings, tools, docs)
        system, new = await self._rendered(context, agent, asked, named, trace)
        if not asked.recall_tools:
            history = _without_tools(history, {each.tool_call_id or "" for each in new})
        kept = await _fitting(context, history, [*system, *new], tools, str(settings.get("model", "")))
        several = len(context.history.conversation.agents) > 1
        spoken = [
            each
            if several or each.role is not Speaker.ASSISTANT
            else msgspec.structs.replace(each, name=None)
            for each in kept
        ]
        return Prompt(
            agent=agent,
            messages=(*system, *paired([*spoken, *new])),
            new=new,
            docs=docs,
            tools=tools,
            settings=settings,
        )

    async def _recalled(
        self,
        context: ConversationContext,
        agent: Agent,
        history: list[Message],
        asked: Asked,
        trace: Trace,
    ) -> tuple[Found, ...]:
        options = context.history.conversation.recall
        what = sought([*history, *asked.messages], options) if asked.recall else None
        if what is None:
            return ()
        owners = (
            Owner(OwnerKind.AGENT, agent.id),
            *(Owner(OwnerKind.USER, each.id) for each in context.users),
        )
        with trace.step("recall", "retriever", {"query": what.meaning, "mode": options.mode.value}) as step:
            found = await recalled(self._recall, agent.workspace, owners, what, options)
            step.outputs = {"documents": [_shown(each) for each in found]}
        if options.include_embeddings is False:
            found = [Found(msgspec.structs.replace(each.chunk, vector=None), each.distance) for each in found]
        return tuple(found)

    def _templates_of(self, talk: Conversation) -> frozenset[Speaker]:
        """Whose messages are templates. Users' are where somebody said that the session's are (decisions/085)."""
        if talk.render_templates is False:
            return frozenset()
        return _TEMPLATES | {Speaker.USER} if talk.render_templates or self._renders_users else _TEMPLATES

    async def _rendered(
        self,
        context: ConversationContext,
        agent: Agent,
        asked: Asked,
        named: dict[str, Any],
        trace: Trace,
    ) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
        """The system's prompt, none when nothing comes of its template, and the new messages."""
        talk = context.history.conversation
        template = talk.system_template if talk.system_template is not None else agent.template
        templates = self._templates_of(talk)
        sources = [
            part.text
            for message in asked.messages
            if message.role in templates
            for part in message.content
            if isinstance(part, Text)
        ]
        with trace.step("template", "prompt", {"template": template}) as step:
            first, *rest = await self._renderer.render([template, *sources], named)
            texts = iter(rest)
            new = tuple(
                msgspec.structs.replace(
                    message,
                    content=tuple(
                        Text(next(texts)) if isinstance(part, Text) else part for part in message.content
                    ),
                )
                if message.role in templates
                else message
                for message in asked.messages
            )
            system = (said(Speaker.SYSTEM, first, stays=True),) if first.strip() else ()
            step.outputs = {"messages": for_model([*system, *new])}
        return system, new


def speaking(context: ConversationContext, asked: Asked) -> Agent:
    """The agent that is asked for, or the first. Invalid when it does not take part, or is gone."""
    if asked.agent is None:
        if not context.agents:
            raise Invalid("All agents of this session have been deleted: give it another one.")
        return context.agents[0]
    for agent in context.agents:
        if agent.id == asked.agent:
            return agent
    raise Invalid(f"The agent {asked.agent} does not take part in this session.")


def told(history: History) -> list[Message]:
    """The history as far as a model hears of it. An entry that stands for others, as a summary does, stands where the
    first of them stood."""
    places = {entry.id: entry.position for entry in history.entries}
    heads: dict[UUID, list[UUID]] = {}
    for relation in history.relations:
        heads.setdefault(relation.tail, []).append(relation.head)
    for entry in history.entries:  # what stands for a summary comes after it
        if entry.id in heads:
            places[entry.id] = min(places[head] for head in heads[entry.id])
    standing = sorted(history.standing, key=lambda entry: (places[entry.id], entry.position))
    return [of_entry(entry) for entry in standing if entry.source in _TOLD]


def _without_tools(history: list[Message], answered: set[str]) -> list[Message]:
    """The history without calls of tools and their results, but for calls that the new messages answer."""
    found = []
    for message in history:
        if message.role is Speaker.TOOL:
            continue
        calls = tuple(call for call in message.tool_calls if call.id in answered)
        if calls or message.content:
            found.append(msgspec.structs.replace(message, tool_calls=calls, tokens=None))
    return found


async def _fitting(
    context: ConversationContext,
    history: list[Message],
    fixed: list[Message],
    tools: tuple[Tool, ...],
    model: str,
) -> list[Message]:
    """What of the history is told. PromptTooBig where nothing may be left out, or that does not suffice."""
    talk = context.history.conversation
    if talk.token_budget is None:
        return history

    def weigh() -> tuple[list[Weighed], int]:
        weighed = [
            Weighed(
                message.role,
                message.weight(model),
                frozenset(call.id for call in message.tool_calls),
                message.tool_call_id if message.role is Speaker.TOOL else None,
                message.stays,
            )
            for message in history
        ]
        more = sum(tokens.count(each.definition.decode() + each.name, model) for each in tools)
        return weighed, sum(each.weight(model) for each in fixed) + more + tokens.PER_REPLY

    size = sum(len(each.text) for each in (*fixed, *(each for each in history if each.tokens is None)))
    is_quick = size <= LONG and tokens.is_loaded(model)
    weighed, needed = weigh() if is_quick else await asyncio.to_thread(weigh)
    total = needed + sum(each.tokens for each in weighed)
    if total <= talk.token_budget:
        return history
    answered = frozenset(each.tool_call_id for each in fixed if each.tool_call_id is not None)
    found = None if talk.context_overflow is None else fit(weighed, needed, talk.token_budget, answered)
    if found is None:
        least = total if talk.context_overflow is None else needed
        hint = " Set context_overflow to leave out the oldest turns." if talk.context_overflow is None else ""
        raise PromptTooBig(
            f"The prompt has {least} tokens, and the session's token_budget is {talk.token_budget}.{hint}"
        )
    return [history[place] for place in found.kept]


def _shown(found: Found) -> dict[str, Any]:
    """A chunk as LangSmith's clients show docs."""
    chunk = found.chunk
    about = {"id": str(chunk.doc_id), "title": chunk.title, "index": chunk.index, "distance": found.distance}
    return {"page_content": chunk.content, "type": "Document", "metadata": about}
