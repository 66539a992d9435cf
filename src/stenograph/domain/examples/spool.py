"""Where the examples of a large write wait, checked, until they are stored: in memory while they are few."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Generic, TypeVar

import msgspec

from stenograph.errors import StoreUnavailable

Item = TypeVar("Item", bound=msgspec.Struct)

IN_MEMORY: Final = 8 << 20
"""Bytes; beyond them a temporary file takes over."""

_LENGTH: Final = struct.Struct("<Q")
_encode = msgspec.msgpack.Encoder().encode


class ExampleSpool(Generic[Item]):
    """Keeps values of one kind in their order; iterating starts from the first each time. A context manager."""

    def __init__(self, kind: type[Item]) -> None:
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  `__exit__` closes it
        self._size = 0

    def __enter__(self) -> ExampleSpool[Item]:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def on_disk(self) -> bool:
        return self._size > IN_MEMORY

    def add(self, item: Item) -> None:
        """StoreUnavailable when the disk is full."""
        packed = _encode(item)
        self._size += _LENGTH.size + len(packed)
        try:
            if self.on_disk:
                self._file.rollover()  # before it is written: memory would hold a huge one twice
            self._file.write(_LENGTH.pack(len(packed)))
            self._file.write(packed)
        except OSError as error:
            raise StoreUnavailable(f"examples cannot be kept on disk: {error.strerror}") from error

    def __iter__(self) -> Iterator[Item]:
        self._file.seek(0)
        while length := self._file.read(_LENGTH.size):
            yield self._decode(self._file.read(_LENGTH.unpack(length)[0]))
