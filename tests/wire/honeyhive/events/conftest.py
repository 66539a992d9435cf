"""Events of every client, written once for all tests that read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Server
from tests.wire.honeyhive.events.corpus import Corpus, corpus


@pytest.fixture(scope="session")
def written(server: Server, issue_key: Callable[..., str]) -> Iterator[Corpus]:
    with corpus(server.url, issue_key("corpus")) as made:
        yield made
