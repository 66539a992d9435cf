"""How long the regular expressions of JSON Schemas may take.

The engine is linear in the text for all patterns but those with lookaround or back references, which get a bound
on their steps. Linear can still be slow: the constant grows with the compiled size. So patterns are graded.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeAlias

import jsonschema_rs

Options: TypeAlias = "jsonschema_rs.RegexOptions | jsonschema_rs.FancyRegexOptions"

_LARGEST_LINEAR: Final = 1 << 18
_LARGEST: Final = 1 << 20
_BACKTRACKS: Final = 10_000
"""Steps for one text; a text that needs more counts as one that does not match."""

LINEAR: Final = jsonschema_rs.RegexOptions(size_limit=_LARGEST_LINEAR)
BACKTRACKING: Final = jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKS, size_limit=_LARGEST)

_GRADES: Final[tuple[tuple[int, Options], ...]] = (
    (1, jsonschema_rs.RegexOptions(size_limit=1 << 14)),
    (4, jsonschema_rs.RegexOptions(size_limit=1 << 16)),
    (16, LINEAR),
    (64, BACKTRACKING),
)
LINEAR_WEIGHT: Final = 16
"""Patterns up to this weight do without backtracking."""


@lru_cache(maxsize=1024)
def weight(pattern: str) -> int | None:
    """Relative cost for each character of text, 1 to 64; None for what no engine takes.

    One unit is 2 microseconds for the worst text and pattern that were found, and some nanoseconds as a rule.
    """
    for grade, options in _GRADES:
        try:
            jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=options, offline=True)
        except (ValueError, jsonschema_rs.ReferencingError):
            continue
        return grade
    return None
