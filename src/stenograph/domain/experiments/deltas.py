"""Which examples an experiment answered better or worse than a baseline did, by a feedback key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from stenograph.domain.experiments.results import ExperimentResults, Listed, ResultQuestion
from stenograph.domain.feedback.configs import FeedbackConfigs
from stenograph.domain.runs import FeedbackStats
from stenograph.errors import Invalid
from stenograph.store.api import MetaStore

_DIGITS: Final = 9
"""Means that differ by less than floating point arithmetic may make of equal scores are equal."""


@dataclass(frozen=True, slots=True)
class Delta:
    """Examples that got better and worse, in the order of the dataset."""

    improved: tuple[UUID, ...] = ()
    regressed: tuple[UUID, ...] = ()

    def part(self, offset: int, limit: int) -> Delta:
        """A page of each list."""
        end = offset + limit
        return Delta(self.improved[offset:end], self.regressed[offset:end])


Deltas = Mapping[str, Mapping[UUID, Delta]]
"""By feedback key and experiment."""


class ExperimentDeltas:
    """Callers check the permission."""

    def __init__(self, meta: MetaStore, results: ExperimentResults, configs: FeedbackConfigs) -> None:
        self._datasets = meta.datasets
        self._results = results
        self._configs = configs

    async def baseline(self, workspace: UUID, dataset_id: UUID, stated: UUID | None) -> UUID:
        """The baseline that a client names, else the dataset's own; Invalid when there is neither."""
        if stated is not None:
            return stated
        dataset = await self._datasets.read(workspace, dataset_id)
        if dataset is None or dataset.baseline_experiment_id is None:
            raise Invalid(
                "name a baseline_session_id: the dataset has no baseline experiment",
                ("body", "baseline_session_id"),
            )
        return dataset.baseline_experiment_id

    async def of(
        self,
        question: ResultQuestion,
        baseline: UUID,
        keys: Sequence[str],
    ) -> Deltas:
        """For every key, each of the question's experiments against the baseline.

        An example's score is the mean over its runs; one without a score on either side is neither better nor
        worse. Whether more is better says the key's feedback config. Experiments that are not over the dataset,
        or have been deleted, have no entry; without the baseline none has.
        """
        everyone = tuple(dict.fromkeys((baseline, *question.experiments)))
        found = await self._results.experiments(question.workspace, question.dataset_id, everyone)
        known = {project.id for project in found}
        compared = [each for each in question.experiments if each in known and baseline in known]
        question = replace(question, experiments=everyone, sort=None)
        # An experiment's filter chooses among its own runs, and says nothing of the others' examples.
        listed = await self._results.listing(replace(question, filters={}))
        passing = await self._passing(question)
        given = await self._results.feedback(
            question.workspace, [run for each in listed for run in each.runs], question.comparison
        )
        configs = await self._configs.page(question.workspace, keys=keys)
        lower = {config.key for config in configs if config.is_lower_score_better}
        return {
            key: _deltas(_scores(listed, given, key, passing), baseline, compared, -1 if key in lower else 1)
            for key in dict.fromkeys(keys)
        }

    async def _passing(self, question: ResultQuestion) -> Mapping[UUID, set[UUID]]:
        """By experiment with a filter, the runs that pass it."""
        found: dict[UUID, set[UUID]] = {}
        for experiment, wanted in question.filters.items():
            alone = replace(question, experiments=(experiment,), filters={experiment: wanted})
            listed = await self._results.listing(alone)
            found[experiment] = {run.id for each in listed for run in each.runs}
        return found


Scores = Mapping[UUID, Mapping[UUID, float]]
"""By example and experiment, in the order of the dataset."""


def _scores(
    listed: Iterable[Listed],
    given: Mapping[UUID, FeedbackStats],
    key: str,
    passing: Mapping[UUID, set[UUID]],
) -> Scores:
    found: dict[UUID, dict[UUID, float]] = {}
    for example in listed:
        scores: dict[UUID, list[float]] = {}
        for run in example.runs:
            stat = given.get(run.id, {}).get(key)
            if stat is None or stat.avg is None:
                continue
            if run.project_id in passing and run.id not in passing[run.project_id]:
                continue
            scores.setdefault(run.project_id, []).append(stat.avg)
        found[example.example_id] = {project: sum(each) / len(each) for project, each in scores.items()}
    return found


def _deltas(scores: Scores, baseline: UUID, compared: Iterable[UUID], better: int) -> dict[UUID, Delta]:
    found: dict[UUID, Delta] = {}
    for experiment in compared:
        improved, regressed = [], []
        for example, of_example in scores.items():
            if baseline not in of_example or experiment not in of_example:
                continue
            change = better * round(of_example[experiment] - of_example[baseline], _DIGITS)
            if change > 0:
                improved.append(example)
            elif change < 0:
                regressed.append(example)
        found[experiment] = Delta(tuple(improved), tuple(regressed))
    return found
