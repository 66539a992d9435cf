"""What goes wrong with a model's server, in our own tree of errors."""

from __future__ import annotations

from typing import Final

from stenograph.errors import ModelRefused, ModelUnavailable, StenographError
from stenograph.llm.answers import UNREADABLE
from stenograph.llm.endpoint import Endpoint

MAX_MESSAGE: Final = 500
"""Characters of what a model's server says went wrong that are passed on."""

MAX_WAIT: Final = 3600
"""Seconds that a Retry-After may ask for."""

_PASSING: Final = frozenset({408, 409, 425, 429})


def failures() -> tuple[type[Exception], ...]:
    """What a call may raise. Not the client library's alone: streams are decoded as they are read."""
    import httpx2
    from openai import OpenAIError

    return (OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, TimeoutError, *UNREADABLE)


def told(error: Exception, where: Endpoint) -> StenographError:
    """Our error for theirs: what the server said, shortened, and never the key."""
    from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError

    name = f"the model at {where.host}"
    if isinstance(error, APIStatusError):
        status = error.status_code
        said = _without(error.message, where)
        if status >= 500 or status in _PASSING:
            return ModelUnavailable(f"{name} answers {status}: {said}", _retry_after(error))
        return ModelRefused(f"{name} refuses with {status}: {said}", status)
    if isinstance(error, APITimeoutError | TimeoutError):
        return ModelUnavailable(f"{name} did not answer in time")
    if isinstance(error, APIConnectionError):
        return ModelUnavailable(f"{name} cannot be reached: {_without(str(error.__cause__ or error), where)}")
    if isinstance(error, OpenAIError):
        return ModelUnavailable(f"{name} failed in the middle of its answer: {_without(str(error), where)}")
    if isinstance(error, UNREADABLE):
        return ModelUnavailable(f"{name} answers with what is no answer: {_without(str(error), where)}")
    return ModelUnavailable(f"{name} broke off: {_without(str(error), where)}")


def _without(text: str, where: Endpoint) -> str:
    """Servers quote what they were sent: a part of the key often, the whole of it sometimes."""
    if where.api_key:
        text = text.replace(where.api_key, "***")
    text = " ".join(text.split())
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}…"


def _retry_after(error: object) -> int:
    """Seconds that the server asks for, else 1."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return max(1, min(round(float(headers.get("retry-after", "1"))), MAX_WAIT))
    except (ValueError, OverflowError):
        return 1
