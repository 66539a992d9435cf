"""Texts of `texts/`, and sentences put together from them."""

from __future__ import annotations

import datetime as dt
import functools
import random
from typing import Any, Final

from msgspec import Struct, convert

from stenograph.demo.people import (
    CODES,
    COLOURS,
    DEVICES,
    ITEMS,
    PAYMENTS,
    ROOMS,
    SURGING_CODE,
    Customer,
    Item,
)
from stenograph.demo.texts import read
from stenograph.demo.topics import BY_NAME

_ENGLISH: Final = ("en_orders", "en_payments", "en_products", "en_account", "en_phrases")
_FILES: Final[dict[str, tuple[str, ...]]] = {
    "en": _ENGLISH,
    "de": ("de",),
    "fr": ("fr",),
    "es": ("es",),
    "ja": ("ja",),
}

_ORDINARY: Final = (
    "The ", "My ", "Where", "Can ", "How", "Why", "What", "When", "You", "Is ", "Please", "Still", "There", "Does",
    "Do ", "Which", "Could", "Just", "Changed", "Found", "Not ", "Want",
    "Wrong", "Two ", "One ", "Need", "Remove", "Third", "Bought", "Cancel", "Checkout", "Delivered", "Duplicate",
    "Glass", "It ", "Login", "Newsletter", "Order ", "Our ", "Paid,", "Parcel", "Part ", "Received", "Refund", "Step ",
    "Stop", "Under", "We ",
)  # fmt: skip
"""Beginnings that are written small after a comma."""
_ANSWERING: Final = ("OK,", "Thanks!", "Yes,", "And ", "So ", "Got ")
"""Beginnings of what is asked next that need no word of thanks before them."""

Pair = tuple[str, str]
"""What is asked next, and what is answered to it."""


class Texts(Struct, frozen=True):
    """One topic in one language."""

    asked: tuple[str, ...]
    context: tuple[str, ...]
    answered: tuple[str, ...]
    follow: tuple[Pair, ...]


class Language(Struct, frozen=True):
    """What goes around questions and answers, and the topics that there are words for."""

    opening: tuple[str, ...]
    closing: tuple[str, ...]
    lead: tuple[str, ...]
    close: tuple[str, ...]
    also: tuple[str, ...]
    thanks: tuple[Pair, ...]
    sorry: tuple[str, ...]
    weekdays: tuple[str, ...]
    topics: dict[str, Texts]


@functools.cache
def language(name: str) -> Language:
    """One of en, de, fr, es, ja."""
    document: dict[str, Any] = {}
    for file in _FILES[name]:
        document |= read(file)
    topics = {key: value for key, value in document.items() if isinstance(value, dict)}
    return convert({**document, "topics": topics}, Language)


class Case(Struct, frozen=True):
    """What one conversation is about: the same order, thing and amount in all that is said in it."""

    language: str
    topic: str
    customer: Customer
    item: Item
    slots: dict[str, str]
    asked: int
    """Which of the topic's questions it is."""

    @property
    def order(self) -> str:
        return self.slots["order"]

    def fill(self, template: str) -> str:
        return template.format_map(self.slots)


def case(
    chance: random.Random, topic: str, customer: Customer, when: dt.datetime, *, surging: bool = False
) -> Case:
    """In the customer's language where there are words for the topic in it, else in English."""
    spoken = customer.region.language
    if topic not in language(spoken).topics:
        spoken = "en"
    usual = BY_NAME[topic].items
    item = chance.choice([each for each in ITEMS if not usual or each.names["en"] in usual])
    other = chance.choice([each for each in ITEMS if each is not item])
    price = item.price * (160 if customer.region.name == "jp" else 1)
    days = language(spoken).weekdays
    latin = customer.region.latin if spoken != customer.region.language else {}
    slots = {
        "order": f"HH-{chance.randrange(20_000, 99_999)}",
        "item": item.names[spoken],
        "other_item": other.names[spoken],
        "city": latin.get(customer.city, customer.city),
        "first": latin.get(customer.name, customer.name),
        "carrier": latin.get(carrier := chance.choice(customer.region.carriers), carrier),
        "tracking": f"{chance.choice('ABCDEFGHJK')}{chance.randrange(10**8, 10**9)}",
        "amount": _money(customer, price),
        "discount": _money(customer, price * 0.15),
        "days": str(chance.randrange(4, 19)),
        "months": str(chance.randrange(3, 22)),
        "minutes": str(chance.randrange(3, 14)),
        "weekday_before": days[(when - dt.timedelta(days=chance.randrange(1, 4))).weekday()],
        "weekday_after": days[(when + dt.timedelta(days=chance.randrange(1, 5))).weekday()],
        "colour": chance.choice(COLOURS),
        "room": chance.choice(ROOMS),
        "payment": chance.choice(PAYMENTS),
        "code": SURGING_CODE if surging else chance.choice(CODES),
        "short": "".join(chance.choices("ACDEFHJKMNPRTUVWXY3479", k=5)),
        "device": chance.choice(DEVICES),
    }
    asked = chance.randrange(len(language(spoken).topics[topic].asked))
    return Case(spoken, topic, customer, item, slots, asked)


def _money(customer: Customer, price: float) -> str:
    written = f"{price:,.0f}" if customer.region.name == "jp" else f"{price:.2f}"
    if customer.region.language in ("de", "fr", "es"):
        written = written.replace(".", ",")
    return customer.region.money.format(written)


def question(chance: random.Random, about: Case) -> str:
    """As people write: some greet, some explain, some are in a hurry."""
    words = language(about.language)
    texts = words.topics[about.topic]
    parts = [texts.asked[about.asked]]
    if chance.random() < 0.3:
        parts.append(chance.choice(texts.context))
    if chance.random() < 0.45:
        opening = chance.choice(words.opening)
        if opening.endswith(",") and parts[0].startswith(_ORDINARY):
            parts[0] = parts[0][0].lower() + parts[0][1:]
        parts.insert(0, opening)
    if chance.random() < 0.3:
        parts.append(chance.choice(words.closing))
    asked = about.fill(("" if about.language == "ja" else " ").join(parts)).strip()
    if about.language == "en" and chance.random() < 0.18:
        asked = _hurried(chance, asked)
    return asked


def _hurried(chance: random.Random, text: str) -> str:
    """Typed on a phone."""
    text = text.replace("'", "").replace(" you ", " u " if chance.random() < 0.3 else " you ")
    return text.lower().rstrip(".") if chance.random() < 0.7 else text.rstrip(".?!") + "???"


def replies(about: Case) -> tuple[str, ...]:
    """What can be answered, as templates: the one that belongs to the question where each has its own, else all in an
    order of the case's own."""
    texts = language(about.language).topics[about.topic]
    if len(texts.answered) == len(texts.asked) > 1:
        return (texts.answered[about.asked],)
    first = int(about.order[3:]) % len(texts.answered)
    return texts.answered[first:] + texts.answered[:first]


def answer(chance: random.Random, about: Case, body: str | None = None) -> str:
    """`body` is a template of an answer, without what goes around it."""
    words = language(about.language)
    said = replies(about)[0] if body is None else body
    lead, close = chance.choice(words.lead), chance.choice(words.close)
    return about.fill(f"{lead}{said}{close}")


def follow_ups(chance: random.Random, about: Case, count: int) -> list[Pair]:
    """What is asked further, at most `count`; whoever has asked a lot thanks at the end."""
    words = language(about.language)
    found = list(chance.sample(words.topics[about.topic].follow, len(words.topics[about.topic].follow)))
    found = [
        (also + asked if not asked.startswith(_ANSWERING) else asked, answered)
        for also, (asked, answered) in ((chance.choice(words.also), each) for each in found[:count])
    ]
    if len(found) < count:
        found.append(chance.choice(words.thanks))
    return [(about.fill(asked), about.fill(answered)) for asked, answered in found]


def apology(chance: random.Random, about: Case) -> str:
    return chance.choice(language(about.language).sorry)
