"""The JSON Schemas that this server publishes, for datasets to refer to: an OpenAI chat message and a tool.

They are written here, after the public description of OpenAI's chat completions. None has an `$id`: each is
served at whatever address a deployment has.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any, Final

import msgspec

_FOLDER: Final = files("stenograph").joinpath("schemas")

PUBLISHED: Final[dict[tuple[str, str], bytes]] = {
    (version, name): _FOLDER.joinpath(version, f"{name}.json").read_bytes()
    for version, name in (("v1", "message"), ("v1", "tooldef"))
}
"""By version and name."""

_DOCUMENTS: Final[dict[tuple[str, str], dict[str, Any]]] = {
    key: msgspec.json.decode(text, type=dict[str, Any]) for key, text in PUBLISHED.items()
}
_ADDRESS: Final = re.compile(r"[^?#]*/public/schemas/([^/?#]+)/([^/?#]+)\.json")


def published_at(address: str) -> dict[str, Any] | None:
    """The published schema that an address without fragment means, whichever host and prefix it names.

    Schemas are copied between deployments, and none is ever fetched. The result must not be changed.
    """
    found = _ADDRESS.fullmatch(address)
    return None if found is None else _DOCUMENTS.get((found[1], found[2]))
