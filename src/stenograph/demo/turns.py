"""One turn of a conversation with the support agent, as the trace that it left."""

from __future__ import annotations

import datetime as dt
import enum
import random
from typing import Any, Final

import msgspec
from msgspec import Struct

from stenograph.demo import phrases, tool_results
from stenograph.demo.phrases import Case
from stenograph.demo.plan import Ids, moment
from stenograph.demo.releases import Release
from stenograph.demo.runs import EMBEDDING, SMALL, Json, Model, Place, Run, Trace, called, tokens, usage
from stenograph.demo.topics import ARTICLES, BY_NAME, Tool

SYSTEM: Final = (
    "You are the support agent of Halden, a shop for furniture, lamps and kitchenware. Answer in the language of "
    "the customer, kindly and in at most five sentences. Look things up before you answer: never guess a date, an "
    "amount or a tracking number. Offer a replacement before a refund where something arrived broken. Returns are "
    "free for 30 days. If the customer asks for a person, hand over with a summary. Do not promise what the "
    "policies below do not allow."
)
_CLASSIFY: Final = (
    "Name the topic and the language of the customer's message as JSON with `topic` and `language`."
)
_OVERHEAD: Final = 1150
"""Tokens of the tools' descriptions."""


class Outcome(enum.Enum):
    ANSWERED = enum.auto()
    APOLOGISED = enum.auto()
    FAILED = enum.auto()


class Turn(Struct, frozen=True):
    """A trace and how it went."""

    about: Case
    release: Release
    runs: list[Run]
    outcome: Outcome
    asked: str
    reply: str
    ended: dt.datetime
    number: int

    @property
    def root(self) -> Run:
        return self.runs[-1]


class Failed(Exception):
    """What a run says of why it failed."""


class Asked(Struct, frozen=True):
    """What a turn begins with."""

    about: Case
    thread: str
    question: str
    reply: str
    history: tuple[Json, ...]
    number: int


class Agent:
    """Answers one turn. Its clock is `now`."""

    def __init__(self, ids: Ids, project: str, chance: random.Random, release: Release, asked: Asked) -> None:
        self._trace = Trace(ids, project, f"turn/{asked.thread}/{asked.number}")
        self._chance, self._release, self._asked = chance, release, asked
        self._now = dt.datetime.min

    def run(self, when: dt.datetime) -> Turn:
        asked, about = self._asked, self._asked.about
        self._now = when
        root = self._trace.place(when)
        reply, outcome, error = asked.reply, Outcome.ANSWERED, None
        try:
            if asked.number == 0:
                self._classify(root)
            articles = self._search(root) if asked.number == 0 or self._chance.random() < 0.4 else []
            reply, outcome = self._answer(root, articles)
        except Failed as failed:
            error, outcome = str(failed), Outcome.FAILED
        self._wait(0.02)
        self._trace.end(
            root,
            None,
            "support_agent",
            "chain",
            self._now,
            {"messages": [{"role": "user", "content": asked.question}]},
            outputs=None if error else {"messages": [{"role": "assistant", "content": reply}]},
            error=error,
            extra={"metadata": self._metadata()},
            tags=(
                about.customer.channel,
                about.language,
                *(("vip",) if about.customer.plan == "business" else ()),
            ),
        )
        return Turn(
            about, self._release, self._trace.runs, outcome, asked.question, reply, self._now, asked.number
        )

    def _metadata(self) -> Json:
        about = self._asked.about
        return {
            "thread_id": self._asked.thread,
            "user_id": about.customer.id,
            "plan": about.customer.plan,
            "region": about.customer.region.name,
            "channel": about.customer.channel,
            "language": about.language,
            "topic": about.topic,
            "turn": self._asked.number + 1,
            "version": self._release.version,
            "env": "production",
        }

    def _wait(self, middle: float, spread: float = 0.35) -> float:
        """Lets about so many seconds pass."""
        seconds = middle * self._chance.lognormvariate(0, spread)
        self._now += dt.timedelta(seconds=seconds)
        return seconds

    # -- steps ---------------------------------------------------------------------------------------------

    def _classify(self, root: Place) -> None:
        about = self._asked.about
        said = msgspec.json.encode({"topic": about.topic, "language": about.language}).decode()
        messages = [
            {"role": "system", "content": _CLASSIFY},
            {"role": "user", "content": self._asked.question},
        ]
        self._call(root, SMALL, messages, {"role": "assistant", "content": said}, said, 60, temperature=0)

    def _search(self, root: Place) -> list[Json]:
        place = self._trace.place(self._now, root)
        embed = self._trace.place(self._now, place)
        self._wait(EMBEDDING.first)
        self._trace.end(
            embed,
            place,
            EMBEDDING.wrapper,
            "embedding",
            self._now,
            {"input": self._asked.question},
            outputs={"usage_metadata": usage(tokens(self._asked.question), 0)},
            extra=called(EMBEDDING),
        )
        self._wait(0.09)
        documents = [self._document(name) for name in BY_NAME[self._asked.about.topic].articles]
        self._trace.end(
            place,
            root,
            "search_help_center",
            "retriever",
            self._now,
            {"query": self._asked.question},
            outputs={"documents": documents},
            extra={"metadata": {"ls_retriever_name": "help-center", "k": len(documents)}},
        )
        return documents

    def _document(self, name: str) -> Json:
        article = ARTICLES[name]
        score = round(self._chance.uniform(0.62, 0.91), 3)
        return {
            "page_content": article.text,
            "type": "Document",
            "metadata": {"title": article.title, "source": f"help/{name}", "score": score},
        }

    def _answer(self, root: Place, articles: list[Json]) -> tuple[str, Outcome]:
        asked = self._asked
        policies = "\n\n".join(f"# {each['metadata']['title']}\n{each['page_content']}" for each in articles)
        system = SYSTEM + (f"\n\n{policies}" if policies else "")
        messages: list[Json] = [
            {"role": "system", "content": system},
            *asked.history,
            {"role": "user", "content": asked.question},
        ]
        reply, outcome = asked.reply, Outcome.ANSWERED
        tool = BY_NAME[asked.about.topic].tool
        if tool is not None and (asked.number == 0 or self._chance.random() < 0.45):
            call = self._tool_call(tool)
            message: Json = {"role": "assistant", "content": "", "tool_calls": [call]}
            self._call(root, self._release.model, messages, message, str(call), _OVERHEAD)
            told, went_well = self._use(root, tool)
            if not went_well:
                reply, outcome = phrases.apology(self._chance, asked.about), Outcome.APOLOGISED
            messages = [
                *messages,
                message,
                {"role": "tool", "tool_call_id": call["id"], "name": tool.name, "content": told},
            ]
        self._call(
            root, self._release.model, messages, {"role": "assistant", "content": reply}, reply, _OVERHEAD
        )
        if self._chance.random() < 0.2:
            self._check(root, reply)
        return reply, outcome

    def _tool_call(self, tool: Tool) -> Json:
        given = msgspec.json.encode(tool_results.arguments(tool, self._asked.about)).decode()
        made = f"call_{self._chance.getrandbits(64):016x}"
        return {"id": made, "type": "function", "function": {"name": tool.name, "arguments": given}}

    def _use(self, root: Place, tool: Tool) -> tuple[str, bool]:
        """What the tool told the model, and whether it worked. Failed when the agent gives up with it."""
        place = self._trace.place(self._now, root)
        given = tool_results.arguments(tool, self._asked.about)
        error = None
        if tool.is_payment and self._release.breaks_payments and self._chance.random() < 0.88:
            self._wait(30.0, 0.002)
            error = tool_results.PAYMENT_TIMEOUT
        else:
            self._wait(tool.seconds)
            if self._chance.random() < 0.003:
                error = tool_results.ORDER_UNKNOWN
        found = None if error else tool_results.result(tool, self._asked.about, self._chance)
        self._trace.end(place, root, tool.name, "tool", self._now, given, outputs=found, error=error)
        if error is None:
            return msgspec.json.encode(found).decode(), True
        if self._chance.random() < 0.8:
            raise Failed(error)
        return error.partition("\n")[0], False

    def _check(self, root: Place, reply: str) -> None:
        place = self._trace.place(self._now, root)
        self._wait(0.03)
        self._trace.end(
            place, root, "check_policy", "chain", self._now, {"answer": reply}, outputs={"allowed": True}
        )

    def _call(
        self,
        parent: Place,
        model: Model,
        messages: list[Json],
        answer: Json,
        text: str,
        overhead: int,
        **parameters: Any,
    ) -> None:
        """A call of a model: streamed, so that its first token has a time."""
        place = self._trace.place(self._now, parent)
        given = overhead + sum(tokens(str(each.get("content") or "")) + 4 for each in messages)
        made = tokens(text) + 3
        extra = called(model, temperature=parameters.get("temperature", 0.3), **_tools(overhead))
        failed = model is self._release.model and self._chance.random() < 0.002
        self._wait(model.first + given / 20_000)
        first = self._now
        self._wait(made / model.rate, 0.15)
        if failed:
            self._trace.end(
                place, parent, model.wrapper, "llm", self._now, {"messages": messages},
                error=tool_results.MODEL_OVERLOADED, extra=extra,
            )  # fmt: skip
            raise Failed(tool_results.MODEL_OVERLOADED)
        cached = 0 if overhead < _OVERHEAD else (overhead + tokens(SYSTEM)) // 10 * 9
        self._trace.end(
            place,
            parent,
            model.wrapper,
            "llm",
            self._now,
            {"messages": messages},
            outputs={"messages": [answer], "usage_metadata": usage(given, made, cached)},
            extra=extra,
            events=[{"name": "new_token", "time": moment(first)}],
        )


def _tools(overhead: int) -> Json:
    return {"tools": tool_results.SCHEMAS} if overhead >= _OVERHEAD else {}
