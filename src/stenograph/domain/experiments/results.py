"""Results of experiments: examples of one dataset, each beside the runs that answered it.

An example is listed when a root run of one of the experiments refers to it, as it stood when the newest of the
experiments was made, or as it was last if it was not there then: so an old experiment keeps its examples whatever
becomes of the dataset. Only experiments over the dataset count, whichever are asked for; whoever reads by a link is
confined to it thereby. docs/decisions/041-which-examples-an-experiment-shows.md
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from stenograph.domain.recording.derive import moment
from stenograph.domain.runs import USAGE, FeedbackStats, RunReader
from stenograph.errors import NotFound
from stenograph.model.examples import Example
from stenograph.model.experiments import dataset_version
from stenograph.model.filters import Filter
from stenograph.model.projects import Project, ProjectQuery
from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import Micros, Run
from stenograph.store.api import MetaStore

MAX_EXPERIMENTS: Final = 100
"""Experiments that one question may be about."""

_ALL: Final = 10_000_000
_AT_ONCE: Final = 5_000
"""Runs that one statement names by their ids."""

_MILLISECOND: Final = 1000


def latency(run: Run) -> float | None:
    """Seconds from start to end; None while it runs."""
    return None if run.end_time is None else (run.end_time - run.start_time) / 1_000_000


def first_token(run: Run) -> float | None:
    """Seconds from start to the first token."""
    return None if run.first_token_time is None else (run.first_token_time - run.start_time) / 1_000_000


METRICS: Final[dict[str, tuple[Callable[[Run], float | None], frozenset[str]]]] = {
    "latency": (latency, frozenset({"end_time"})),
    "first_token": (first_token, frozenset({"first_token_time"})),
    "start_time": (lambda run: run.start_time, frozenset()),
    "end_time": (lambda run: run.end_time, frozenset({"end_time"})),
    "total_tokens": (lambda run: run.usage.total_tokens, USAGE),
    "prompt_tokens": (lambda run: run.usage.prompt_tokens, USAGE),
    "completion_tokens": (lambda run: run.usage.completion_tokens, USAGE),
    "total_cost": (lambda run: run.usage.total_cost, USAGE),
    "prompt_cost": (lambda run: run.usage.prompt_cost, USAGE),
    "completion_cost": (lambda run: run.usage.completion_cost, USAGE),
}
"""Figures of a run that examples can be sorted by, and the columns each needs."""


@dataclass(frozen=True, slots=True)
class ResultSort:
    """By the mean of a figure over an example's runs: one of METRICS, or the scores under a feedback key."""

    metric: str = ""
    feedback_key: str = ""
    descending: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultQuestion:
    """Which examples of a dataset, answered by which experiments.

    `filters` by experiment: of that one only the runs that pass count, and an example that has none there is not
    listed at all. `examples` None means all. `comparison` limits feedback to what was given in that comparative
    experiment. Without a sort examples come in the order of the dataset, the last written first.
    """

    workspace: UUID
    dataset_id: UUID
    experiments: tuple[UUID, ...]
    filters: Mapping[UUID, Filter] = field(default_factory=dict)
    examples: tuple[UUID, ...] | None = None
    comparison: UUID | None = None
    sort: ResultSort | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """An example in one of its versions, without its content, and the runs that answered it: by the order of the
    experiments, then by start."""

    example_id: UUID
    moment: Micros
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The same with the example whole."""

    example: Example
    runs: tuple[Run, ...]


class ExperimentResults:
    """The use-cases that read results. Callers check the permission."""

    def __init__(self, meta: MetaStore, runs: RunReader) -> None:
        self._projects = meta.projects
        self._examples = meta.examples
        self._runs = runs

    async def experiments(
        self, workspace: UUID, dataset_id: UUID, ids: Sequence[UUID] | None = None
    ) -> list[Project]:
        """Those of these (None: all) that are experiments over the dataset, in the order given, else newest first."""
        wanted = None if ids is None else tuple(dict.fromkeys(ids))
        found = await self._projects.find(
            ProjectQuery(workspace=workspace, reference_datasets=(dataset_id,), ids=wanted)
        )
        if wanted is None:
            return found
        place = {each: at for at, each in enumerate(wanted)}
        return sorted(found, key=lambda project: place[project.id])

    async def require(self, workspace: UUID, dataset_id: UUID, ids: Iterable[UUID]) -> None:
        """NotFound, naming the first, unless all of these are experiments over the dataset."""
        wanted = list(dict.fromkeys(ids))
        known = {project.id for project in await self.experiments(workspace, dataset_id, wanted)}
        for each in wanted:
            if each not in known:
                raise NotFound(f"experiment not found: dataset {dataset_id} has no experiment {each}")

    # -- a page --------------------------------------------------------------------------------------------

    async def page(
        self, question: ResultQuestion, columns: frozenset[str], offset: int, limit: int
    ) -> list[Answered]:
        """A part of the listing, with the examples whole and of their runs these columns.

        Without a sort the runs are read for this part alone: beside it costs the id of every example in question.
        """
        if question.sort is not None:
            listed = await self.listing(question)
            return await self.filled(question.workspace, listed[offset : offset + limit], columns)
        experiments = await self.experiments(question.workspace, question.dataset_id, question.experiments)
        if not experiments or question.examples == ():
            return []
        answered = await self._answered(question, experiments)
        versions = (await self._standing(question, experiments, answered))[offset : offset + limit]
        if not versions:
            return []
        of_page = replace(question, examples=tuple(example_id for example_id, _ in versions))
        answers = await self._answers(of_page, experiments, columns | {"reference_example_id"})
        whole = await self._whole(question.workspace, versions)
        return [
            Answered(whole[example_id], _in_order(answers[example_id], experiments))
            for example_id, _ in versions
            if example_id in whole and example_id in answers
        ]

    async def _answered(self, question: ResultQuestion, experiments: Sequence[Project]) -> Collection[UUID]:
        """The examples that are listed, in no order."""
        found: set[UUID] = set()
        passing: list[set[UUID]] = []
        for selection in _selections(question, experiments):
            examples = set(await self._runs.answered_examples(selection))
            found |= examples
            if selection.filter is not None:
                passing.append(examples)
        return found.intersection(*passing)

    async def _standing(
        self, question: ResultQuestion, experiments: Sequence[Project], examples: Collection[UUID]
    ) -> list[tuple[UUID, Micros]]:
        return await self._examples.standing(
            question.workspace, question.dataset_id, list(examples), as_of(experiments)
        )

    # -- the whole listing ---------------------------------------------------------------------------------

    async def listing(self, question: ResultQuestion, columns: frozenset[str] = frozenset()) -> list[Listed]:
        """All examples that the question asks for, in order: of each run its key and `columns`.

        Costs one query of the runs, however many examples and experiments there are, and one more for a sort by
        feedback.
        """
        experiments = await self.experiments(question.workspace, question.dataset_id, question.experiments)
        if not experiments or question.examples == ():
            return []
        sort = question.sort
        if sort is not None and sort.metric:
            columns = columns | METRICS[sort.metric][1]
        answers = await self._answers(question, experiments, columns | {"reference_example_id"})
        listed = [
            Listed(example_id, moment, _in_order(answers[example_id], experiments))
            for example_id, moment in await self._standing(question, experiments, answers)
        ]
        return listed if sort is None else await self._sorted(listed, sort, question)

    async def _answers(
        self, question: ResultQuestion, experiments: Sequence[Project], columns: frozenset[str]
    ) -> dict[UUID, list[Run]]:
        """The runs by the example they answered."""
        found: dict[UUID, list[Run]] = {}
        filtered: set[UUID] = set()
        for selection in _selections(question, experiments):
            if selection.filter is not None:
                filtered.update(selection.projects)
            for run in await self._runs.page(RunQuery(selection=selection, columns=columns, limit=_ALL)):
                if run.reference_example_id is not None:
                    found.setdefault(run.reference_example_id, []).append(run)
        return {
            example: runs for example, runs in found.items() if filtered <= {run.project_id for run in runs}
        }

    async def _sorted(self, listed: list[Listed], sort: ResultSort, question: ResultQuestion) -> list[Listed]:
        """Examples without the figure come last, ties keep the order of the dataset."""
        if sort.metric:
            figure = METRICS[sort.metric][0]
        else:
            runs = [run for each in listed for run in each.runs]
            given = await self.feedback(question.workspace, runs, question.comparison)

            def figure(run: Run) -> float | None:
                stat = given.get(run.id, {}).get(sort.feedback_key)
                return None if stat is None else stat.avg

        means: dict[UUID, float] = {}
        for each in listed:
            figures = [found for run in each.runs if (found := figure(run)) is not None]
            if figures:
                means[each.example_id] = sum(figures) / len(figures)
        having = [each for each in listed if each.example_id in means]
        sign = -1 if sort.descending else 1
        having.sort(key=lambda each: sign * means[each.example_id])
        return having + [each for each in listed if each.example_id not in means]

    async def filled(
        self, workspace: UUID, listed: Sequence[Listed], columns: frozenset[str]
    ) -> list[Answered]:
        """A part of a listing with the examples whole, and of their runs these columns.

        An example that has been wiped meanwhile is left out.
        """
        fill = await self.filler(workspace, listed, columns)
        return [found for each in listed if (found := fill(each)) is not None]

    async def filler(
        self, workspace: UUID, listed: Sequence[Listed], columns: frozenset[str]
    ) -> Callable[[Listed], Answered | None]:
        """What fills one of `listed`, which may have an example more than once; None for one that has been wiped."""
        runs = await self._read(workspace, [run for each in listed for run in each.runs], columns)
        whole = await self._whole(workspace, [(each.example_id, each.moment) for each in listed])

        def fill(each: Listed) -> Answered | None:
            example = whole.get(each.example_id)
            if example is None:
                return None
            return Answered(example, tuple(runs[run.id] for run in each.runs if run.id in runs))

        return fill

    async def _whole(self, workspace: UUID, versions: Iterable[tuple[UUID, Micros]]) -> dict[UUID, Example]:
        found = await self._examples.versions(workspace, list(dict.fromkeys(versions)))
        return {example.id: example for example in found}

    async def _read(self, workspace: UUID, runs: Sequence[Run], columns: frozenset[str]) -> dict[UUID, Run]:
        found: dict[UUID, Run] = {}
        for start in range(0, len(runs), _AT_ONCE):
            part = runs[start : start + _AT_ONCE]
            selection = RunSelection(
                workspace=workspace,
                projects=tuple({run.project_id for run in part}),
                ids=tuple(run.id for run in part),
                is_root=True,
            )
            page = await self._runs.page(RunQuery(selection=selection, columns=columns, limit=len(part)))
            found |= {run.id: run for run in page}
        return found

    async def feedback(
        self, workspace: UUID, runs: Sequence[Run], comparison: UUID | None = None
    ) -> dict[UUID, FeedbackStats]:
        """What the feedback of each of these runs comes to: all of it, or what was given in one comparison."""
        found: dict[UUID, FeedbackStats] = {}
        for start in range(0, len(runs), _AT_ONCE):
            found |= await self._runs.feedback_of(workspace, runs[start : start + _AT_ONCE], comparison)
        return found


def _selections(question: ResultQuestion, experiments: Sequence[Project]) -> list[RunSelection]:
    """The runs that count: those of each experiment with a filter, and those of all others together."""
    ids = [project.id for project in experiments]
    everywhere = RunSelection(
        workspace=question.workspace, is_root=True, reference_examples=question.examples or ()
    )
    found = [
        replace(everywhere, projects=(each,), filter=question.filters[each])
        for each in ids
        if each in question.filters
    ]
    if rest := tuple(each for each in ids if each not in question.filters):
        found.append(replace(everywhere, projects=rest))
    return found


def _in_order(runs: Iterable[Run], experiments: Sequence[Project]) -> tuple[Run, ...]:
    place = {project.id: at for at, project in enumerate(experiments)}
    return tuple(sorted(runs, key=lambda run: (place[run.project_id], run.start_time, run.id)))


def as_of(experiments: Iterable[Project]) -> Micros | None:
    """The moment of the dataset that these experiments share: that of the newest of them.

    Clients write an experiment's version into its metadata when it is over; until then it is its start. One in
    whole milliseconds is taken to the end of its millisecond: JavaScript's times have no more digits.
    """
    moments = []
    for experiment in experiments:
        stated = dataset_version(experiment)
        found = moment(stated) if isinstance(stated, str) else None
        if found is None:
            found = experiment.start_time
        moments.append(found if found % _MILLISECOND else found + _MILLISECOND - 1)
    return max(moments, default=None)
