"""Our errors as HoneyHive's: {"message": …} with a status. Its clients show `errorCode` too."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stenograph import errors
from stenograph.wire.http import encode
from stenograph.wire.statuses import answered


def failed(_: Request, error: Exception) -> Response:
    """The answer to a request that failed. A stranger to our tree becomes a bare 500."""
    return answered(
        error,
        lambda known, kind, status: encode({"message": said(known), "errorCode": kind.__name__}, status),
        lambda: encode({"message": "Internal server error"}, 500),
    )


def said(error: errors.StenographError) -> str:
    """The message, with the place of the mistake in front."""
    where = ".".join(str(step) for step in getattr(error, "where", ()) if step != "body")
    return f"{where}: {error.message}" if where else error.message


def unrouted(request: Request, error: HTTPException) -> Response:
    path = request.url.path.removeprefix("/honeyhive")
    if error.status_code == 404:
        return encode({"message": f"there is no {request.method} {path} here"}, 404)
    return encode({"message": error.detail}, error.status_code)
