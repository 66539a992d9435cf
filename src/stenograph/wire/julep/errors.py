"""Our errors as Julep's: {"error": {"message", "code", "type"}}, with `details` where a value will not do.

Its clients send a request again after 409 and every 5xx, six times in 20 seconds, unless the answer says
`x-should-retry: false`: it does where the same request cannot succeed.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stenograph import errors
from stenograph.wire.http import encode
from stenograph.wire.julep import not_yet
from stenograph.wire.statuses import answered

NO_USE: Final = frozenset({409, 500, 501, 502})
"""Answers after which their clients would try again, in vain."""

MAX_RECEIVED: Final = 200
"""Characters of a wrong value, as JSON, that are sent back."""


class BadBody(errors.Invalid):
    """A mistake in the body: `received` is the value at `where`, UNSET where there is none."""

    def __init__(self, message: str, where: tuple[str | int, ...], received: Any) -> None:
        super().__init__(message, where)
        self.received = received


def failed(_: Request, error: Exception) -> Response:
    """The answer to a request that failed. A stranger to our tree becomes a bare 500.

    A value that is out of place is 422; what a session cannot be, whichever value is to blame, is 400.
    """
    if isinstance(error, errors.PromptTooBig):
        return refused(400, error.message, "prompt_too_big")
    if isinstance(error, errors.ModelRefused):
        return refused(400, error.message, "llm_bad_request")
    if isinstance(error, errors.Invalid):
        return _out_of_place(error) if error.where else refused(400, error.message)
    return answered(
        error,
        lambda known, _, status: refused(status, known.message),
        lambda: refused(500, "Internal server error"),
    )


def refused(status: int, message: str, code: str = "") -> Response:
    said = {"message": message, "code": code or f"http_{status}", "type": "http_error"}
    answer = encode({"error": said}, status)
    if status in NO_USE:
        answer.headers["x-should-retry"] = "false"
    return answer


def _out_of_place(error: errors.Invalid) -> Response:
    place = ".".join(str(step) for step in error.where[error.where[0] == "body" :])
    detail = {"type": "value_error", "msg": error.message, "loc": place}
    if isinstance(error, BadBody) and error.received is not msgspec.UNSET:
        detail["received"] = error.received
    message = f"{place}: {error.message}" if place else error.message
    said = {
        "message": message,
        "code": "validation_error",
        "type": "validation_error",
        "details": [detail],
    }
    return encode({"error": said}, 422)


def unrouted(request: Request, error: HTTPException) -> Response:
    """The answer where no route matched: what is not offered says so."""
    path = request.url.path.removeprefix("/julep")
    if error.status_code in (404, 405) and (reason := not_yet.reason(path)) is not None:
        return refused(501, reason)
    if error.status_code == 404:
        return refused(404, f"there is no {request.method} {path} here")
    return refused(error.status_code, error.detail)
