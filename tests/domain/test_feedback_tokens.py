"""When a feedback token stops being one. A clock stands in for waiting."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from stenograph.domain.feedback.configs import FeedbackConfigs
from stenograph.domain.feedback.tokens import FeedbackTokens
from stenograph.errors import NotFound
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.feedback_setup import FeedbackToken
from stenograph.store.meta.database import open_meta

SECOND = 1_000_000


def test_a_token_expires(tmp_path: Path) -> None:
    now = 1_700_000_000 * SECOND

    async def work() -> None:
        nonlocal now
        meta = await open_meta(f"sqlite:///{tmp_path / 'meta.db'}")
        tokens = FeedbackTokens(meta, FeedbackConfigs(meta), clock=lambda: now * 1000)
        token = FeedbackToken(
            id=uuid4(),
            workspace=DEFAULT_WORKSPACE,
            run_id=uuid4(),
            key="thumbs",
            expires_at=now + 60 * SECOND,
            created_at=now,
        )
        await tokens.issue([token])
        now += 59 * SECOND
        assert await tokens.redeem(token.id) == token
        assert await tokens.redeem(token.id) == token
        now += SECOND
        with pytest.raises(NotFound, match="not found: it has expired"):
            await tokens.redeem(token.id)
        assert await tokens.page(DEFAULT_WORKSPACE, token.run_id) == [token]
        await meta.close()

    asyncio.run(work())
