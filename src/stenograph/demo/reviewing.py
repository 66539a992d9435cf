"""An annotation queue of turns that customers were not content with, some of them reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from msgspec import Raw, Struct

from stenograph.demo.plan import Ids, Plan, moment
from stenograph.demo.runs import Feedback, Json
from stenograph.demo.sending import send_feedback
from stenograph.demo.turns import Outcome, Turn
from stenograph.transfer.connection import Connection

QUEUE: Final = "Thumbs down"
ITEMS: Final = 24
REVIEWED: Final = 7
_GUIDE: Final = (
    "Read the conversation as the customer did. Say first whether the answer was correct, then how it sounded. "
    "Then say which policy was broken, and in a comment by which words."
)
_POLICY: Final = "broken_policy"
_POLICIES: Final = ("none", "returns", "identity", "promises")
_POLICY_SHAPE: Final[Json] = {
    "type": "categorical",
    "categories": [{"value": at, "label": label} for at, label in enumerate(_POLICIES)],
}
_RUBRIC: Final[list[Json]] = [
    {
        "feedback_key": "correctness",
        "description": "Is everything that it says true, and does it answer the question?",
        "score_descriptions": {"0": "wrong, or no answer", "1": "true and complete"},
        "is_required": True,
    },
    {
        "feedback_key": "tone",
        "description": "Would you be content to be written to like this?",
        "score_descriptions": {"0": "cold or annoying", "1": "kind and clear"},
        "is_required": True,
    },
    {
        "feedback_key": _POLICY,
        "description": "Which policy of the shop was broken, if any?",
        "value_descriptions": {
            "none": "nothing was broken",
            "returns": "other terms than the shop has",
            "identity": "told without asking who it is",
            "promises": "what nobody can be sure of",
        },
    },
]


class _Queue(Struct, frozen=True):
    id: UUID
    name: str


class _Item(Struct, frozen=True):
    id: UUID
    run_id: UUID


def queue(server: Connection, plan: Plan, ids: Ids, turns: Sequence[Turn], given: Sequence[Feedback]) -> int:
    """Makes and fills the queue, unless it is there: what people have done in it since is theirs. Answers its items."""
    found = server.get("/annotation-queues", list[_Queue], {"name": QUEUE})
    if any(each.name == QUEUE for each in found):
        return 0
    disliked = {piece.run_id for piece in given if piece.key == "user_score" and piece.score == 0}
    chosen = [turn for turn in reversed(turns) if turn.root.id in disliked][:ITEMS]
    body = {
        "name": QUEUE,
        "description": "What customers did not like, newest first.",
        "rubric_instructions": _GUIDE,
        "rubric_items": _RUBRIC,
        "num_reviewers_per_item": 1,
    }
    known = server.get("/feedback-configs", list[Raw], {"key": _POLICY})
    if not known:  # a shape that somebody gave it stays
        server.post("/feedback-configs", Raw, {"feedback_key": _POLICY, "feedback_config": _POLICY_SHAPE})
    made = server.post("/annotation-queues", _Queue, body)
    if not chosen:
        return 0
    items = server.post(
        f"/annotation-queues/{made.id}/runs", list[_Item], [{"run_id": turn.root.id} for turn in chosen]
    )
    by_run = {str(item.run_id): item.id for item in items}
    reviewed = chosen[-REVIEWED:] if len(chosen) > REVIEWED else []
    send_feedback(server, [piece for turn in reviewed for piece in _review(plan, ids, turn)])
    for turn in reviewed:
        server.post(f"/annotation-queues/status/{by_run[turn.root.id]}", Raw, {"status": "completed"})
    return len(items)


def _review(plan: Plan, ids: Ids, turn: Turn) -> list[Feedback]:
    chance = plan.chance("review", turn.root.start_time, turn.asked)
    correct = turn.outcome is Outcome.ANSWERED and chance.random() < 0.5
    kind = chance.random() < 0.8
    broken = "none" if correct else chance.choice(_POLICIES)
    wrong = None if correct else "The amount belongs to another order."
    given: tuple[tuple[str, float | None, str | None, str | None], ...] = (
        ("correctness", float(correct), None, wrong),
        ("tone", float(kind), None, None),
        (_POLICY, None, broken, None),  # without a score: a mean of policies says nothing
    )
    return [
        Feedback(
            id=ids.of("review", turn.root.id, key),
            run_id=turn.root.id,
            trace_id=turn.root.trace_id,
            key=key,
            score=score,
            value=value,
            created_at=moment(plan.until),
            comment=comment,
            feedback_source={"type": "app"},
        )
        for key, score, value, comment in given
    ]
