"""Configurations, tools and charts: a part of the metadata seam."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from stenograph.model.charts import Chart, ChartPatch
from stenograph.model.configurations import (
    Configuration,
    ConfigurationPatch,
    ConfigurationQuery,
    Tool,
    ToolPatch,
)
from stenograph.model.runs import Micros


class Configurations(Protocol):
    """Configurations. Those of a project go with it."""

    async def create(self, configuration: Configuration) -> None:
        """NotFound when it names a project that is not there; Conflict when the id is taken."""

    async def find(self, query: ConfigurationQuery) -> list[Configuration]:
        """Oldest first."""

    async def update(
        self, workspace: UUID, configuration_id: UUID, patch: ConfigurationPatch, at: Micros
    ) -> Configuration | None:
        """As changed, None when there is none. NotFound when it is given to a project that is not there."""

    async def delete(self, workspace: UUID, configuration_id: UUID) -> bool:
        """Whether there was one."""


class Tools(Protocol):
    """Tools that models may call."""

    async def create(self, tool: Tool) -> None:
        """Conflict when the id is taken."""

    async def all(self, workspace: UUID) -> list[Tool]:
        """Oldest first."""

    async def update(self, workspace: UUID, tool_id: UUID, patch: ToolPatch, at: Micros) -> Tool | None:
        """As changed, None when there is none."""

    async def delete(self, workspace: UUID, tool_id: UUID) -> bool:
        """Whether there was one."""


class Charts(Protocol):
    """Saved charts. Those of a project go with it. With a `project` only its own and every project's are there."""

    async def create(self, chart: Chart) -> None:
        """NotFound when it names a project that is not there; Conflict when the id is taken."""

    async def find(self, workspace: UUID, project: UUID | None = None) -> list[Chart]:
        """Oldest first."""

    async def read(self, workspace: UUID, chart_id: UUID, project: UUID | None = None) -> Chart | None: ...

    async def update(
        self, workspace: UUID, chart_id: UUID, patch: ChartPatch, at: Micros, project: UUID | None = None
    ) -> Chart | None:
        """As changed, None when there is none."""

    async def delete(self, workspace: UUID, chart_id: UUID, project: UUID | None = None) -> bool:
        """Whether there was one."""
