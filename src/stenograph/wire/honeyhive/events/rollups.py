"""What a session's events come to: the members that HoneyHive shows in the metadata of the session's own event.

Computed when read, from what is stored of the events: their own tokens and cost, and the feedback given to any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Raw

from stenograph.domain.usage.usage import MODEL_RUNS
from stenograph.model.feedback import Feedback, Shelf, shelf
from stenograph.model.runs import NO_USAGE, Run, Usage
from stenograph.wire.honeyhive.events import shapes
from stenograph.wire.http import Services

_AT_ONCE: Final = 1000
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_NOTHING: Final[dict[str, Raw]] = {}


@dataclass(frozen=True, slots=True)
class Rollup:
    """`num_events` counts all events but the session's own; tokens and cost are sums over these."""

    num_events: int = 0
    num_model_events: int = 0
    has_feedback: bool = False
    usage: Usage = NO_USAGE

    def members(self, session: Run) -> dict[str, Any]:
        """What to show in the session's metadata: nought where nothing was counted, unless the client has stated a
        figure of its own there."""
        cost = self.usage.total_cost
        found: dict[str, Any] = {
            "num_events": self.num_events,
            "num_model_events": self.num_model_events,
            "has_feedback": self.has_feedback,
            "cost": 0 if cost is None else cost / 1e12,
            "total_tokens": self.usage.total_tokens,
            "prompt_tokens": self.usage.prompt_tokens,
            "completion_tokens": self.usage.completion_tokens,
        }
        sent = _sent(session)
        return {key: value for key, value in found.items() if value or key not in sent}


def _sent(session: Run) -> Mapping[str, Raw]:
    try:
        return _members(shapes.parts(session.extra)[0])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _NOTHING


async def of_sessions(to: Services, workspace: UUID, sessions: Sequence[Run]) -> Mapping[UUID, Rollup]:
    """The roll-up of each of these sessions, by its id, of which no more than the key need be read. Two queries a
    thousand."""
    found: dict[UUID, Rollup] = {}
    for start in range(0, len(sessions), _AT_ONCE):
        part = sessions[start : start + _AT_ONCE]
        figures, judged = await to.runs.trace_figures(workspace, part)
        for session in part:
            below = figures.get(session.trace_id)
            found[session.id] = Rollup(
                num_events=0 if below is None else below.runs,
                num_model_events=0 if below is None else below.model_runs,
                has_feedback=session.trace_id in judged,
                usage=NO_USAGE if below is None else below.usage,
            )
    return found


def of_trace(trace: UUID, runs: Iterable[Run], feedback: Iterable[Feedback]) -> Rollup:
    """The same from all runs of a session and what was said of them."""
    events = models = prompt = completion = total = cost = 0
    for run in runs:
        if run.id == trace:
            continue
        events += 1
        models += run.run_type in MODEL_RUNS
        prompt += run.usage.prompt_tokens
        completion += run.usage.completion_tokens
        total += run.usage.total_tokens
        cost += run.usage.total_cost or 0
    usage = Usage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=total, total_cost=cost or None
    )
    return Rollup(events, models, any(shelf(item) is Shelf.FEEDBACK for item in feedback), usage)
