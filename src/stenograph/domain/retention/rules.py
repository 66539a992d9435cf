"""Asking for traces to be deleted by age: what holds, and what would go. Callers check the permission."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from stenograph.domain.retention.old_traces import OldTraces
from stenograph.errors import Invalid, NotFound
from stenograph.model.retention import (
    LONG_DAYS,
    MAX_DAYS,
    SHORT_DAYS,
    OwnRetention,
    Retention,
    Round,
    Tier,
    limits,
)
from stenograph.model.runs import Micros, Run
from stenograph.store.api import MetaStore

_AT_ONCE: Final = 100_000
"""Traces that are counted together."""


class Going(NamedTuple):
    """What would be deleted."""

    traces: int
    runs: int


class Rules:
    """Of one workspace at a time. `changed` is called when something else may be due."""

    def __init__(
        self,
        meta: MetaStore,
        old: OldTraces,
        changed: Callable[[], None],
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._retention = meta.retention
        self._old = old
        self._changed = changed
        self._clock = clock

    # -- reading -------------------------------------------------------------------------------------------

    async def read(self, workspace: UUID) -> Retention | None:
        """None where nobody has asked: then everything is kept."""
        return await self._retention.read(workspace)

    async def owns(self, workspace: UUID) -> list[OwnRetention]:
        """Projects that say something themselves, and experiments."""
        return await self._retention.owns(workspace)

    async def last_round(self, workspace: UUID) -> Round | None:
        return await self._retention.last_round(workspace)

    async def preview(self, draft: Retention, own: OwnRetention | None = None) -> Going:
        """What would be deleted now if the workspace asked for this; with `own` also what that project says then.

        Invalid for days that the project cannot have.
        """
        owns = {each.project: each for each in await self._retention.owns(draft.workspace)}
        if own is not None:
            _check_days(own.long_days, "days")
            former = owns.get(own.project)
            experiment = former is not None and former.experiment
            owns[own.project] = msgspec.structs.replace(own, experiment=experiment)
        traces = runs = 0
        async for page in self._old.pages(draft, owns.values(), self._now(), size=_AT_ONCE):
            traces += len(page.traces)
            runs += sum(each.runs for each in page.traces)
        return Going(traces, runs)

    async def tiers(self, workspace: UUID, runs: Sequence[Run]) -> Mapping[UUID, Tier]:
        """By trace, what LangSmith calls its tier: the long one where it was judged, or is kept for ever."""
        asked = await self._retention.read(workspace) if runs else None
        tiers = {run.trace_id: Tier.LONG for run in runs}
        if asked is None:
            return tiers
        owns = {each.project: each for each in await self._retention.owns(workspace)}
        short = {run.trace_id for run in runs if _is_short(asked, owns.get(run.project_id))}
        claimed = await self._old.claimed(workspace, sorted(short))
        return tiers | dict.fromkeys(short - claimed, Tier.SHORT)

    # -- asking --------------------------------------------------------------------------------------------

    def drafted(self, workspace: UUID, short: int | None, long: int | None, tier: Tier) -> Retention:
        """What somebody may ask for. Invalid for days that mean nothing, alone or together."""
        _check_days(short, "short")
        _check_days(long, "long")
        if short is not None and long is not None and long < short:
            raise Invalid("Judged traces cannot be kept for a shorter time than others.", ("long",))
        if short is None and long is not None and tier is Tier.SHORT:
            raise Invalid("Where all traces are kept for ever, judged ones are, too.", ("long",))
        now = self._now()
        return Retention(
            workspace=workspace, short_days=short, long_days=long, tier=tier, created_at=now, updated_at=now
        )

    async def ask(self, draft: Retention) -> Retention:
        """Have it hold from now on."""
        asked = await self._retention.ask(draft)
        self._changed()
        return asked

    async def prefer(self, workspace: UUID, tier: Tier, *, everywhere: bool) -> Retention:
        """LangSmith's: the tier of projects that name none, or `everywhere` of all that are not experiments.

        Where nobody has said how many days they are, the tiers are LangSmith's own 14 and 400.
        """
        asked = await self._retention.read(workspace)
        short, long = (None, None) if asked is None else (asked.short_days, asked.long_days)
        if short is None:
            short = SHORT_DAYS if long is None else min(SHORT_DAYS, long)
            long = LONG_DAYS if long is None else long
        now = self._now()
        if everywhere:
            await self._retention.all_projects(workspace, tier, now)
        return await self.ask(
            Retention(
                workspace=workspace,
                short_days=short,
                long_days=long,
                tier=tier,
                created_at=now,
                updated_at=now,
            )
        )

    async def keep_judged(self, workspace: UUID, days: int) -> Retention:
        """LangSmith's: how long the long tier is."""
        _check_days(days, "longlived_ttl_days")
        asked = await self._retention.read(workspace)
        if asked is not None and asked.short_days is not None and days < asked.short_days:
            raise Invalid(
                f"longlived_ttl_days is at least the {asked.short_days} days of the short tier.",
                ("longlived_ttl_days",),
            )
        now = self._now()
        draft = asked or Retention(workspace=workspace, created_at=now)
        return await self.ask(msgspec.structs.replace(draft, long_days=days, updated_at=now))

    async def say(self, workspace: UUID, project: UUID, tier: Tier | None, days: int | None) -> None:
        """Have a project say this, and the workspace count as one that has asked. NotFound when there is none."""
        _check_days(days, "days")
        now = self._now()
        if not await self._retention.own(workspace, project, tier, days, now):
            raise NotFound(f"There is no project {project}.")
        asked = await self._retention.read(workspace) or Retention(workspace=workspace, created_at=now)
        await self.ask(msgspec.structs.replace(asked, updated_at=now))

    def _now(self) -> Micros:
        return self._clock() // 1000


def _is_short(asked: Retention, own: OwnRetention | None) -> bool:
    if own is not None and own.experiment and own.silent:
        return False
    tier = asked.tier if own is None or own.tier is None else own.tier
    return tier is Tier.SHORT and limits(asked, own).plain is not None


def _check_days(days: int | None, field: str) -> None:
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise Invalid(f"{field} is 1 to {MAX_DAYS} days.", (field,))
