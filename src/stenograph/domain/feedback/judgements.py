"""What HoneyHive's clients say under `metrics` and `feedback` of an event, as feedback of its run.

`metrics.accuracy` is feedback under the key `accuracy`, marked as a metric in its source's metadata so that it is
found there again (model/feedback.py: shelf). Its id follows from run, shelf and key: said anew, it takes the place of
what was said before. Of a pair `accuracy`, `accuracy_explanation` in one object the text is the other's comment.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

import msgspec
from msgspec import Raw

from stenograph.domain.feedback.feedback import MAX_KEY, check
from stenograph.errors import Invalid, TooLarge
from stenograph.model.feedback import Feedback, Shelf
from stenograph.model.runs import Micros

EXPLANATION: Final = "_explanation"
_NULL: Final = b"null"
_TRUTH: Final = {b"true": 1.0, b"false": 0.0}
_SOURCES: Final = {
    shelf: msgspec.json.encode({"type": "api", "metadata": {"honeyhive": shelf.value}}) for shelf in Shelf
}
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_text = msgspec.json.Decoder(str).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The run that is judged, and what is known of it: no more than its id, perhaps."""

    workspace: UUID
    id: UUID
    trace_id: UUID | None = None
    project_id: UUID | None = None
    start_time: Micros | None = None


def may_be_key(key: str) -> bool:
    """Whether feedback can be given under this name."""
    return 0 < len(key) <= MAX_KEY and "\0" not in key


def judgements(run: Judged, shelf: Shelf, document: bytes, at: Micros) -> list[Feedback]:
    """The feedback in a JSON object that is fit to be stored. Members that are null say nothing.

    Invalid, naming the member, for a name that no feedback can have; TooLarge for one that says too much.
    """
    said = {key: bytes(value) for key, value in _members(document).items()}
    said = {key: value for key, value in said.items() if value != _NULL}
    comments = _comments(said)
    return [
        _piece(run, shelf, key, value, comments.get(key), at)
        for key, value in said.items()
        if key.removesuffix(EXPLANATION) == key or key.removesuffix(EXPLANATION) not in comments
    ]


def _comments(said: Mapping[str, bytes]) -> dict[str, str]:
    """The explanation of each member that has one."""
    found: dict[str, str] = {}
    for key in sorted(said, key=len):  # so that of three in a chain the last is no comment on a comment
        explanation = said.get(key + EXPLANATION, _NULL)
        is_comment = key.endswith(EXPLANATION) and key.removesuffix(EXPLANATION) in found
        if explanation[:1] == b'"' and not is_comment:
            found[key] = _text(explanation)
    return found


def _piece(run: Judged, shelf: Shelf, key: str, value: bytes, comment: str | None, at: Micros) -> Feedback:
    score = _score(value)
    found = Feedback(
        workspace=run.workspace,
        id=uuid5(run.id, f"{shelf.value}:{key}"),
        key=key,
        created_at=at,
        modified_at=at,
        run_id=run.id,
        trace_id=run.trace_id,
        project_id=run.project_id,
        start_time=run.start_time,
        score=score,
        raw_score=None if score is None else value,
        value=value if score is None else None,
        comment=comment,
        source=_SOURCES[shelf],
    )
    try:
        check(found)
    except (Invalid, TooLarge) as error:
        named = f"{shelf.value}.{key[:60]}: {error.message}"
        raise (Invalid(named, (shelf.value,)) if isinstance(error, Invalid) else TooLarge(named)) from None
    return found


def _score(value: bytes) -> float | None:
    """The number to compute with; None for what is no number or truth value, or more than a float holds."""
    if value in _TRUTH:
        return _TRUTH[value]
    if value[:1] not in b"-0123456789":
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def of_event(run: Judged, metrics: bytes | None, feedback: bytes | None, at: Micros) -> Iterator[Feedback]:
    """The feedback in both of an event's objects, as `judgements`."""
    for shelf, document in ((Shelf.METRICS, metrics), (Shelf.FEEDBACK, feedback)):
        if document is not None:
            yield from judgements(run, shelf, document, at)
