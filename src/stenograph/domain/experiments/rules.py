"""When metrics pass: as the experiment's own ranges say, else as the threshold of the evaluator of that name."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec

from stenograph.domain.experiments.judging import MetricInfo, Metrics
from stenograph.model.evaluations import Experiment
from stenograph.model.evaluators import Threshold
from stenograph.model.projects import DEFAULT_PROJECT
from stenograph.store.api import MetaStore

_ranges: Final = msgspec.json.Decoder(dict[str, Threshold]).decode


class MetricRules:
    """What is known of an experiment's metrics beside their values."""

    def __init__(self, meta: MetaStore) -> None:
        self._evaluators = meta.evaluators
        self._projects = meta.projects

    async def of(self, experiment: Experiment) -> Metrics:
        """By name. Of several evaluators of one name that of the experiment's own project wins, then the newest."""
        found = await self._evaluated(experiment)
        said = experiment.evaluation
        if said is not None and said.passing_ranges is not None:
            for name, passing in _ranges(said.passing_ranges).items():
                found[name] = replace(found.get(name, MetricInfo()), rule=passing)
        return found

    async def _evaluated(self, experiment: Experiment) -> dict[str, MetricInfo]:
        workspace, said = experiment.project.workspace, experiment.evaluation
        home = None
        if said is not None and said.within_id is not None:
            home = await self._projects.read(workspace, said.within_id)
        own = DEFAULT_PROJECT if home is None else home.name
        known = [each for each in await self._evaluators.find(workspace) if each.project in ("", own)]
        known.sort(key=lambda each: (each.project != "", each.updated_at or each.created_at))
        return {
            each.definition.name: MetricInfo(each.definition.type.value, each.definition.threshold)
            for each in known
        }
