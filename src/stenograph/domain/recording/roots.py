"""Which traces have a root, as far as this process remembers: for spans, which come without saying so.

A trace that came span by span has the trace's id as its root's id, so that children find it whenever they come.
The root itself comes last, hours later perhaps, or never; until then something stands in for it. All memory here is
a saving: what is forgotten is looked up, or stood in for once more, which changes nothing.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Final, Literal, TypeVar
from uuid import UUID

from stenograph.domain.recording.recorder import Recorder
from stenograph.model.query import RunQuery, RunSelection
from stenograph.store.api import RunStore

TRACE_ID: Final = "otel.trace_id"
SPAN_ID: Final = "otel.span_id"
"""The metadata keys under which a run says which span it is, in hexadecimal digits."""

_REMEMBERED: Final = 100_000
_STAND_IN: Final = ""
_SPEAKER: Final = "+"
"""What is remembered of a trace whose root has not come, in place of the root's span id: nothing is known of it, or
a span of it speaks for the whole."""
_SAID: Final = re.compile(rb'"otel\.span_id":"([0-9a-f]{16})"')

StandIn = Literal["first", "better"]

_Key = tuple[int, int]
_K = TypeVar("_K")


class Roots:
    """One a process."""

    def __init__(self, recorder: Recorder, store: RunStore) -> None:
        self._recorder = recorder
        self._store = store
        self._roots: OrderedDict[_Key, str] = OrderedDict()
        self._sessions: OrderedDict[tuple[int, bytes], str] = OrderedDict()

    async def claim(self, workspace: UUID, trace: UUID, span: str) -> bool:
        """Whether the span with this id is the trace's root: the first without a parent that was heard of."""
        key = (workspace.int, trace.int)
        known = self._roots.get(key)
        if known is None:
            known = await self._recorded(workspace, trace)
            known = self._roots.get(key, known)  # another request may have been quicker
        if known not in (_STAND_IN, _SPEAKER, span):
            _remember(self._roots, key, known)
            return False
        _remember(self._roots, key, span)
        return True

    async def _recorded(self, workspace: UUID, trace: UUID) -> str:
        """The span that stands as this trace's root in memory or in the store; '' for none."""
        pending = self._recorder.pending.get(workspace, trace)
        for patch in pending.patches if pending is not None else ():
            if patch.extra is not None and (said := _SAID.search(patch.extra)):
                return said[1].decode()
        if not self._recorder.may_be_stored(trace):
            return _STAND_IN
        stored = await self._store.page(
            RunQuery(
                selection=RunSelection(workspace=workspace, ids=(trace,)),
                columns=frozenset({"metadata"}),
                limit=1,
            )
        )
        return stored[0].metadata.get(SPAN_ID, _STAND_IN) if stored else _STAND_IN

    def stand_in(self, workspace: UUID, trace: UUID, speaks: bool) -> StandIn | None:
        """What has to be said of this trace's root, given a span that speaks for the trace or only belongs to it.

        "first" that there is one, "better" what replaces that, None nothing.
        """
        key = (workspace.int, trace.int)
        known = self._roots.get(key)
        if known is not None and not (speaks and known == _STAND_IN):
            return None
        _remember(self._roots, key, _SPEAKER if speaks else _STAND_IN)
        return "first" if known is None else "better"

    def forget(self, workspace: UUID, trace: UUID) -> None:
        """What was said of this trace was not recorded after all."""
        self._roots.pop((workspace.int, trace.int), None)

    def join(self, workspace: UUID, spans: bytes, session: str) -> None:
        """Spans of this trace id belong to a session from now on."""
        _remember(self._sessions, (workspace.int, spans), session)

    def session(self, workspace: UUID, spans: bytes) -> str | None:
        return self._sessions.get((workspace.int, spans))


def _remember(memory: OrderedDict[_K, str], key: _K, value: str) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _REMEMBERED:
        memory.popitem(last=False)
