"""How values of settings are read, and how they are told: sizes, hosts, addresses, URLs of stores.

What does not read is a ValueError that says what is allowed.
"""

from __future__ import annotations

import ipaddress
import math
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

KiB = 1024
MiB = 1024 * KiB
GiB = 1024 * MiB

_UNITS: dict[str, int] = {"": 1, "b": 1} | {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("kmgt", start=1)
    for suffix, base in (("ib", 1024), ("b", 1000))
}
_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*([A-Za-z]*)")


def parse_bytes(value: object) -> int:
    """`1048576`, `512KiB`, `1.5 GiB` or `100MB` as a whole number of bytes; anything else is a ValueError.

    A bare K, M or G is refused: half of all tools mean 1000 by it, the other half 1024.
    """
    match = _SIZE.fullmatch(str(value).strip()) if isinstance(value, int | str) else None
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None or isinstance(value, bool):
        raise ValueError("should be a number of bytes, such as 1048576, 512KiB, 100MB or 4GiB")
    return int(match[1]) * unit if match[1].isdigit() else math.floor(float(match[1]) * unit)


def format_bytes(count: float) -> str:
    """The shortest exact text in binary units, else one decimal: `512MiB`, `1.4GiB`, `17B`."""
    for name, unit in (("TiB", 1024 * GiB), ("GiB", GiB), ("MiB", MiB), ("KiB", KiB)):
        if count >= unit:
            whole, rest = divmod(count, unit)
            return f"{whole:.0f}{name}" if rest == 0 else f"{count / unit:.1f}{name}"
    return f"{count:.0f}B"


def redact_url(url: str) -> str:
    """The same URL with its password and its query hidden: both may hold secrets, and URLs end up in logs."""
    url = re.sub(r"(?<=://)([^/@]*):[^/]*@", r"\1:***@", url)
    return re.sub(r"\?.*", "?***", url)


def _absolute(value: Path) -> Path:
    return value.expanduser().absolute()


def _host(value: str) -> str:
    value = value.strip().removeprefix("[").removesuffix("]")
    if not value or any(mark in value for mark in "/@ \t") or (":" in value and not is_address(value)):
        raise ValueError(
            "should be a host name or an address without a port, such as 127.0.0.1, ::1 or 0.0.0.0"
        )
    return value


def is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def store_url(*examples: str) -> AfterValidator:
    schemes = tuple(example.split(":", 1)[0] for example in examples)

    def check(value: str) -> str:
        # `sqlite:///x` and `postgresql+psycopg://x`: what follows the plus is a driver.
        scheme, found, rest = value.partition("://")
        local = f"{scheme}:///" in "".join(examples)
        if value and (not found or scheme.split("+")[0] not in schemes or (local and rest[:1] != "/")):
            raise ValueError(f"should be empty or a URL such as {' or '.join(examples)}")
        return value

    return AfterValidator(check)


def _plain(value: str) -> str:
    if not re.fullmatch(r"[\w.:-]{0,64}", value):
        raise ValueError("should be a word of at most 64 letters, digits and . : _ -")
    return value


def _public_url(value: str) -> str:
    if value:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("should be empty or an address such as https://traces.example.com")
    return value.rstrip("/")


def _hosts(value: str) -> str:
    for each in filter(None, map(str.strip, value.split(","))):
        host, mark, port = each.rpartition(":")
        if not mark or not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError("should be hosts with their ports, such as localhost:8000, api.internal:443")
    return value


Bytes = Annotated[int, BeforeValidator(parse_bytes)]
Folder = Annotated[Path, AfterValidator(_absolute)]
Host = Annotated[str, AfterValidator(_host)]
Hosts = Annotated[str, AfterValidator(_hosts)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
Word = Annotated[str, AfterValidator(_plain)]
