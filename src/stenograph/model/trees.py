"""A whole trace at a glance, by column: of 100,000 runs, values by row would take longer than all the rest.

Columns are numpy's arrays, which the engine's answer is laid out as already. Ids are 16 bytes, as `S16`: zeros at the
end of one are not lost in the array, only in what is taken out of it one by one, so that `at` is there for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.bytes_]
Numbers = npt.NDArray[np.int64]

NO_PARENT: Final = -1
MISSING: Final = -2
"""A parent that is stated, and not among the runs."""


@dataclass(frozen=True, slots=True)
class Coded:
    """Texts of which there are few: the different ones, and for each run where its own stands among them."""

    texts: tuple[bytes, ...]
    places: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The runs of one trace, oldest first; every column has a value a run.

    `above` is where a run's parent stands among them, NO_PARENT or MISSING. `took` is -1 for what has not ended.
    Tokens and costs, in dollars, are each run's own, zero for none.
    """

    ids: Ids
    above: Numbers
    projects: Ids
    names: Coded
    types: Coded
    statuses: Coded
    starts: Numbers
    took: Numbers
    tokens: Numbers
    costs: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)

    def place(self, run: UUID) -> int | None:
        """Where a run stands."""
        found = np.flatnonzero(self.ids == np.frombuffer(run.bytes, "S16"))
        return int(found[0]) if len(found) else None


def at(ids: Ids, place: int) -> UUID:
    """One id of a column."""
    return UUID(bytes=ids[place : place + 1].tobytes())


def above(ids: Ids, parents: Ids) -> Numbers:
    """Where each parent stands among `ids`; a parent of zeros is none."""
    if len(ids) == 0:
        return np.zeros(0, np.int64)
    order = np.argsort(ids, kind="stable")
    ranked = ids[order]
    found = np.minimum(np.searchsorted(ranked, parents), len(ids) - 1)
    places: npt.NDArray[Any] = np.where(ranked[found] == parents, order[found], MISSING)
    places[parents == b""] = NO_PARENT
    return places.astype(np.int64)
