"""Events and filters as those see them who write evaluators: in HoneyHive's words."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stenograph.model.feedback import Feedback
from stenograph.model.filters import Filter
from stenograph.model.runs import Run
from stenograph.wire.honeyhive.events import filters
from stenograph.wire.honeyhive.events.shapes import COLUMNS, event

_encode = msgspec.json.Encoder(decimal_format="string").encode


class EventLanguage:
    """Implements the domain's `Language`: an event is what HoneyHive's clients read of it, a session without figures of
    its other events; its filters are those of `filterArray`."""

    columns = COLUMNS

    def filter(self, document: bytes) -> Filter | None:
        """What a filterArray means; None where it is empty. Invalid, in the words of a body, where it means nothing."""
        if document == b"[]":
            return None
        return filters.of_document(document, ("body", "filters", "filterArray"))

    def event(self, run: Run, feedback: Sequence[Feedback]) -> bytes:
        return _encode(event(run, feedback))
