"""What of a conversation goes into a prompt that may only have so many tokens.

The oldest turns are left out, whole: a question with its answer, a tool's call with its result. The system's prompt,
the new input, and what the new input answers stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stenograph.model.conversations import Speaker


@dataclass(frozen=True, slots=True)
class Weighed:
    """A message of the history as far as this matters: who speaks, how many tokens it takes in the prompt, the ids of
    the tool calls it makes, and of the one it answers. `stays`: it is never left out, as a summary is not."""

    speaker: Speaker
    tokens: int
    calls: frozenset[str] = frozenset()
    answers: str | None = None
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """The indexes of the history's messages that are sent, in order, and the tokens of the whole prompt with them."""

    kept: tuple[int, ...]
    tokens: int


NOTHING: Final[frozenset[str]] = frozenset()


def turns(history: Sequence[Weighed]) -> list[list[int]]:
    """The history's indexes in turns: each begins with what a user or the system says after somebody else spoke.

    A tool's result stays with its call even where something was said in between.
    """
    found: list[list[int]] = []
    homes: dict[str, list[int]] = {}
    before: Speaker | None = None
    for index, message in enumerate(history):
        opens = message.speaker in (Speaker.USER, Speaker.SYSTEM) and before is not message.speaker
        if message.answers is not None and message.answers in homes:
            homes[message.answers].append(index)
        elif opens or not found:
            found.append([index])
        else:
            found[-1].append(index)
        for call in message.calls:
            homes[call] = found[-1]
        before = message.speaker
    return found


def fit(
    history: Sequence[Weighed], fixed: int, budget: int, answered: frozenset[str] = NOTHING
) -> Fit | None:
    """The newest turns that fit; None when not even what has to be sent does.

    `fixed` are the tokens of the system's prompt and the new input; `answered` the tool calls whose results the new
    input brings, so that the turns which made them stay.
    """
    groups = turns(history)
    total = fixed + sum(message.tokens for message in history)
    kept = set(range(len(history)))
    for group in groups:
        if total <= budget:
            break
        if any(history[index].calls & answered for index in group):
            continue
        for index in group:
            if not history[index].stays:
                kept.discard(index)
                total -= history[index].tokens
    if total > budget:
        return None
    return Fit(tuple(sorted(kept)), total)
