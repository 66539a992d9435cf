"""What Julep's clients may ask for and this version does not offer: said in a sentence, not with a bare 404.

docs/not-yet.md lists the same; a test compares them.
"""

from __future__ import annotations

import re
from typing import Final

_TASKS: Final = "Tasks and executions are not offered: agents talk here, and run no workflows."

LATER: Final[dict[str, str]] = {
    r"/(agents/[^/]+/)?tasks": _TASKS,
    r"/executions": _TASKS,
    r"/responses": "The responses API is not offered.",
}
"""The start of a path, as a pattern, and what to say."""

_PATTERNS: Final = [(re.compile(f"{start}(?:/|$)"), why) for start, why in LATER.items()]


def reason(path: str) -> str | None:
    """Why a path that is known is not served; None for one that nobody knows."""
    return next((why for pattern, why in _PATTERNS if pattern.match(path)), None)
