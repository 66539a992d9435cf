"""Which run ids the run store may hold: a Bloom filter, so that a new run costs no look-up there.

A late update, a repeated create or a replay after a crash has to be merged with the stored row; everything else,
nearly all of the traffic, must not pay for that question. "No" is certain; "maybe" is wrong about once in
100,000 and then costs one look-up. 3 bytes an id: 1,000,000 runs take 3 MB.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_BITS_AN_ID: Final = 24
_PROBES: Final = 10
_FIRST_CAPACITY: Final = 1 << 18
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_HIGH: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_LOW: Final = np.uint64(0x94D049BB133111EB)


class _Layer:
    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.count = 0
        self.size = np.uint64(capacity * _BITS_AN_ID)
        self.bits = np.zeros(capacity * _BITS_AN_ID // 8 + 1, dtype=np.uint8)

    def places(self, hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
        steps = np.arange(_PROBES, dtype=np.uint64)
        places: NDArray[np.uint64] = (hashes[:, :1] + steps * hashes[:, 1:]) % self.size
        return places

    def holds(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        places = self.places(hashes)
        found = self.bits[places >> np.uint64(3)] >> (places & np.uint64(7)).astype(np.uint8) & 1
        held: NDArray[np.bool_] = found.all(axis=1)
        return held

    def holds_one(self, first: int, step: int) -> bool:
        """The same for a single id: NumPy's calls would cost ten times what they do."""
        size, bits = int(self.size), self.bits.data
        for probe in range(_PROBES):
            place = (first + probe * step) % size
            if not bits[place >> 3] >> (place & 7) & 1:
                return False
        return True

    def add(self, hashes: NDArray[np.uint64]) -> None:
        places = self.places(hashes).ravel()
        masks = np.left_shift(np.uint8(1), (places & np.uint64(7)).astype(np.uint8))
        np.bitwise_or.at(self.bits, places >> np.uint64(3), masks)
        self.count += len(hashes)


def _hashes(ids: Sequence[int]) -> NDArray[np.uint64]:
    """Two numbers an id, the second odd so that its multiples spread. Ids may be anything, counted ones too."""
    halves = np.frombuffer(b"".join([value.to_bytes(16, "big") for value in ids]), ">u8").astype(np.uint64)
    first = _mixed(halves[0::2] ^ _mixed(halves[1::2]))
    second = _mixed(first + _GOLDEN)
    return np.stack([first >> np.uint64(1), second >> np.uint64(20) | np.uint64(1)], axis=1)


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's last step: every bit of the input reaches every bit of the result (Steele and others, 2014)."""
    value = (value ^ value >> np.uint64(30)) * _MIX_HIGH
    value = (value ^ value >> np.uint64(27)) * _MIX_LOW
    return value ^ value >> np.uint64(31)


_WORD: Final = (1 << 64) - 1


def _hash_of(number: int) -> tuple[int, int]:
    """What `_hashes` says of one id."""
    first = _mixed_one(number >> 64 ^ _mixed_one(number & _WORD))
    second = _mixed_one(first + int(_GOLDEN) & _WORD)
    return first >> 1, second >> 20 | 1


def _mixed_one(value: int) -> int:
    value = (value ^ value >> 30) * int(_MIX_HIGH) & _WORD
    value = (value ^ value >> 27) * int(_MIX_LOW) & _WORD
    return value ^ value >> 31


class SeenIds:
    """Grows by adding layers, each twice the last. Until `ready`, every answer is "maybe".

    Ids may be added from several threads: two that set bits of one byte at once would lose one of them, and a
    lost bit is a wrong "no".
    """

    def __init__(self) -> None:
        self._adding = threading.Lock()
        self._layers = [_Layer(_FIRST_CAPACITY)]
        self.ready = False

    def add(self, ids: Sequence[int]) -> None:
        """Remember these ids (128-bit integers)."""
        for start in range(0, len(ids), 65536):
            hashes = _hashes(ids[start : start + 65536])
            with self._adding:
                if self._layers[-1].count + len(hashes) > self._layers[-1].capacity:
                    self._layers.append(_Layer(self._layers[-1].capacity * 2))
                self._layers[-1].add(hashes)

    def maybe(self, ids: Sequence[int]) -> list[bool]:
        """For each id, whether the store may hold it."""
        if not self.ready or not ids:
            return [True] * len(ids)
        if len(ids) == 1:
            one = _hash_of(ids[0])
            return [any(layer.holds_one(*one) for layer in self._layers)]
        hashes = _hashes(ids)
        found = self._layers[0].holds(hashes)
        for layer in self._layers[1:]:
            found |= layer.holds(hashes)
        return [bool(maybe) for maybe in found]
