"""Experiments: a project bound to a dataset, whose runs answer its examples. Gathers what can be done with them."""

from __future__ import annotations

from dataclasses import dataclass

from stenograph.domain.datasets.datasets import Datasets
from stenograph.domain.examples.examples import Examples
from stenograph.domain.experiments.comparisons import Comparisons
from stenograph.domain.experiments.deltas import ExperimentDeltas
from stenograph.domain.experiments.evaluations import Evaluations
from stenograph.domain.experiments.groups import ExperimentGroups
from stenograph.domain.experiments.measured import MeasuredEvents
from stenograph.domain.experiments.results import ExperimentResults
from stenograph.domain.experiments.rules import MetricRules
from stenograph.domain.experiments.sessions import ExperimentSessions
from stenograph.domain.experiments.upload import ExperimentUpload
from stenograph.domain.feedback.configs import FeedbackConfigs
from stenograph.domain.feedback.feedback import FeedbackService
from stenograph.domain.projects.projects import Projects
from stenograph.domain.projects.stats import ProjectStats
from stenograph.domain.projects.view_overrides import ViewOverrides
from stenograph.domain.recording.ingest import Ingest
from stenograph.domain.runs import RunReader
from stenograph.store.api import MetaStore


@dataclass(frozen=True, slots=True)
class Experiments:
    """All that reads takes a workspace and a dataset, and sees no experiment over any other dataset.

    But for what HoneyHive's clients ask: to them an experiment stands for itself, over a dataset or none.
    """

    results: ExperimentResults
    deltas: ExperimentDeltas
    groups: ExperimentGroups
    comparisons: Comparisons
    view_overrides: ViewOverrides
    upload: ExperimentUpload
    evaluations: Evaluations
    sessions: ExperimentSessions
    measured: MeasuredEvents
    rules: MetricRules

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
        feedback: FeedbackService,
        sessions: ExperimentSessions,
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
            evaluations=Evaluations(meta, sessions),
            sessions=sessions,
            measured=MeasuredEvents(runs, feedback),
            rules=MetricRules(meta),
        )
