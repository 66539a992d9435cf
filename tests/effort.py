"""How much the tests try: a share of their random examples and of their kills, so that a whole run stays short.

`STENOGRAPH_TEST_EFFORT=1 make test` tries all of it, 10 ten times as much; without it a quarter is tried.
"""

from __future__ import annotations

import math
import os
from typing import Final

EFFORT: Final = float(os.environ.get("STENOGRAPH_TEST_EFFORT", "") or 0.25)


def tries(whole: int) -> int:
    """This share of so many, and at least five of them."""
    return max(min(whole, 5), math.ceil(whole * EFFORT))
