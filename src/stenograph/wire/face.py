"""What a face is to the application: its routes, its errors, and what it says of paths that it does not have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute


@dataclass(frozen=True, slots=True)
class Face:
    """One vendor's way of speaking to the server.

    `prefix` begins the paths of its routes, as Addresses leaves them; the face without one has all the others.
    `failed` renders any exception, strangers to our error tree included, as that vendor's error; `unrouted` answers
    what no route matched (404) or not with this method (405).
    """

    prefix: str
    routes: Callable[[], Sequence[BaseRoute]]
    failed: Callable[[Request, Exception], Response]
    unrouted: Callable[[Request, HTTPException], Response]

    def has(self, path: str) -> bool:
        return path == self.prefix or path.startswith(f"{self.prefix}/")
