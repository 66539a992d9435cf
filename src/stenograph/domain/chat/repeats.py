"""Requests that come twice: a client that has lost an answer asks again, and must not have said everything twice.

Julep's clients send no key by which a request is known again, only a header that counts their attempts. So the answer
of each turn is kept with it, under a digest of the request, until it has been delivered; a repeated request for which
one is kept gets that (decisions/086).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final
from uuid import UUID

import msgspec

from stenograph.domain.chat.asked import Answer, Origin
from stenograph.domain.conversations.history import Histories
from stenograph.model.conversations import KeptAnswer
from stenograph.model.docs import Found

_SESSIONS: Final = 10_000
"""Sessions of which is remembered what was delivered; of the others kept answers expire by themselves."""

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Answer).decode


class Repeats:
    """One a process. A turn that is still under way is waited for by whoever repeats it, as every turn is."""

    def __init__(self, histories: Histories) -> None:
        self._histories = histories
        self._delivered: OrderedDict[UUID, set[UUID]] = OrderedDict()

    async def answer(self, workspace: UUID, session: UUID, origin: Origin) -> Answer | None:
        """What this request has been answered before, if it is a repeated one."""
        if not origin.repeated or origin.request in self._delivered.get(session, ()):
            return None
        kept = await self._histories.answered(workspace, session, origin.request)
        return None if kept is None else _decode(kept.body)

    def keeping(self, session: UUID, origin: Origin, answer: Answer) -> tuple[KeptAnswer, tuple[UUID, ...]]:
        """What is to be kept with a turn, and what no longer."""
        body = _encode(msgspec.structs.replace(answer, docs=tuple(map(_without_vector, answer.docs))))
        gone = self._delivered.pop(session, set())
        return KeptAnswer(origin.request, body, answer.created_at), tuple(gone)

    def delivered(self, session: UUID, origin: Origin) -> None:
        """The client has its answer: the same request is a new one from now on."""
        self._delivered.setdefault(session, set()).add(origin.request)
        self._delivered.move_to_end(session)
        while len(self._delivered) > _SESSIONS:
            self._delivered.popitem(last=False)


def _without_vector(found: Found) -> Found:
    return Found(msgspec.structs.replace(found.chunk, vector=None), found.distance)
