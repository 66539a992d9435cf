"""Files of models in the ONNX format, as far as this program needs them: weights read out of one, a graph written.

ONNX is Protocol Buffers; the numbers of the fields are those of onnx.proto3 (IR version 10). The runtime reads such
files but gives no weights out of them, and the library that does is as large as the runtime.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

IR_VERSION: Final = 10
MICROSOFT: Final = "com.microsoft"
"""The runtime's own operators: several of the standard's in one."""

_KINDS: Final = {1: "<f4", 2: "|u1", 3: "|i1", 6: "<i4", 7: "<i8", 9: "|b1"}
_NUMBERS: Final = {kind: number for number, kind in _KINDS.items()}


# -- reading ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Node:
    operator: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """The tensors of a model by name, and its nodes in their order. Tensors share the file's memory."""

    tensors: Mapping[str, Array]
    nodes: tuple[Node, ...]


def read_weights(file: bytes) -> Weights:
    """ValueError or IndexError for what is no such file."""
    tensors: dict[str, Array] = {}
    nodes: list[Node] = []
    for number, value in _fields(memoryview(file)):
        if number != 7 or not isinstance(value, memoryview):
            continue
        for place, part in _fields(value):
            if place == 1 and isinstance(part, memoryview):
                nodes.append(_node(part))
            elif place == 5 and isinstance(part, memoryview):
                name, tensor = _tensor(part)
                tensors[name] = tensor
    return Weights(tensors, tuple(nodes))


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Field numbers with their values: numbers, or bytes."""
    at = 0
    while at < len(data):
        tag, at = _number(data, at)
        match tag & 7:
            case 0:
                value, at = _number(data, at)
                yield tag >> 3, value
            case 2:
                size, at = _number(data, at)
                yield tag >> 3, data[at : at + size]
                at += size
            case 1 | 5 as wire:
                size = 8 if wire == 1 else 4
                yield tag >> 3, data[at : at + size]
                at += size
            case other:
                raise ValueError(f"no such kind of field: {other}")


def _number(data: memoryview, at: int) -> tuple[int, int]:
    found, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        found |= (byte & 127) << shift
        if byte < 128:
            return found, at
        shift += 7


def _node(data: memoryview) -> Node:
    operator, inputs = "", []
    for number, value in _fields(data):
        if number == 1 and isinstance(value, memoryview):
            inputs.append(bytes(value).decode())
        elif number == 4 and isinstance(value, memoryview):
            operator = bytes(value).decode()
    return Node(operator, tuple(inputs))


def _tensor(data: memoryview) -> tuple[str, Array]:
    """Tensors that keep their numbers as raw data; others come empty."""
    name, kind, raw = "", 1, memoryview(b"")
    shape: list[int] = []
    for number, value in _fields(data):
        if number == 1:
            shape += _numbers(value) if isinstance(value, memoryview) else [value]
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number == 8 and isinstance(value, memoryview):
            name = bytes(value).decode()
        elif number == 9 and isinstance(value, memoryview):
            raw = value
    found = np.frombuffer(raw, _KINDS.get(kind, "|u1"))
    return name, found.reshape(shape) if len(raw) else found


def _numbers(data: memoryview) -> list[int]:
    at, found = 0, []
    while at < len(data):
        number, at = _number(data, at)
        found.append(number)
    return found


# -- writing ---------------------------------------------------------------------------------------------


@dataclass
class Graph:
    """A graph while it is put together: each method returns the name of what it adds."""

    _parts: list[bytes] = field(default_factory=list)
    _count: int = 0

    def tensor(self, numbers: Array) -> str:
        name = self._name("t")
        kind = numbers.dtype.str
        parts = [_as_number(1, size) for size in numbers.shape]
        parts += [_as_number(2, _NUMBERS[kind]), _as_text(8, name), _as_bytes(9, numbers.tobytes())]
        self._parts.append(_as_bytes(5, b"".join(parts)))
        return name

    def apply(self, operator: str, *inputs: str, domain: str = "", **attributes: int | float) -> str:
        """One node with one result. An input that is left out is an empty name."""
        return self.split(operator, 1, *inputs, domain=domain, **attributes)[0]

    def split(
        self, operator: str, results: int, *inputs: str, domain: str = "", **attributes: int | float
    ) -> list[str]:
        """One node with several results."""
        names = [self._name("r") for _ in range(results)]
        parts = [_as_text(1, each) for each in inputs] + [_as_text(2, each) for each in names]
        parts += [_as_text(4, operator), _as_text(7, domain)]
        parts += [_as_bytes(5, _attribute(name, value)) for name, value in attributes.items()]
        self._parts.append(_as_bytes(1, b"".join(parts)))
        return names

    def file(self, inputs: Mapping[str, tuple[str, int]], output: str) -> bytes:
        """The model. `inputs` have the kind of their numbers and how many dimensions there are, of any size; the
        output is of floats."""
        graph = [*self._parts, _as_text(2, "graph")]
        graph += [_as_bytes(11, _value(name, kind, size)) for name, (kind, size) in inputs.items()]
        graph += [_as_bytes(12, _value(output, "<f4", None))]
        versions: Sequence[tuple[str, int]] = (("", 18), (MICROSOFT, 1))
        model = [_as_number(1, IR_VERSION), _as_bytes(7, b"".join(graph))]
        model += [_as_bytes(8, _as_text(1, domain) + _as_number(2, number)) for domain, number in versions]
        return b"".join(model)

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count}"


def _attribute(name: str, value: int | float) -> bytes:
    if isinstance(value, float):
        return _as_text(1, name) + _tag(2, 5) + struct.pack("<f", value) + _as_number(20, 1)
    return _as_text(1, name) + _as_number(3, value) + _as_number(20, 2)


def _value(name: str, kind: str, dimensions: int | None) -> bytes:
    tensor = _as_number(1, _NUMBERS[kind])
    if dimensions is not None:
        tensor += _as_bytes(2, b"".join(_as_bytes(1, _as_text(2, f"d{at}")) for at in range(dimensions)))
    return _as_text(1, name) + _as_bytes(2, _as_bytes(1, tensor))


def _tag(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1  # negative ones are two's complement
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def _as_number(number: int, value: int) -> bytes:
    return _tag(number, 0) + _varint(value)


def _as_bytes(number: int, value: bytes) -> bytes:
    return _tag(number, 2) + _varint(len(value)) + value


def _as_text(number: int, value: str) -> bytes:
    return _as_bytes(number, value.encode())
