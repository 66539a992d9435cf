"""Our errors as LangSmith's, each of whose services has a shape of its own.

Reading says {"detail": …}, ingest {"error": …}, and what is under /platform {"error": …, "details": …}. A body that
makes no sense is 422 to most, and 400 to those whose documents know no 422. The v2 API has problem details.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from stenograph import errors
from stenograph.wire.http import encode
from stenograph.wire.langsmith.v2 import problems
from stenograph.wire.statuses import answered

_PLAIN_SERVICES = ("/platform/annotation-queues/", "/workspaces/current/ttl-settings")


def render(request: Request, error: Exception) -> Response:
    """The answer to a request that failed. A stranger to our tree becomes a bare 500."""
    if request.url.path.startswith(problems.PREFIX):
        return problems.render(request, error)
    if isinstance(error, errors.Invalid):
        understood = error.where and error.position is None
        status = 422 if understood and not request.url.path.startswith(_PLAIN_SERVICES) else 400
        return encode(_body(request, error), status)
    return answered(
        error,
        lambda known, _, status: encode(_body(request, known), status),
        lambda: encode({"detail": "Internal server error"}, 500),
    )


def _body(request: Request, error: errors.StenographError) -> dict[str, object]:
    path = request.url.path
    where = error.where if isinstance(error, errors.Invalid) and error.position is None else ()
    ingesting = request.method in ("POST", "PATCH") and (
        path in ("/runs", "/runs/batch", "/runs/multipart")
        or (request.method == "PATCH" and path.startswith("/runs/"))
    )
    if ingesting:
        return {"error": error.message}
    platform = path.startswith(("/platform/", "/workspaces/current/ttl-settings"))
    if platform or path.partition("/datasets/")[2].partition("/")[2].startswith("experiment-view-overrides"):
        details = {"details": _details(where, error.message)} if where else {}
        return {"error": error.message, **details}
    if where:
        return {"detail": [{"loc": list(where), "msg": error.message, "type": "value_error"}]}
    return {"detail": error.message}


def _details(where: tuple[str | int, ...], reason: str) -> str:
    """JSON in a text, as that service has it."""
    field = ".".join(str(step) for step in where)
    return msgspec.json.encode({"field": field, "reason": reason}).decode()
