"""Our errors as HoneyHive's: {"message": …} with a status. Its clients show `errorCode` too."""

from __future__ import annotations

from typing import Final

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
}


def failed(_: Request, error: Exception) -> Response:
    """The answer to a request that failed. A stranger to our tree becomes a bare 500."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            assert isinstance(error, errors.StenographError)
            answer = encode({"message": said(error), "errorCode": kind.__name__}, STATUS[kind])
            if isinstance(error, errors.Overloaded):
                answer.headers["Retry-After"] = str(error.retry_after)
            return answer
    return encode({"message": "Internal server error"}, 500)


def said(error: errors.StenographError) -> str:
    """The message, with the place of the mistake in front."""
    where = ".".join(str(step) for step in getattr(error, "where", ()) if step != "body")
    return f"{where}: {error.message}" if where else error.message


def unrouted(request: Request, error: HTTPException) -> Response:
    path = request.url.path.removeprefix("/honeyhive")
    if error.status_code == 404:
        return encode({"message": f"there is no {request.method} {path} here"}, 404)
    return encode({"message": error.detail}, error.status_code)
