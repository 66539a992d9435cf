"""Feedback on turns: what customers thought, whether it was solved, an evaluator's view; it follows how they went."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Iterator
from typing import Final

from stenograph.demo.plan import Ids, Plan, moment
from stenograph.demo.runs import SLOW, Feedback, Json
from stenograph.demo.turns import Outcome, Turn

THUMBS: Final[Json] = {
    "type": "categorical",
    "categories": [{"value": 0, "label": "down"}, {"value": 1, "label": "up"}],
}
SOLVED: Final[Json] = {
    "type": "categorical",
    "categories": [{"value": 0, "label": "no"}, {"value": 1, "label": "yes"}],
}
SHARE: Final[Json] = {"type": "continuous", "min": 0, "max": 1}

_GOOD: Final = (
    "Quick and clear, thank you.", "Exactly what I needed.", "Didn't expect a bot to solve this.", "Very friendly!",
    "Solved in two minutes.", "Schnell und freundlich.", "Très efficace.", "Muy amable, gracias.",
)  # fmt: skip
_BAD: Final = (
    "Did not answer my question.", "It told me what I already knew.", "Too long, I only wanted a date.",
    "Had to ask twice.", "The date was wrong, nothing came on that day.", "I wanted a person.",
    "Hat mir nicht geholfen.",
)  # fmt: skip
_BROKEN: Final = (
    "It just stopped.", "Nothing happened for half a minute, then an error.", "Payment system down AGAIN?",
    "No answer at all.", "Still don't know whether I get my money back.", "Tried three times, same apology.",
)  # fmt: skip
_LATE: Final = ("Took forever.", "Right answer, but so slow.", "I nearly closed the chat before it answered.")
_RIGHT: Final = (
    "The date and tracking number are those of the tool's answer.", "Follows the returns policy.",
    "Complete and in the customer's language.", "Correct; the offer of a replacement came first, as the policy wants.",
)  # fmt: skip
_WRONG: Final = (
    "States a delivery date that the tool did not return.", "Misses the second half of the question.",
    "Promises a refund before the return has arrived.", "Correct but answers a different question.",
)  # fmt: skip


def ratings(plan: Plan, ids: Ids, turns: Iterable[Turn]) -> Iterator[Feedback]:
    for turn in turns:
        chance = plan.chance("ratings", turn.root.start_time, turn.asked)
        if chance.random() < 0.34:
            yield _thumb(ids, turn, chance)
        if chance.random() < 0.3:
            solved = turn.outcome is Outcome.ANSWERED and chance.random() < 0.88
            yield _feedback(ids, turn, chance, "resolved", float(solved), None, SOLVED, "app")
        if turn.outcome is not Outcome.FAILED and chance.random() < 0.25:
            yield _judged(ids, turn, chance)


def happy(turn: Turn) -> float:
    """How likely it is that the customer was content."""
    match turn.outcome:
        case Outcome.FAILED:
            return 0.03
        case Outcome.APOLOGISED:
            return 0.12
        case Outcome.ANSWERED:
            return 0.6 if turn.release.model is SLOW else 0.87 if turn.about.topic != "human_agent" else 0.55


def _thumb(ids: Ids, turn: Turn, chance: random.Random) -> Feedback:
    up = chance.random() < happy(turn)
    comment = None
    if chance.random() < (0.16 if up else 0.55):
        if up:
            comment = chance.choice(_GOOD)
        elif turn.outcome is not Outcome.ANSWERED:
            comment = chance.choice(_BROKEN)
        else:
            comment = chance.choice(_LATE if turn.release.model is SLOW else _BAD)
    return _feedback(ids, turn, chance, "user_score", float(up), comment, THUMBS, "app")


def _judged(ids: Ids, turn: Turn, chance: random.Random) -> Feedback:
    wrong = turn.outcome is Outcome.APOLOGISED or chance.random() < 0.12
    score = round(chance.uniform(0.1, 0.5) if wrong else min(1.0, chance.uniform(0.72, 1.12)), 2)
    said = chance.choice(_WRONG if wrong else _RIGHT) if chance.random() < 0.7 else None
    return _feedback(ids, turn, chance, "correctness", score, said, SHARE, "model")


def _feedback(
    ids: Ids,
    turn: Turn,
    chance: random.Random,
    key: str,
    score: float,
    comment: str | None,
    shape: Json,
    source: str,
) -> Feedback:
    root = turn.root
    return Feedback(
        id=ids.of("feedback", root.id, key),
        run_id=root.id,
        trace_id=root.trace_id,
        key=key,
        score=score,
        comment=comment,
        created_at=moment(turn.ended + dt.timedelta(seconds=chance.uniform(2, 90))),
        feedback_source={"type": source},
        feedback_config=shape,
    )
