"""Experiments: a project bound to a dataset, whose runs answer its examples. Gathers what can be done with them."""

from __future__ import annotations

from dataclasses import dataclass

from stenograph.domain.comparisons import Comparisons
from stenograph.domain.datasets import Datasets
from stenograph.domain.examples import Examples
from stenograph.domain.experiment_deltas import ExperimentDeltas
from stenograph.domain.experiment_groups import ExperimentGroups
from stenograph.domain.experiment_results import ExperimentResults
from stenograph.domain.experiment_upload import ExperimentUpload
from stenograph.domain.feedback_configs import FeedbackConfigs
from stenograph.domain.ingest import Ingest
from stenograph.domain.project_stats import ProjectStats
from stenograph.domain.projects import Projects
from stenograph.domain.runs import RunReader
from stenograph.domain.view_overrides import ViewOverrides
from stenograph.store.api import MetaStore


@dataclass(frozen=True, slots=True)
class Experiments:
    """All that reads takes a workspace and a dataset, and sees no experiment over any other dataset."""

    results: ExperimentResults
    deltas: ExperimentDeltas
    groups: ExperimentGroups
    comparisons: Comparisons
    view_overrides: ViewOverrides
    upload: ExperimentUpload

    @classmethod
    def over(
        cls,
        meta: MetaStore,
        runs: RunReader,
        *,
        projects: Projects,
        stats: ProjectStats,
        configs: FeedbackConfigs,
        datasets: Datasets,
        examples: Examples,
        ingest: Ingest,
    ) -> Experiments:
        """Put together over the services that it uses."""
        results = ExperimentResults(meta, runs)
        return cls(
            results=results,
            deltas=ExperimentDeltas(meta, results, configs),
            groups=ExperimentGroups(results, stats),
            comparisons=Comparisons(meta, runs),
            view_overrides=ViewOverrides(meta),
            upload=ExperimentUpload(datasets, examples, projects, configs, ingest),
        )
