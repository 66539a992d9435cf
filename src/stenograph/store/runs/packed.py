"""Answers of the engine as numpy's arrays: where a hundred thousand values by themselves would take a second to make.

For plain columns alone: numbers, texts of one length, and LowCardinality texts, which stay a dictionary and places.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from stenograph.model.trees import Coded
from stenograph.store.runs.native import Reader

Column = npt.NDArray[Any] | Coded

_NUMBERS = {"UInt64": "<u8", "Int64": "<i8", "Float64": "<f8", "UInt8": "u1"}
_PLACES = ("u1", "<u2", "<u4", "<u8")


class PackedReader(Reader):
    """Reads a result in Native format: `arrays()` gives every column as one array, all blocks joined."""

    def arrays(self) -> dict[str, Column]:
        """Column name to its values. Empty results have no columns."""
        found: dict[str, list[Column]] = {}
        for name, kind, rows in self._headings():
            found.setdefault(name, []).append(self._column(kind, rows))
        return {name: _joined(parts) for name, parts in found.items()}

    def _column(self, kind: str, rows: int) -> Column:
        if kind == "LowCardinality(String)":
            return self._coded(rows)
        if kind.startswith("FixedString("):
            width = int(kind[len("FixedString(") : -1])
            return np.frombuffer(self._take(rows * width), f"S{width}")
        if kind not in _NUMBERS:
            raise ValueError(f"cannot read a column of type {kind} as an array")
        return self._numbers(_NUMBERS[kind], rows)

    def _numbers(self, dtype: str, rows: int) -> npt.NDArray[Any]:
        return np.frombuffer(self._take(rows * np.dtype(dtype).itemsize), dtype)

    def _coded(self, rows: int) -> Coded:
        if rows == 0:
            return Coded((), np.zeros(0, np.int64))
        width = int(self._numbers("<u8", 1)[0]) & 0xFF
        texts = self._texts("", int(self._numbers("<u8", 1)[0]))
        places = self._numbers(_PLACES[width], int(self._numbers("<u8", 1)[0]))
        return Coded(tuple(texts), places.astype(np.int64))


def _joined(parts: list[Column]) -> Column:
    arrays = [part for part in parts if not isinstance(part, Coded)]
    if arrays:
        return np.concatenate(arrays)
    known: dict[bytes, int] = {}
    places = []
    for part in parts:
        assert isinstance(part, Coded)
        used = np.bincount(part.places, minlength=len(part.texts)) > 0
        own = [
            known.setdefault(text, len(known)) if is_used else 0
            for text, is_used in zip(part.texts, used, strict=True)
        ]
        places.append(np.array(own, np.int64)[part.places] if own else part.places)
    return Coded(tuple(known), np.concatenate(places))
