"""Feedback that is there already."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from tests.wire.langsmith.feedback.giving import give


@pytest.fixture
def given(http: httpx.Client, key: str) -> dict[str, Any]:
    return give(
        http,
        key=key,
        run_id=str(uuid.uuid4()),
        score=True,
        value={"a": 1},
        comment="as it was",
        correction="better",
        extra={"kept": 1},
    )
