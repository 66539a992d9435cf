"""Who words the reports of a workspace: its own model or the operator's, what that will cost, and asking it."""

from __future__ import annotations

import asyncio
import time
from typing import Final
from uuid import UUID

import msgspec

from stenograph.domain.chat.providers import Providers
from stenograph.domain.conversations.secrets import Secrets
from stenograph.domain.insights.describing import estimates
from stenograph.domain.insights.describing.asking import KEPT_DAYS, Asker, Pen
from stenograph.domain.insights.describing.questions import Wording
from stenograph.domain.usage.prices import PriceBook
from stenograph.errors import Invalid, ModelRefused, StoreUnavailable
from stenograph.llm.client import Models
from stenograph.llm.endpoint import OPENAI, Endpoint
from stenograph.model.insights import InsightJob, ModelPlan, ModelUse, ReportRequest
from stenograph.settings import Settings
from stenograph.store.api import MetaStore

ANTHROPIC: Final = "https://api.anthropic.com/v1"
ANTHROPIC_KEY: Final = "ANTHROPIC_API_KEY"
_USUAL: Final = {OPENAI: "gpt-4.1-mini", ANTHROPIC: "claude-haiku-4-5"}
"""Small models of the two providers that clients name without a model."""

OFF: Final = "reports ask no model on this server: STENOGRAPH_INSIGHTS_MODELS is off"
NOT_WANTED: Final = "the budget of this report is 0 tokens"
NO_NAME: Final = (
    "no model is named: send cluster_model or summary_model, or set STENOGRAPH_INSIGHTS_MODEL "
    "or STENOGRAPH_LLM_MODEL"
)
NO_PEN: Final = (Invalid, StoreUnavailable)
"""Why a report is made without a model: there is none, or a secret of the workspace is no address, or does not open."""

_DAY: Final = 86_400_000_000


class Writers:
    """One a server."""

    def __init__(
        self,
        meta: MetaStore,
        models: Models,
        providers: Providers,
        secrets: Secrets,
        prices: PriceBook,
        settings: Settings,
    ) -> None:
        self._store = meta.insight_answers
        self._models = models
        self._providers = providers
        self._secrets = secrets
        self._prices = prices
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.insights_concurrency)

    def budget(self, request: ReportRequest) -> int:
        """The tokens that a report may take. Invalid for more than the server allows."""
        most, wanted = self._settings.insights_token_budget, request.token_budget
        if wanted is not None and not 0 <= wanted <= most:
            raise Invalid(
                f"a report may take 0 to {most:,} tokens here (STENOGRAPH_INSIGHTS_TOKEN_BUDGET)",
                ("token_budget",),
            )
        return most if wanted is None else wanted

    async def pen(self, workspace: UUID, request: ReportRequest) -> Pen:
        """What a report of this workspace is written with. ModelRefused, saying why, when it is made without."""
        budget = min(self.budget(msgspec.structs.replace(request, token_budget=None)), _wanted(request))
        if self._settings.insights_models == "off":
            raise ModelRefused(OFF)
        if not budget:
            raise ModelRefused(NOT_WANTED)
        endpoint = await self._endpoint(workspace, request.provider)
        usual = self._usual(endpoint)
        cluster = request.cluster_model or request.summary_model or usual
        summary = request.summary_model or request.cluster_model or usual
        if not cluster or not summary:
            raise ModelRefused(NO_NAME)
        return Pen(endpoint, summary, cluster, budget)

    async def _endpoint(self, workspace: UUID, provider: str) -> Endpoint:
        if provider == "anthropic":
            key = await self._secrets.reveal(workspace, ANTHROPIC_KEY)
            if key:
                return Endpoint(ANTHROPIC, key)
        return await self._providers.endpoint(workspace)

    def _usual(self, endpoint: Endpoint) -> str:
        """The model where the request names none: the operator's on the operator's server alone, whose names another
        need not know."""
        if self._models.problem is None and endpoint.base_url == self._models.endpoint().base_url:
            named = self._settings.insights_model or self._settings.llm_model
            if named:
                return named
        return endpoint.model or _USUAL.get(endpoint.base_url.rstrip("/"), "")

    async def plan(self, workspace: UUID, request: ReportRequest, traces: int) -> ModelPlan:
        """What a report of so many traces will ask and cost. Invalid for a budget that is too large."""
        self.budget(request)
        try:
            pen = await self.pen(workspace, request)
        except NO_PEN as error:
            return ModelPlan(note=error.message[:500], traces=traces)
        work = estimates.of_request(request, traces, pen.budget)
        cost = await self._cost(
            workspace, [(pen.summary_model, *work.small), (pen.cluster_model, *work.large)]
        )
        return ModelPlan(
            summary_model=pen.summary_model,
            cluster_model=pen.cluster_model,
            host=pen.endpoint.host,
            token_budget=pen.budget,
            traces=traces,
            calls=work.calls,
            prompt_tokens=work.small[0] + work.large[0],
            completion_tokens=work.small[1] + work.large[1],
            cost=cost,
        )

    async def asker(self, job: InsightJob) -> Asker:
        """For one job; ModelRefused when it is made without a model."""
        pen = await self.pen(job.workspace, job.request)
        await self._store.forget(time.time_ns() // 1000 - KEPT_DAYS * _DAY)
        return self.asker_with(pen, job.workspace, job.project_id, job.id)

    def asker_with(self, pen: Pen, workspace: UUID, project_id: UUID, job_id: UUID | None) -> Asker:
        return Asker(
            self._models,
            self._store,
            pen,
            self._slots,
            workspace=workspace,
            project_id=project_id,
            job_id=job_id,
        )

    async def used(self, workspace: UUID, asker: Asker) -> ModelUse:
        """With what it cost at the workspace's prices, or by list."""
        paid = [(model, prompt, completion) for model, (prompt, completion) in asker.paid.items()]
        return asker.use(await self._cost(workspace, paid))

    async def _cost(self, workspace: UUID, calls: list[tuple[str, int, int]]) -> float | None:
        """Dollars; None when a model that was asked has no price."""
        await self._prices.load([workspace])
        usage_of = self._prices.of(workspace)
        total = 0.0
        for model, prompt, completion in calls:
            if not prompt and not completion:
                continue
            counts = {
                "input_tokens": prompt,
                "output_tokens": completion,
                "total_tokens": prompt + completion,
            }
            outputs = msgspec.json.encode({"usage_metadata": counts})
            extra = msgspec.json.encode({"metadata": {"ls_model_name": model}})
            found = usage_of("llm", outputs, extra, time.time_ns() // 1000).total_cost
            if found is None:
                return None
            total += found / 1e12
        return round(total, 9)


def wording(request: ReportRequest, pen: Pen) -> Wording:
    """What the model is told of the request."""
    return Wording(
        context=request.user_context or {},
        template=request.summary_prompt,
        attributes={
            name: (schema.type, schema.description)
            for name, schema in (request.attribute_schemas or {}).items()
        },
        partitions=request.partitions or {},
        reads_all=request.summaries == "all",
        model=pen.summary_model,
    )


def _wanted(request: ReportRequest) -> int:
    return 2**62 if request.token_budget is None else max(0, request.token_budget)
