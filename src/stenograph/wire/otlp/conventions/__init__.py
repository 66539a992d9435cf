"""What each convention of attributes means: one module a convention, each filling a Draft (draft.py).

The order of READERS is the precedence: a rule fills only what no rule before it has, and takes an attribute away
only when it has used it. So of two conventions on one span (OpenLLMetry beside OpenInference, say) the first is
believed and what the other says stays in the metadata under its own key.

1. LangSmith's own attributes: they say outright what the run is to be.
2. HoneyHive's own, for the same reason.
3. OpenInference: it states kind, request and response whole.
4. OpenTelemetry GenAI: attributes, then the events that older and newer instrumentations put messages in.
5. OpenLLMetry (Traceloop), whose model calls speak GenAI: what is left are its workflows and its older names.
6. Logfire and Pydantic AI, likewise.

What the others have found in a span of HoneyHive's tracer is put into HoneyHive's words at the end (rephrasing.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from stenograph.wire.otlp.conventions import (
    genai,
    honeyhive,
    langsmith,
    logfire,
    openinference,
    rephrasing,
    traceloop,
)
from stenograph.wire.otlp.conventions.draft import Draft

READERS: Final[tuple[tuple[frozenset[str], Callable[[Draft], None]], ...]] = (
    (langsmith.HEADS, langsmith.read),
    (honeyhive.HEADS, honeyhive.read),
    (openinference.HEADS, openinference.read),
    (genai.HEADS, genai.read),
    (traceloop.HEADS, traceloop.read),
    (logfire.HEADS, logfire.read),
)
"""Each with the first segments of its attributes: a span without any of them is not shown to it."""

_OUTRIGHT: Final = (langsmith.read, honeyhive.read)


def read(draft: Draft) -> None:
    """Let every convention that a span may speak read it."""
    shape = draft.shape
    found = shape.readers_with_events if draft.events else shape.readers
    if found is None:
        found = _readers(shape.heads, bool(draft.events))
        if draft.events:
            shape.readers_with_events = found
        else:
            shape.readers = found
    for reader in found:
        reader(draft)
    if draft.rephrased is not None and found[-1] not in _OUTRIGHT:
        rephrasing.rephrase(draft, draft.rephrased)


def _readers(heads: frozenset[str], events: bool) -> tuple[Callable[[Draft], None], ...]:
    return tuple(
        reader for spoken, reader in READERS if not heads.isdisjoint(spoken) or (events and "event" in spoken)
    )
