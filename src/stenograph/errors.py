"""What can go wrong, and whose fault it is.

    StenographError
      CallerError          the request has to change before it can succeed
        Invalid            · malformed or contradictory (carries where)
          ModelRefused     · a model's server will not take it, or none is set up
          PromptTooBig     · a conversation has outgrown its budget
        Unauthenticated    · no key, or one we do not know
        Forbidden          · a key whose role does not reach this far
        NotFound           · no such thing in the caller's workspace
        Conflict           · the name or id is taken
        TooLarge           · over a limit, which the message names
        Unsupported        · understood, and not offered by this server
      Overloaded           the same request may succeed later
        InboxFull          · acknowledged work waits for the run store
        StoreUnavailable   · an engine or disk is not answering
        ModelUnavailable   · a model's server is not answering, or not now
    TurnBroken             tools had run when the model failed: asking again would run them again
    anything else          is a bug of ours and becomes a bare 500

Each face maps this tree to its vendor's status codes and JSON in one table.
"""

from __future__ import annotations


class StenographError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    @property
    def message(self) -> str:
        return str(self.args[0])


class CallerError(StenographError):
    """The request has to change before it can succeed."""


class Invalid(CallerError):
    """The request is malformed.

    `where` is the path to the mistake in the vendor's own terms, e.g. `("body", "filter")`.
    `position` is a character offset into a filter text, when there is one.
    """

    def __init__(self, message: str, where: tuple[str | int, ...] = (), position: int | None = None) -> None:
        super().__init__(message)
        self.where = where
        self.position = position


class ModelRefused(Invalid):
    """The model's server refuses this request.

    `status` is its HTTP status; None when it was not asked, because nothing says where it is.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class PromptTooBig(Invalid):
    """The prompt has more tokens than the conversation may take."""


class Unauthenticated(CallerError):
    """A valid API key is needed: send it as the x-api-key header."""


class Forbidden(CallerError):
    """This API key's role does not allow that."""


class NotFound(CallerError):
    """Not found."""


class Conflict(CallerError):
    """Already exists."""


class TooLarge(CallerError):
    """The request is over a limit of this server."""


class Unsupported(CallerError):
    """This server does not offer that."""


class Overloaded(StenographError):
    """The server cannot take this now; try again shortly.

    `retry_after` is in seconds.
    """

    def __init__(self, message: str | None = None, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class InboxFull(Overloaded):
    """The inbox is full: acknowledged runs are waiting for the run store."""


class StoreUnavailable(Overloaded):
    """The store is not answering."""


class ModelUnavailable(Overloaded):
    """The model's server is not answering."""


class TurnBroken(StenographError):
    """A turn failed after its tools had run."""
