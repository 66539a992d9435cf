"""HTTP to one server: requests that carry the key, answers as typed values, and failures as our errors.

What the routes are is `client.py`.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec

from stenograph.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Overloaded,
    StenographError,
    TooLarge,
    Unauthenticated,
    Unsupported,
)
from stenograph.transfer.failures import ServerTrouble, of_file

T = TypeVar("T")
Params = Mapping[str, str | int | bool | list[str] | None]

_TIMEOUT: Final = httpx2.Timeout(120, connect=10)
_RETRIES: Final = 5
_LONGEST_WAIT: Final = 10
"""Seconds."""

_STATUS: Final[dict[int, type[StenographError]]] = {
    400: Invalid,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: Invalid,
    429: Overloaded,
    501: Unsupported,
    503: Overloaded,
}


class Connection:
    """One server and one key. Close it after use, or use it as a context manager."""

    def __init__(self, url: str, key: str | None) -> None:
        """Invalid for an address or a key that cannot be one."""
        self.url = url.strip().rstrip("/")
        host = _address(self.url)
        key = (key or "").strip()
        if not key.isascii() or not key.isprintable():
            raise Invalid("the API key has characters that no key has")
        self._http = httpx2.Client(
            headers={"x-api-key": key} if key else {},
            timeout=_TIMEOUT,
            trust_env=not _is_local(host),  # proxies of the environment are not for this machine
        )

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    # -- requests ------------------------------------------------------------------------------------------

    def get(self, path: str, kind: type[T], params: Params | None = None) -> T:
        return self._decoded(self._sent("GET", path, params=_stated(params)), kind)

    def post(self, path: str, kind: type[T], document: Any) -> T:
        return self._decoded(self._sent("POST", path, document=document), kind)

    def put(self, path: str, kind: type[T], document: Any) -> T:
        return self._decoded(self._sent("PUT", path, document=document), kind)

    def patch(self, path: str, kind: type[T], document: Any) -> T:
        return self._decoded(self._sent("PATCH", path, document=document), kind)

    def delete(self, path: str) -> None:
        self._sent("DELETE", path)

    def upload(self, path: str, kind: type[T], body: BinaryIO, content_type: str) -> T:
        """Posts a file from its start."""
        return self._decoded(self._sent("POST", path, body=body, content_type=content_type), kind)

    def lines(self, path: str, params: Params) -> Iterator[bytes]:
        """The lines of an answer while they arrive, without their ends. Empty ones are left out."""
        with self._told(), self._http.stream("GET", self.url + path, params=_stated(params)) as answer:
            _check(answer, self.url)
            rest = bytearray()
            for piece in answer.iter_bytes():
                rest += piece
                if b"\n" in piece:
                    *whole, last = bytes(rest).split(b"\n")
                    yield from filter(None, whole)
                    rest = bytearray(last)
            if rest:
                yield bytes(rest)

    def download(self, link: str, into: BinaryIO) -> None:
        """Follows a signed link, which needs no key: it may lead to another address than the server's."""
        is_local = _is_local(httpx2.URL(link).host)
        with (
            self._told(),
            httpx2.Client(timeout=_TIMEOUT, trust_env=not is_local) as http,
            http.stream("GET", link) as answer,
        ):
            _check(answer, link.partition("?")[0])
            for piece in answer.iter_bytes():
                with of_file("write", "an attachment"):
                    into.write(piece)

    def _sent(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        document: Any = None,
        body: BinaryIO | None = None,
        content_type: str = "application/json",
    ) -> httpx2.Response:
        """The answer, once it is a good one. A server that asks to try again later is asked again a few times."""
        content: Any = body if document is None else msgspec.json.encode(document)
        headers = {} if content is None else {"Content-Type": content_type}
        for again in range(_RETRIES, -1, -1):
            if body is not None:
                body.seek(0)
            with self._told():
                answer = self._http.request(
                    method, self.url + path, params=params, content=content, headers=headers
                )
            try:
                _check(answer, self.url)
            except Overloaded as error:
                if not again:
                    raise
                time.sleep(min(error.retry_after, _LONGEST_WAIT))
            else:
                return answer
        raise AssertionError("unreachable")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the network does, in words for the person who typed the command."""
        try:
            yield
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise ServerTrouble(
                f"no server answers at {self.url} ({error}): start one with `stenograph serve`, "
                "or say with --url where it is"
            ) from error
        except httpx2.TimeoutException as error:
            raise ServerTrouble(f"the server at {self.url} took too long to answer") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise ServerTrouble(
                f"the connection to {self.url} broke: {error or type(error).__name__}"
            ) from error

    def _decoded(self, answer: httpx2.Response, kind: type[T]) -> T:
        return decoded(answer.content, kind, self.url)


def decoded(document: bytes, kind: type[T], url: str) -> T:
    """JSON as `kind`; ServerTrouble when it is something else, as a stranger's answer would be."""
    try:
        return msgspec.json.decode(document, type=kind)
    except RecursionError:
        raise ServerTrouble("an answer is nested too deeply to be read") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ServerTrouble(f"what answers at {url} does not speak Stenograph's language: {error}") from error


def _stated(params: Params | None) -> dict[str, Any]:
    return {name: value for name, value in (params or {}).items() if value is not None}


def _address(url: str) -> str:
    """The host of a server's address; Invalid when it is none."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment or "@" in url:
        raise Invalid(f"{url[:200]!r} is no address of a server, such as http://localhost:1984")
    return host


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# -- failures --------------------------------------------------------------------------------------------


def _check(answer: httpx2.Response, url: str) -> None:
    """Raises what the answer says went wrong."""
    status = answer.status_code
    if status < 300:
        return
    if status < 400:
        raise ServerTrouble(f"{url} leads on to {answer.headers.get('location')}: use that address")
    message = _message(answer.read())
    kind = _STATUS.get(status)
    if kind is None or message is None:
        raise ServerTrouble(f"{url} answers {status}" + (f": {message}" if message else ""))
    if kind is Overloaded:
        wait = answer.headers.get("retry-after", "1")
        raise Overloaded(message, retry_after=int(wait) if wait.isdecimal() and len(wait) < 6 else 1)
    if kind is Unauthenticated:
        message += " (--api-key, or STENOGRAPH_API_KEY)"
    raise kind(message)


def _message(body: bytes) -> str | None:
    """The sentence in the server's JSON of an error; None when it is not such."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    told = found.get("detail", found.get("error", found.get("message")))
    if isinstance(told, list):
        return "; ".join(_place(each) for each in told if isinstance(each, dict)) or None
    return told if isinstance(told, str) else None


def _place(each: Mapping[str, Any]) -> str:
    steps = [str(step) for step in each.get("loc", ()) if step not in ("body", "query", "path")]
    return ": ".join(filter(None, (".".join(steps), str(each.get("msg", "")))))
