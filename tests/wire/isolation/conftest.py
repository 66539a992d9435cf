"""The server with two workspaces that this room's tests share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from stenograph.model.access import Role
from tests.conftest import Server
from tests.wire.isolation.house import House, two_workspaces


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("isolation") / "data"
    folder.mkdir()
    keys, workspace = asyncio.run(two_workspaces(folder))
    server = Server(folder, options=("--auth", "keys")).start()
    with httpx.Client(base_url=server.url, timeout=60) as http:
        yield House(server, http, keys["owner"], keys["stranger"][Role.ADMIN], workspace)
    assert server.stop() == 0, server.log[-4000:]
