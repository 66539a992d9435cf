"""Experiments over the dataset: a baseline, a better one, and one that is cheaper and worse at what is hard."""

from __future__ import annotations

import datetime as dt
from typing import Final

from msgspec import Struct

from stenograph.demo import phrases
from stenograph.demo.plan import Ids, Plan, moment
from stenograph.demo.questions import Question
from stenograph.demo.ratings import SHARE
from stenograph.demo.runs import ANSWERING, CHEAP, Feedback, Json, Model, Run, Trace, called, tokens, usage
from stenograph.demo.turns import SYSTEM

EVALUATORS: Final = ("correctness", "helpfulness", "concise")
PREFERENCE: Final[Json] = {"type": "continuous", "min": 0, "max": 1}


class Variant(Struct, frozen=True):
    """`easy` and `hard` are how likely a right answer is."""

    name: str
    description: str
    prompt: str
    model: Model
    easy: float
    hard: float
    hours: float
    """Before the end of the data."""


VARIANTS: Final = (
    Variant("support-agent 2.3.1", "What production ran when the dataset was made.", "v11", ANSWERING, 0.86, 0.62, 70),
    Variant("shorter prompt, tools first", "A prompt without examples.", "v12", ANSWERING, 0.95, 0.84, 26),
    Variant("gpt-4.1-nano", "Would the smallest model do?", "v12", CHEAP, 0.9, 0.38, 5),
)  # fmt: skip
_WRONG: Final = (
    "I'm afraid I can't look that up. Please contact the carrier.",
    "Your refund will be with you tomorrow.",
    "Please have a look at our help centre, where you'll find all the answers about deliveries and returns.",
    "I have passed this on to a colleague.",
)
_WHY_WRONG: Final = (
    "Does not look the order up.", "Promises a date that no tool returned.",
    "Answers in English although the customer did not.", "Sends the customer away.",
)  # fmt: skip


class Answered(Struct, frozen=True):
    """What one experiment did with one question."""

    runs: list[Run]
    feedback: list[Feedback]
    is_right: bool

    @property
    def root(self) -> Run:
        return self.runs[-1]


def answers(
    plan: Plan, variant: Variant, found: list[Question], ids: Ids, project: str, example_ids: list[str]
) -> list[Answered]:
    """One for each question, in their order. `ids` are of the experiment's own project."""
    started = plan.until - dt.timedelta(hours=variant.hours)
    made = []
    for number, (question, example) in enumerate(zip(found, example_ids, strict=True)):
        when = started + dt.timedelta(seconds=number // 4 * 3.1 + number % 4 * 0.05)
        made.append(_answered(plan, variant, question, ids, project, example, number, when))
    return made


def _answered(
    plan: Plan,
    variant: Variant,
    question: Question,
    ids: Ids,
    project: str,
    example: str,
    number: int,
    when: dt.datetime,
) -> Answered:
    # Luck is the question's own: what one variant finds hard the others do, too.
    luck = plan.chance("luck", number).random() * 0.8 + plan.chance(variant.name, number).random() * 0.2
    is_right = luck < (variant.hard if question.hard else variant.easy)
    chance = plan.chance("answer", variant.name, number)
    reply = (
        phrases.answer(chance, question.about, question.replies[-1]) if is_right else chance.choice(_WRONG)
    )
    trace = Trace(ids, project, f"example/{number}")
    root = trace.place(when)
    call = trace.place(when + dt.timedelta(milliseconds=30), root)
    given = tokens(SYSTEM) + (900 if variant.prompt == "v11" else 430) + tokens(question.asked)
    first = call.start + dt.timedelta(seconds=variant.model.first * chance.lognormvariate(0, 0.25))
    end = first + dt.timedelta(seconds=tokens(reply) / variant.model.rate)
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question.asked}]
    trace.end(
        call, root, variant.model.wrapper, "llm", end, {"messages": messages},
        outputs={"messages": [{"role": "assistant", "content": reply}], "usage_metadata": usage(given, tokens(reply))},
        extra=called(variant.model, temperature=0),
        events=[{"name": "new_token", "time": moment(first)}],
    )  # fmt: skip
    run = trace.end(
        root, None, "support_agent", "chain", end + dt.timedelta(milliseconds=8), {"question": question.asked},
        outputs={"answer": reply, "topic": question.about.topic},
        extra={"metadata": {"prompt": variant.prompt, "model": variant.model.name}},
        reference_example_id=example,
    )  # fmt: skip
    helpful = chance.uniform(0.7, 1.0) if is_right else chance.uniform(0.0, 0.35)
    why = None if is_right else chance.choice(_WHY_WRONG)
    concise = min(1.0, max(0.2, 1.25 - tokens(reply) / 160))
    scores = {"correctness": float(is_right), "helpfulness": round(helpful, 2), "concise": round(concise, 2)}
    feedback = [
        Feedback(
            id=ids.of("feedback", run.id, key), run_id=run.id, trace_id=run.trace_id, key=key, score=score,
            created_at=moment(end + dt.timedelta(seconds=2)), comment=why if key == "correctness" else None,
            feedback_source={"type": "model"}, feedback_config=SHARE,
        )
        for key, score in scores.items()
    ]  # fmt: skip
    return Answered(trace.runs, feedback, is_right)


def preferences(
    plan: Plan, comparison: str, ids: Ids, first: list[Answered], second: list[Answered]
) -> list[Feedback]:
    """Which of two answers was preferred, for each question: 1 for the one, 0 for the other, a half for both."""
    found = []
    for number, pair in enumerate(zip(first, second, strict=True)):
        chance = plan.chance("preference", number)
        lead = (pair[0].is_right - pair[1].is_right) or chance.choice((0, 0, -1, 1))
        group = ids.of("pair", comparison, number)
        for side, (answered, score) in enumerate(zip(pair, ((1 + lead) / 2, (1 - lead) / 2), strict=True)):
            found.append(
                Feedback(
                    id=ids.of("preference", comparison, number, side), run_id=answered.root.id,
                    trace_id=answered.root.trace_id, key="preference", score=score,
                    created_at=answered.root.end_time, feedback_source={"type": "model"}, feedback_config=PREFERENCE,
                    feedback_group_id=group, comparative_experiment_id=comparison,
                )
            )  # fmt: skip
    return found
