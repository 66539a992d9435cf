"""A whole trace at a glance, by column: of 100,000 runs, values by row would take longer than all the rest."""

from __future__ import annotations

from dataclasses import dataclass, field

from stenograph.model.runs import Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The runs of one trace, oldest first; every column has a value a run.

    Ids are the 16 bytes of a uuid. `parents` are as clients stated them, whether or not such a run is there. `took` is
    None for what has not ended. Tokens and costs, in dollars, are each run's own.
    """

    ids: list[bytes] = field(default_factory=list)
    parents: list[bytes | None] = field(default_factory=list)
    projects: list[bytes] = field(default_factory=list)
    names: list[bytes] = field(default_factory=list)
    types: list[bytes] = field(default_factory=list)
    statuses: list[bytes] = field(default_factory=list)
    starts: list[Micros] = field(default_factory=list)
    took: list[Micros | None] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    costs: list[float | None] = field(default_factory=list)
