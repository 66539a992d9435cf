"""A dataset of twenty questions for each test."""

from __future__ import annotations

import httpx
import pytest
from langsmith import Client

from tests.wire.langsmith.evaluation.questions import Questions, questions


@pytest.fixture
def asked(client: Client, http: httpx.Client) -> Questions:
    return questions(client, http)
