"""How long traces are kept: a part of the metadata seam."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from stenograph.model.retention import OwnRetention, Queued, Retention, Round, Tier
from stenograph.model.runs import Micros


class RetentionStore(Protocol):
    """What workspaces and projects ask for, and what was done about it last."""

    async def read(self, workspace: UUID) -> Retention | None:
        """None where nobody has asked."""

    async def all(self) -> list[Retention]:
        """Of every workspace that has asked, by its id. For the server itself."""

    async def ask(self, retention: Retention) -> Retention:
        """Put it in the place of what the workspace asked for before; as stored: the first `created_at` stays.

        From the first time on rounds are noted, as if one had just ended; each time they look to the moment that
        `updated_at` says.
        """

    async def owns(self, workspace: UUID) -> list[OwnRetention]:
        """Of the projects that say something themselves, and of all experiments; by name."""

    async def own(
        self, workspace: UUID, project_id: UUID, tier: Tier | None, long_days: int | None, at: Micros
    ) -> bool:
        """Have a project say this from now on, and nothing for None. Whether there is one."""

    async def all_projects(self, workspace: UUID, tier: Tier, at: Micros) -> None:
        """Have all projects but experiments say this tier; their own days stay."""

    async def last_round(self, workspace: UUID) -> Round | None:
        """None where nobody has asked."""

    async def note(self, workspace: UUID, done: Round) -> None:
        """Nothing where nobody has asked."""

    async def queued(self, workspace: UUID, since: Micros = 0) -> Queued:
        """What is in annotation queues by items that were added since then and keep their traces, in no order."""
