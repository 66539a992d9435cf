"""The HTTP status of each of our errors, which all faces have alike; each says it in its vendor's shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.responses import Response

from stenograph import errors

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

Kind = type[errors.StenographError]


def answered(
    error: Exception,
    say: Callable[[errors.StenographError, Kind, int], Response],
    bare: Callable[[], Response],
) -> Response:
    """What `say` makes of an error of ours, by its nearest kind that has a status; when the server has too much to do,
    with the time after which to try again. `bare` is for strangers to our tree."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            assert isinstance(error, errors.StenographError)
            answer = say(error, kind, STATUS[kind])
            if isinstance(error, errors.Overloaded):
                answer.headers["Retry-After"] = str(error.retry_after)
            return answer
    return bare()
