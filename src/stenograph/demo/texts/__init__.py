"""Words, as TOML: whoever writes more conversations needs no Python."""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import Any


@functools.cache
def read(name: str) -> dict[str, Any]:
    """The file of that name, without its ending."""
    return tomllib.loads(resources.files(__name__).joinpath(f"{name}.toml").read_text("utf-8"))
