"""Feedback between LangSmith's JSON and our values. Pure: no store, no clock but what is passed in."""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw

from stenograph.errors import Invalid
from stenograph.model.feedback import Feedback, FeedbackPatch
from stenograph.model.feedback_setup import FeedbackShape, FeedbackToken
from stenograph.model.runs import Micros, Run
from stenograph.wire.http import decode
from stenograph.wire.langsmith.feedback.schemas import FeedbackByTokenIn, FeedbackUpdateIn
from stenograph.wire.langsmith.runs.convert import micros, raw, zoned_text
from stenograph.wire.langsmith.runs.schemas import FeedbackIn, FeedbackSourceIn
from stenograph.wire.payloads import Payloads

_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_LOOSE_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
"""What people write that JSON does not allow: +1, 5., .5, 007."""

# -- in --------------------------------------------------------------------------------------------------


def from_wire(
    sent: FeedbackIn, *, workspace: UUID, new_id: UUID, now: Micros, payloads: Payloads
) -> Feedback:
    """Feedback as sent. A score stays what it was (true is not 1) beside the number that is computed with.

    With a trace and no run it is about the trace's root, as LangSmith's own client reads it.
    """
    score = payloads.check(sent.score, "score")
    source = sent.feedback_source or FeedbackSourceIn()
    return Feedback(
        workspace=workspace,
        id=sent.id or new_id,
        key=sent.key,
        created_at=_time(sent.created_at, "created_at", now),
        modified_at=_time(sent.modified_at, "modified_at", now),
        run_id=sent.run_id or sent.trace_id,
        trace_id=sent.trace_id,
        project_id=sent.session_id,
        score=score_number(score),
        raw_score=score,
        value=payloads.check(sent.value, "value"),
        comment=sent.comment,
        correction=_correction(sent.correction, payloads),
        source_type=source.type or "api",
        source=_source(source, payloads),
        group_id=sent.feedback_group_id,
        comparative_experiment_id=sent.comparative_experiment_id,
        start_time=micros(sent.start_time, "start_time"),
        extra=payloads.check(sent.extra, "extra", "object"),
        error=bool(sent.error),
        keeps=sent.extend_trace_retention is not False,
    )


def patch_from_wire(sent: FeedbackUpdateIn, payloads: Payloads) -> FeedbackPatch:
    """Only what was sent; null empties."""
    changes: dict[str, Any] = {}
    if bytes(sent.score):
        changes["raw_score"] = payloads.check(sent.score, "score")
        changes["score"] = score_number(changes["raw_score"])
    if bytes(sent.value):
        changes["value"] = payloads.check(sent.value, "value")
    if bytes(sent.correction):
        changes["correction"] = _correction(sent.correction, payloads)
    if sent.comment is not UNSET:
        changes["comment"] = sent.comment
    return FeedbackPatch(**changes)


def by_token(
    sent: FeedbackByTokenIn, token: FeedbackToken, *, new_id: UUID, now: Micros, payloads: Payloads
) -> Feedback:
    """Feedback given with a token. Invalid when it says nothing: whoever only opens a link has no opinion."""
    score = payloads.check(sent.score, "score")
    found = Feedback(
        workspace=token.workspace,
        id=new_id,
        key=token.key,
        created_at=now,
        modified_at=now,
        run_id=token.run_id,
        score=score_number(score),
        raw_score=score,
        value=payloads.check(sent.value, "value"),
        comment=sent.comment,
        correction=_correction(sent.correction, payloads),
        extra=payloads.check(sent.metadata, "metadata", "object"),
    )
    if not any((found.raw_score, found.value, found.comment, found.correction, found.extra)):
        raise Invalid("give a score, a value, a comment or a correction", ("score",))
    return found


def score_of_text(text: str) -> Raw:
    """A score in a link's query as JSON: a number or a truth value, else Invalid."""
    word = text.strip()
    if word.lower() in ("true", "false"):
        return Raw(word.lower().encode())
    if _NUMBER.fullmatch(word):
        return Raw(word.encode())
    if _LOOSE_NUMBER.fullmatch(word):
        return Raw(repr(float(word)).encode())
    raise Invalid(_no_score(word), ("score",))


def score_number(score: bytes | None) -> float | None:
    """The number in a score; Invalid when it is neither a number nor a truth value."""
    if score is None:
        return None
    if score in (b"true", b"false"):
        return float(score == b"true")
    try:
        return float(score)
    except ValueError:
        raise Invalid(_no_score(score.decode("utf-8", "replace")), where=("score",)) from None


def _no_score(text: str) -> str:
    return f"score must be a number, true or false, not {text[:40]}; put labels into value"


def shape_from_wire(sent: Raw, payloads: Payloads) -> FeedbackShape | None:
    """A feedback_config; None when none was sent."""
    document = payloads.check(sent, "feedback_config", "object")
    if document is None:
        return None
    try:
        return decode(document, FeedbackShape)
    except Invalid as error:
        where = ("feedback_config", *error.where[1:])
        if where == ("feedback_config", "type"):
            raise Invalid("type must be continuous, categorical or freeform", where) from None
        raise Invalid(error.message, where) from None


def _time(value: str | float | None, field: str, now: Micros) -> Micros:
    found = micros(value, field)
    return now if found is None else found


def _correction(sent: Raw, payloads: Payloads) -> bytes | None:
    """An object or a text: clients cannot read any other."""
    found = payloads.check(sent, "correction")
    if found is not None and found[:1] not in (b"{", b'"'):
        raise Invalid("correction must be an object or a text", ("correction",))
    return found


def _source(source: FeedbackSourceIn, payloads: Payloads) -> bytes:
    people = {name: getattr(source, name) for name in ("user_id", "ls_user_id", "user_name")}
    metadata = payloads.check(source.metadata, "feedback_source.metadata", "object")
    return msgspec.json.encode(
        {"type": source.type or "api", "metadata": raw(metadata)}
        | {name: value for name, value in people.items() if value is not None}
    )


# -- out -------------------------------------------------------------------------------------------------

_stored_source = msgspec.json.Decoder(FeedbackSourceIn).decode


def to_wire(item: Feedback, run: Run | None = None) -> dict[str, Any]:
    """LangSmith's FeedbackSchema. `run` is the run that it speaks of, where that is known and it is not filed by it:
    trace, project and start are then the run's."""
    project = run.project_id if run is not None and run.project_id.int else item.project_id
    trace = run.trace_id if run is not None else item.trace_id
    return {
        "id": item.id,
        "key": item.key,
        "created_at": zoned_text(item.created_at),
        "modified_at": zoned_text(item.modified_at),
        "score": item.score if item.raw_score is None else Raw(item.raw_score),
        "value": raw(item.value),
        "comment": item.comment,
        "correction": raw(item.correction),
        "run_id": item.run_id,
        "trace_id": trace,
        "session_id": project,
        "start_time": zoned_text(run.start_time if run is not None else item.start_time),
        "is_root": run.is_root if run is not None else _is_root(item),
        "feedback_group_id": item.group_id,
        "comparative_experiment_id": item.comparative_experiment_id,
        "feedback_source": _source_out(item),
        "extra": raw(item.extra),
        "feedback_thread_id": None,
    }


def _is_root(item: Feedback) -> bool:
    if item.home is not None:
        return item.is_root
    return item.run_id is not None and item.run_id == item.trace_id


def _source_out(item: Feedback) -> dict[str, Any]:
    source = FeedbackSourceIn() if item.source is None else _stored_source(item.source)
    return {
        "type": item.source_type,
        "metadata": raw(bytes(source.metadata) or None),
        "user_id": source.user_id,
        "ls_user_id": source.ls_user_id,
        "user_name": source.user_name,
    }
