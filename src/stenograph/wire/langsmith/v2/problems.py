"""What went wrong, as the v2 API says it: problem details, RFC 9457."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from stenograph import errors
from stenograph.wire.http import encode
from stenograph.wire.statuses import answered

PREFIX = "/v2/"


def problem(request: Request, status: int, detail: str) -> Response:
    """A problem whose status says what it is. `instance` is the path as clients know it."""
    answer = encode(
        {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "instance": f"/api{request.url.path}",
        },
        status,
    )
    answer.headers["content-type"] = "application/problem+json"
    return answer


def render(request: Request, error: Exception) -> Response:
    """The answer to a request of the v2 API that failed."""
    if isinstance(error, errors.Invalid):
        if error.where and error.position is None:
            return problem(request, 422, f"{'.'.join(map(str, error.where))}: {error.message}")
        return problem(request, 400, error.message)
    return answered(
        error,
        lambda known, _, status: problem(request, status, known.message),
        lambda: problem(request, 500, "Internal server error"),
    )
