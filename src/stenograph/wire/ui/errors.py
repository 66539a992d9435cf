"""Our errors as the page reads them: {"message": …}, and for a filter text the `position` of the mistake."""

from __future__ import annotations

from typing import Any

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
        lambda known, _, status: encode(said(known), status),
        lambda: encode({"message": "Something went wrong in the server. Its log has the reason."}, 500),
    )


def said(error: errors.StenographError) -> dict[str, Any]:
    """The message; of a mistake in the request, where it is too."""
    if not isinstance(error, errors.Invalid):
        return {"message": error.message}
    return {"message": error.message, "where": list(error.where), "position": error.position}


def unrouted(request: Request, error: HTTPException) -> Response:
    if error.status_code == 404:
        return encode({"message": f"There is no {request.method} {request.url.path[:200]} here."}, 404)
    return encode({"message": error.detail}, error.status_code)
