"""What people save beside their runs, in one value for the faces."""

from __future__ import annotations

from dataclasses import dataclass

from stenograph.domain.objects.chart_figures import ChartFigures
from stenograph.domain.objects.charts import Charts
from stenograph.domain.objects.configurations import Configurations
from stenograph.domain.objects.tools import Tools
from stenograph.domain.runs import RunReader
from stenograph.store.api import MetaStore


@dataclass(frozen=True, slots=True)
class Objects:
    """Configurations of models, tools, charts and what these show."""

    configurations: Configurations
    tools: Tools
    charts: Charts
    chart_figures: ChartFigures

    @classmethod
    def over(cls, meta: MetaStore, runs: RunReader) -> Objects:
        return cls(Configurations(meta), Tools(meta), Charts(meta), ChartFigures(runs))
