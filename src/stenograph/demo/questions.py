"""The dataset: questions with the answers that they ought to get, in two versions."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from stenograph.demo import phrases
from stenograph.demo.people import customers
from stenograph.demo.phrases import Case
from stenograph.demo.plan import Ids, Plan
from stenograph.demo.runs import Json
from stenograph.demo.topics import BY_NAME, TOPICS

FIRST: Final = 48
"""Examples of the first version."""
ADDED: Final = 12
"""What the second has beside those."""
CORRECTED: Final = 6
"""Examples of the first whose answer the second corrects."""


class Example(Struct, frozen=True, omit_defaults=True):
    """An example as it is sent."""

    id: str
    dataset_id: str
    inputs: Json
    outputs: Json
    metadata: Json
    split: str
    created_at: str | None = None


class Question(Struct, frozen=True):
    """One question, and how it may be answered: the first of `replies` is what was wanted first, the last is best."""

    about: Case
    asked: str
    replies: tuple[str, ...]
    hard: bool

    @property
    def tool(self) -> str | None:
        tool = BY_NAME[self.about.topic].tool
        return None if tool is None else tool.name


def questions(plan: Plan) -> list[Question]:
    """The first ones are those of the first version. Each topic comes up, and each language."""
    chance = plan.chance("questions")
    writers = customers(chance, 200)
    found: list[Question] = []
    asked_already: set[str] = set()
    while len(found) < FIRST + ADDED:
        topic = TOPICS[len(found) % len(TOPICS)]
        about = phrases.case(chance, topic.name, chance.choice(writers), plan.since)
        asked = phrases.question(chance, about)
        if asked in asked_already:
            continue
        asked_already.add(asked)
        replies = tuple(about.fill(body) for body in phrases.replies(about))
        hard = about.language != "en" or topic.name in (
            "double_charge",
            "refund_status",
            "warranty",
            "human_agent",
        )
        found.append(Question(about, asked, replies, hard))
    return found


def examples(found: list[Question], ids: Ids, dataset: str) -> list[Example]:
    return [
        Example(
            id=ids.of("example", number),
            dataset_id=dataset,
            inputs={
                "question": each.asked,
                "customer": {"plan": each.about.customer.plan, "region": each.about.customer.region.name},
            },
            outputs=wanted(each, corrected=False),
            metadata={
                "topic": each.about.topic,
                "language": each.about.language,
                "difficulty": "hard" if each.hard else "easy",
                "source": "production" if number % 3 else "written by hand",
            },
            split="hard" if each.hard else "easy",
        )
        for number, each in enumerate(found)
    ]


def corrections(found: list[Question], ids: Ids) -> list[Json]:
    """What the second version says of some of the first: the tool that has to be used, and a note."""
    changed = list(range(3, FIRST, FIRST // CORRECTED))[:CORRECTED]
    return [
        {"id": ids.of("example", number), "outputs": wanted(found[number], corrected=True)}
        for number in changed
    ]


def wanted(question: Question, *, corrected: bool) -> Json:
    said: Json = {"answer": question.replies[-1 if corrected else 0], "topic": question.about.topic}
    if question.tool is not None:
        said["tools"] = [question.tool]
    if corrected:
        said["must_not"] = ["promise a date that no tool returned"]
    return said
