"""A keep-alive HTTP/1.1 connection that costs the client next to nothing, so that the server is what is measured."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from bench.bodies import BOUNDARY, Body


class Form(NamedTuple):
    """How bodies travel: the request's head without its length, and the status that acknowledges."""

    head: str
    taken: int


_POST: Final = "HTTP/1.1\r\nHost: localhost\r\nx-api-key: bench\r\nContent-Type:"
MULTIPART: Final = Form(
    f"POST /runs/multipart {_POST} multipart/form-data; boundary={BOUNDARY}\r\nContent-Encoding: zstd\r\n",
    202,
)
OTLP: Final = Form(f"POST /v1/traces {_POST} application/x-protobuf\r\n", 200)


class Connection:
    """One socket, one request at a time. Understands answers with Content-Length, which is what the server sends."""

    def __init__(self, url: str, timeout: float = 120) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._timeout = timeout
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection(self._address, self._timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, body: Body, form: Form = MULTIPART) -> tuple[int, bytes]:
        """Deliver runs; returns status and answer."""
        head = f"{form.head}Content-Length: {len(body.data)}\r\n\r\n"
        return self._exchange(head.encode() + body.data)

    def get(self, path: str) -> tuple[int, bytes]:
        return self._exchange(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nx-api-key: bench\r\n\r\n".encode())

    def post(self, path: str, document: bytes) -> tuple[int, bytes]:
        """Ask with a JSON body."""
        return self.request("POST", path, "application/json", document)

    def request(self, method: str, path: str, content_type: str, body: bytes) -> tuple[int, bytes]:
        """Any request with a body."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nx-api-key: bench\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return self._exchange(head.encode() + body)

    def _exchange(self, request: bytes) -> tuple[int, bytes]:
        self._socket.sendall(request)
        found = bytearray()
        while (end := found.find(b"\r\n\r\n")) < 0:
            found += self._receive()
        head = bytes(found[:end]).lower()
        status = int(head[9:12])
        _, _, rest = head.partition(b"content-length:")
        size = int(rest.partition(b"\r\n")[0]) if rest else 0
        while len(found) < end + 4 + size:
            found += self._receive()
        if b"connection: close" in head:
            self.close()
            self._open()
        return status, bytes(found[end + 4 :])

    def _receive(self) -> bytes:
        chunk = self._socket.recv(1 << 18)
        if not chunk:
            raise ConnectionError("the server closed the connection within an answer")
        return chunk

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self.close()
