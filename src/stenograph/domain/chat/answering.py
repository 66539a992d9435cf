"""Asking the model of a chat, round after round: its answer as a whole, also where it comes piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.domain.chat import toolbox
from stenograph.domain.chat.asked import Asked, Tool
from stenograph.domain.chat.messages import Message, called, for_model, said
from stenograph.domain.chat.prompts import Prompt
from stenograph.domain.chat.toolbox import Toolbox
from stenograph.domain.chat.tracing import Step, Trace
from stenograph.llm.chat import ChatChunk, ChatReply, ChatRequest, Choice, Tokens, ToolCall
from stenograph.llm.client import Models
from stenograph.llm.endpoint import Endpoint
from stenograph.model.conversations import EntrySource, Speaker

FINISHED: Final = frozenset({"stop", "length", "content_filter", "tool_calls"})
"""Reasons that clients know."""

Tell = Callable[[int, str], None]
"""Takes a piece of an answer: the index of the choice, and the text."""

_encode: Final = msgspec.json.Encoder().encode


class _Body(msgspec.Struct):
    usage: msgspec.Raw = msgspec.Raw(b"null")


_body: Final = msgspec.json.Decoder(_Body)


class Gathered:
    """A streamed answer, put together as it comes."""

    def __init__(self) -> None:
        self.texts: dict[int, list[str]] = {}
        self.calls: dict[int, dict[int, list[str]]] = {}
        self.reasons: dict[int, str] = {}
        self.tokens: Tokens | None = None
        self.usage: bytes = b"null"

    def add(self, piece: ChatChunk) -> None:
        texts = self.texts.setdefault(piece.index, [])
        if piece.content:
            texts.append(piece.content)
        for delta in piece.tool_calls:
            call = self.calls.setdefault(piece.index, {}).setdefault(delta.index, ["", "", ""])
            call[0] = call[0] or delta.id or ""
            call[1] = call[1] or delta.name or ""
            call[2] += delta.arguments
        if piece.finish_reason is not None:
            self.reasons[piece.index] = piece.finish_reason
        if piece.tokens is not None:
            self.tokens = piece.tokens
            self.usage = bytes(_body.decode(piece.body).usage)

    @property
    def text(self) -> str:
        return "".join(self.texts.get(0, ()))

    def choices(self) -> tuple[Choice, ...]:
        return tuple(
            Choice(
                content="".join(self.texts[index]) or None,
                tool_calls=tuple(
                    ToolCall(*call) for _, call in sorted(self.calls.get(index, {}).items()) if call[1]
                ),
                finish_reason=self.reasons.get(index),
            )
            for index in sorted(self.texts)
        ) or (Choice(),)


class Rounds:
    """The rounds of one chat. What they have come to stands in the attributes, also when one of them fails or is cut
    off."""

    def __init__(
        self, models: Models, tools: Toolbox, trace: Trace, *, tell: Tell | None, auto: bool, most: int
    ) -> None:
        self._models = models
        self._tools = tools
        self._trace = trace
        self._tell = tell
        self._auto = auto
        self._most = most
        self._gathered = Gathered()
        self.tokens: Tokens | None = None
        self.between: list[Message] = []
        """Calls of tools that were run here, and their results."""
        self.choices: tuple[Choice, ...] = ()
        self.results: list[Message] = []
        """Results of tools that were run although the same answer has calls for the caller."""

    @property
    def partial(self) -> str:
        """What has been said of an answer that is not whole."""
        return self._gathered.text

    async def run(self, workspace: UUID, prompt: Prompt, asked: Asked, where: Endpoint) -> None:
        """Until there is an answer for the caller. What models raise."""
        messages = list(prompt.messages)
        known = {tool.name: tool for tool in prompt.tools}
        choice = asked.tool_choice
        for number in range(self._most + 1):
            is_last = number == self._most
            if is_last and number:
                choice = b'"none"'
            reply = await self._ask(_request(prompt, messages, choice), where)
            self.tokens = _sum(self.tokens, reply.tokens)
            first = reply.choices[0]
            ours = [
                (known[call.name], call)
                for call in first.tool_calls
                if self._auto and call.name in known and known[call.name].type in toolbox.RUN_HERE
            ]
            if not ours or is_last:
                self.choices = reply.choices
                return
            results = await asyncio.gather(
                *(self._tools.run(workspace, tool, call, self._trace) for tool, call in ours)
            )
            if len(ours) < len(first.tool_calls):
                self.choices, self.results = reply.choices, results
                return
            self._gathered = Gathered()
            self.between += [_called(prompt, first), *results]
            messages += [_called(prompt, first), *results]
            choice = None if choice != b'"auto"' else choice  # a tool that had to be called has been

    async def _ask(self, request: ChatRequest, where: Endpoint) -> ChatReply:
        with self._trace.step(request.model or where.model or "model", "llm", None) as step:
            step.inputs = _shown(request)
            step.metadata = _about(request, where)
            step.parameters = {
                "model": request.model or where.model,
                **msgspec.json.decode(request.more or b"{}"),
            }
            if self._tell is None:
                reply = await self._models.chat(request, where)
                step.outputs = msgspec.Raw(reply.body)
                return reply
            return await self._streamed(request, where, step, self._tell)

    async def _streamed(self, request: ChatRequest, where: Endpoint, step: Step, tell: Tell) -> ChatReply:
        gathered = self._gathered
        try:
            async with aclosing(self._models.stream(request, where)) as pieces:
                async for piece in pieces:
                    gathered.add(piece)
                    if piece.content:
                        if step.first_token is None:
                            step.first_token = self._trace.clock() // 1000
                        tell(piece.index, piece.content)
        finally:
            choices = gathered.choices()
            body = _encode(_as_reply(choices, request.model or where.model, gathered.usage))
            step.outputs = msgspec.Raw(body)
        return ChatReply(body, request.model or where.model, choices, gathered.tokens)


def _request(prompt: Prompt, messages: Sequence[Message], choice: bytes | None) -> ChatRequest:
    settings = {name: value for name, value in prompt.settings.items() if name != "model"}
    tools: Sequence[Tool] = prompt.tools
    return ChatRequest(
        messages=_encode(for_model(messages)),
        model=prompt.model,
        tools=_encode(toolbox.for_model(tools)) if tools else None,
        tool_choice=choice if tools else None,
        more=_encode(settings),
    )


def _called(prompt: Prompt, first: Choice) -> Message:
    """The model's wish as it is told to it again."""
    return said(
        Speaker.ASSISTANT,
        first.content or "",
        name=prompt.agent.name or None,
        tool_calls=first.tool_calls,
        source=EntrySource.TOOL_REQUEST,
    )


def _shown(request: ChatRequest) -> dict[str, Any]:
    found: dict[str, Any] = {"messages": msgspec.Raw(request.messages)}
    if request.tools is not None:
        found["tools"] = msgspec.Raw(request.tools)
    return found


def _about(request: ChatRequest, where: Endpoint) -> dict[str, Any]:
    """What LangSmith's clients state of a model's call, so that its cost is found."""
    found: dict[str, Any] = {"ls_model_name": request.model or where.model, "ls_model_type": "chat"}
    if where.host.endswith("openai.com"):
        found["ls_provider"] = "openai"
    return found


def _as_reply(choices: Sequence[Choice], model: str, usage: bytes) -> dict[str, Any]:
    """A streamed answer as it would have come in one."""
    return {
        "object": "chat.completion",
        "model": model,
        "choices": [
            {
                "index": index,
                "message": {
                    "role": "assistant",
                    "content": each.content,
                    **({"tool_calls": called(each.tool_calls)} if each.tool_calls else {}),
                },
                "finish_reason": each.finish_reason,
            }
            for index, each in enumerate(choices)
        ],
        "usage": msgspec.Raw(usage),
    }


def _sum(first: Tokens | None, second: Tokens | None) -> Tokens | None:
    if first is None or second is None:
        return first or second
    return Tokens(
        first.prompt + second.prompt, first.completion + second.completion, first.total + second.total
    )
