"""When customers write and how conversations go on: the traces of the project, in the order of their time."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Iterator
from typing import Final

from stenograph.demo import phrases
from stenograph.demo.people import Customer, customers
from stenograph.demo.phrases import Pair
from stenograph.demo.plan import Ids, Plan
from stenograph.demo.releases import SURGE, Release, releases, running
from stenograph.demo.runs import Json
from stenograph.demo.topics import TOPICS
from stenograph.demo.turns import Agent, Asked, Outcome, Turn

_HOURS: Final = (
    0.9, 0.6, 0.45, 0.4, 0.4, 0.6, 1.3, 2.6, 4.4, 5.6, 6.0, 5.4,
    4.7, 4.9, 5.6, 5.5, 5.0, 4.6, 4.7, 5.2, 4.6, 3.3, 2.2, 1.4,
)  # fmt: skip
_WEEKDAYS: Final = (1.15, 1.05, 1.0, 1.0, 0.95, 0.6, 0.55)
_TURNS: Final = (0.42, 0.28, 0.17, 0.09, 0.04)
_NEWEST: Final = dt.timedelta(minutes=2)
"""Before the end of the data nothing begins that would still be going on at the end."""


def turns(plan: Plan, ids: Ids, project: str) -> list[Turn]:
    """Exactly as many traces as the plan says, ordered by their start."""
    known = releases(plan)
    writers = customers(plan.chance("customers"), max(12, plan.traces // 5))
    found: list[Turn] = []
    for number in itertools.count():
        missing = plan.traces - len(found)
        if missing <= 0:
            break
        chance = plan.chance("thread", number)
        said = _thread(plan, ids, project, chance, known, writers, number)
        found += itertools.islice(said, missing)
    return sorted(found, key=lambda turn: (turn.root.start_time, turn.root.id))


def _thread(
    plan: Plan,
    ids: Ids,
    project: str,
    chance: random.Random,
    known: tuple[Release, ...],
    writers: list[Customer],
    number: int,
) -> Iterator[Turn]:
    """The turns of one conversation, until it ends or the data does."""
    when = _arrival(plan, chance)
    about = phrases.case(
        chance, _topic(plan, chance, when, known), _writer(chance, writers), when,
        surging=when > plan.at(SURGE),
    )  # fmt: skip
    thread = f"conv-{ids.uuid('thread', number).hex[:10]}"
    history: list[Json] = []
    for place, (question, reply) in enumerate(_script(chance, about)):
        if when > plan.until - _NEWEST:
            return
        asked = Asked(about, thread, question, reply, tuple(history), place)
        turn = Agent(ids, project, chance, running(when, known), asked).run(when)
        yield turn
        if turn.outcome is Outcome.FAILED and chance.random() < 0.6:
            return
        history += [{"role": "user", "content": question}, {"role": "assistant", "content": turn.reply}]
        when = turn.ended + dt.timedelta(seconds=60 * chance.lognormvariate(0.4, 0.7))


def _script(chance: random.Random, about: phrases.Case) -> list[Pair]:
    count = chance.choices(range(1, len(_TURNS) + 1), _TURNS)[0]
    first = (phrases.question(chance, about), phrases.answer(chance, about))
    return [first, *phrases.follow_ups(chance, about, count - 1)]


def _arrival(plan: Plan, chance: random.Random) -> dt.datetime:
    """A moment, more likely by day and on working days."""
    most = max(_HOURS) * max(_WEEKDAYS)
    span = (plan.until - _NEWEST - plan.since).total_seconds()
    while True:
        when = plan.since + dt.timedelta(seconds=chance.random() * span)
        if chance.random() * most < _HOURS[when.hour] * _WEEKDAYS[when.weekday()]:
            return when


def _topic(plan: Plan, chance: random.Random, when: dt.datetime, known: tuple[Release, ...]) -> str:
    broken = running(when, known).breaks_payments
    surging = when > plan.at(SURGE)
    weights = [
        topic.weight
        * (6 if broken and topic.tool is not None and topic.tool.is_payment else 1)
        * (4 if surging and topic.name == "discount_code" else 1)
        for topic in TOPICS
    ]
    return chance.choices(TOPICS, weights)[0].name


def _writer(chance: random.Random, writers: list[Customer]) -> Customer:
    """Some write far more often than others."""
    return writers[int(len(writers) * chance.random() ** 1.6)]
