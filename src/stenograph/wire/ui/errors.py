"""Our errors as the page reads them: {"message": …}, and for a filter text the `position` of the mistake."""

from __future__ import annotations

from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stenograph import errors
from stenograph.wire.http import encode

STATUS: Final[dict[type[errors.StenographError], int]] = {
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.Unsupported: 501,
    errors.InboxFull: 429,
    errors.StoreUnavailable: 503,
    errors.Overloaded: 503,
    errors.TurnBroken: 502,
}


def failed(_: Request, error: Exception) -> Response:
    """The answer to a request that failed. A stranger to our tree becomes a bare 500."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            assert isinstance(error, errors.StenographError)
            answer = encode(said(error), STATUS[kind])
            if isinstance(error, errors.Overloaded):
                answer.headers["Retry-After"] = str(error.retry_after)
            return answer
    return encode({"message": "Something went wrong in the server. Its log has the reason."}, 500)


def said(error: errors.StenographError) -> dict[str, Any]:
    """The message; of a mistake in the request, where it is too."""
    if not isinstance(error, errors.Invalid):
        return {"message": error.message}
    return {"message": error.message, "where": list(error.where), "position": error.position}


def unrouted(request: Request, error: HTTPException) -> Response:
    if error.status_code == 404:
        return encode({"message": f"There is no {request.method} {request.url.path[:200]} here."}, 404)
    return encode({"message": error.detail}, error.status_code)
