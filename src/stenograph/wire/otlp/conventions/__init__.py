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

_OUTRIGHT: Final = (langsmith.HEADS, honeyhive.HEADS)


def read(draft: Draft) -> None:
    """Let every convention that a span may speak read it."""
    heads = draft.shape.heads
    others = False
    for spoken, reader in READERS:
        if not heads.isdisjoint(spoken) or (draft.events and "event" in spoken):
            reader(draft)
            others = others or spoken not in _OUTRIGHT
    if others and draft.rephrased is not None:
        rephrasing.rephrase(draft, draft.rephrased)
