"""How bytes go to a model's server that a user has named: to a public address, with nothing of the operator's, and
never too many back.

Imported when such a server is first asked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import httpx2

from stenograph.errors import ModelUnavailable
from stenograph.outbound import public_address

MAX_ANSWER: Final = 64 * 1024 * 1024
"""Bytes of one answer."""

_SENT: Final = frozenset(
    {"accept", "authorization", "connection", "content-length", "content-type", "host", "transfer-encoding"}
)
"""Headers that go out. The client library adds others, some from the environment of the server."""


class PublicTransport(httpx2.AsyncBaseTransport):
    """Connects to the very address that was judged; through no proxy, which would look up the name once more.

    `any_header`: what the caller sends is all its own.
    """

    def __init__(self, *, any_header: bool = False) -> None:
        self._any_header = any_header
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host, is_secure = request.url.host, request.url.scheme == "https"
        address = await public_address(host, request.url.port or (443 if is_secure else 80))
        sent = httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=[
                *(
                    (name, value)
                    for name, value in request.headers.multi_items()
                    if name.lower() in _SENT or (self._any_header and name.lower() != "accept-encoding")
                ),
                ("accept-encoding", "identity"),
            ],
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},  # whom the certificate has to name
        )
        answer = await self._inner.handle_async_request(sent)
        if answer.headers.get("content-encoding", "identity") != "identity":
            await answer.aclose()
            raise ModelUnavailable("the model's server compresses its answer, which it was asked not to")
        assert isinstance(answer.stream, httpx2.AsyncByteStream)
        answer.stream = _Bounded(answer.stream)
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Bounded(httpx2.AsyncByteStream):
    """An answer's bytes; ModelUnavailable past the limit."""

    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._inner:
            size += len(part)
            if size > MAX_ANSWER:
                raise ModelUnavailable(f"the model's server answers with more than {MAX_ANSWER} bytes")
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()
