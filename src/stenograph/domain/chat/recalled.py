"""Which docs a conversation calls to mind: the question is made of what was said last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from stenograph.domain.chat.messages import Message
from stenograph.domain.recall.search import Recall
from stenograph.model.conversations import RecallMode, RecallOptions, Speaker
from stenograph.model.docs import Found, Owner, Search
from stenograph.model.listing import tests_of_object

REACH: Final = 7
"""`k_multiplier` where nobody states one."""

_SPEAKERS: Final = (Speaker.USER, Speaker.ASSISTANT)


class Sought(msgspec.Struct, frozen=True):
    """`meaning` is what is embedded, `words` are looked for as such."""

    meaning: str
    words: str


def sought(messages: Sequence[Message], options: RecallOptions) -> Sought | None:
    """What to look for: users' and agents' words among the last messages; None when they say none.

    Meaning is that of all of them, who says what included, the last one first: what comes first weighs most, and models
    do not look at the end of what is too long. Words are those of the last one. (Julep's documents of
    `num_search_messages` and `max_query_length`.)
    """
    last = messages[-options.num_search_messages :]
    spoken = [each for each in last if each.role in _SPEAKERS and each.text.strip()]
    if not spoken:
        return None
    together = "\n\n".join(
        f"{each.name or each.role.value}: {each.text.strip()}" for each in reversed(spoken)
    )
    return Sought(
        meaning=together[: options.max_query_length],
        words=spoken[-1].text.strip()[: options.max_query_length],
    )


async def recalled(
    recall: Recall,
    workspace: UUID,
    owners: tuple[Owner, ...],
    what: Sought,
    options: RecallOptions,
) -> list[Found]:
    """The chunks of these owners' docs that come to mind, the best first."""
    vector, words = None, None
    if options.mode is not RecallMode.TEXT:
        if not await recall.has_vectors(workspace, owners):
            return []
        vector = await recall.vector(what.meaning)
    if options.mode is not RecallMode.VECTOR:
        words = what.words
    threshold = options.trigram_similarity_threshold
    return await recall.search(
        Search(
            workspace=workspace,
            owners=owners,
            text=words,
            vector=vector,
            limit=options.limit,
            alpha=options.alpha,
            confidence=floor(options),
            mmr_strength=options.mmr_strength,
            tests=tests_of_object(msgspec.json.decode(options.metadata_filter)),
            fuzziness=None if threshold is UNSET else threshold,
            reach=REACH if options.k_multiplier is UNSET else max(1, options.k_multiplier),
        )
    )


def floor(options: RecallOptions) -> float | None:
    """The least cosine that counts. The default is none: it was made for another model, whose cosines are not those of
    ours (decisions/087)."""
    return None if options.confidence == RecallOptions().confidence else options.confidence
