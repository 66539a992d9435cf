"""Experiments that were run elsewhere: their examples, runs and scores are taken in as if they had been run here.

Everything is checked before anything is written. Then come the examples, the experiment, and in one step its runs and
feedback. What a failure in between leaves are examples, which the same upload finds again.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

import msgspec
from msgspec import Raw

from stenograph.domain.datasets.datasets import Datasets, NewDataset, check_text
from stenograph.domain.datasets.datasets import check_name as check_dataset_name
from stenograph.domain.examples.drafts import ExampleDraft
from stenograph.domain.examples.examples import Examples
from stenograph.domain.feedback.configs import FeedbackConfigs, check_shape
from stenograph.domain.feedback.feedback import check as check_feedback
from stenograph.domain.projects.projects import Projects
from stenograph.domain.projects.projects import check_name as check_project_name
from stenograph.domain.recording.derive import stamp
from stenograph.domain.recording.ingest import Delivery, Ingest
from stenograph.domain.recording.ingest import check as check_run
from stenograph.errors import Conflict, Invalid, NotFound, TooLarge
from stenograph.model.datasets import Dataset, DatasetQuery
from stenograph.model.examples import Example, ExampleQuery
from stenograph.model.experiments import DATASET_VERSION
from stenograph.model.feedback import Feedback
from stenograph.model.feedback_setup import FeedbackShape
from stenograph.model.projects import NewProject, Project, ProjectQuery
from stenograph.model.runs import Micros, RunPatch
from stenograph.model.spelled_json import canonical

_AT_ONCE: Final = 500
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_BODY: Final = ("body",)


@dataclass(frozen=True, slots=True)
class Score:
    """One piece of feedback, not about anything yet, and the shape its key gets if it is new."""

    given: Feedback
    shape: FeedbackShape | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedRow:
    """One answer to one example. Payloads are checked JSON objects.

    Rows of one `example_id` are repetitions. Without it, rows with equal inputs and expected outputs are, and
    find the same example in every upload to one dataset.
    """

    inputs: bytes
    start: Micros
    end: Micros
    example_id: UUID | None = None
    expected: bytes | None = None
    outputs: bytes | None = None
    name: str | None = None
    error: str | None = None
    metadata: bytes | None = None
    scores: tuple[Score, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedExperiment:
    """An experiment over a dataset that is known by its id or its name, or made under them."""

    name: str
    start: Micros
    end: Micros
    rows: tuple[UploadedRow, ...]
    dataset_id: UUID | None = None
    dataset_name: str | None = None
    dataset_description: str | None = None
    description: str | None = None
    metadata: bytes | None = None
    scores: tuple[Score, ...] = ()


class ExperimentUpload:
    """Callers check the permission."""

    def __init__(
        self,
        datasets: Datasets,
        examples: Examples,
        projects: Projects,
        configs: FeedbackConfigs,
        ingest: Ingest,
    ) -> None:
        self._datasets = datasets
        self._examples = examples
        self._projects = projects
        self._configs = configs
        self._ingest = ingest
        # One at a time: two that bring the same new examples would be in each other's way.
        self._uploading = asyncio.Lock()

    async def take(self, workspace: UUID, sent: UploadedExperiment) -> tuple[Dataset, Project]:
        """The dataset and the experiment as they are then.

        Invalid, naming the row, for what cannot be; also when the dataset is not an externally managed one.
        Conflict when the experiment's name is taken, or a row names an example of another dataset. NotFound for
        an unknown dataset without a name.
        """
        _check(sent)
        async with self._uploading:
            await self._check_free(workspace, sent.name)
            dataset = await self._find_dataset(workspace, sent)
            home = sent.dataset_id or uuid4() if dataset is None else dataset.id
            ids = [row.example_id or _derived_id(home, row) for row in sent.rows]
            wanted = await self._examples_to_write(workspace, home, sent.rows, ids)
            if dataset is None:
                dataset = await self._datasets.create(
                    workspace,
                    NewDataset(
                        id=home,
                        name=sent.dataset_name or sent.name,
                        description=sent.dataset_description,
                        externally_managed=True,
                    ),
                )
            as_of = await self._write_examples(workspace, dataset, sent.rows, wanted)
            await self._configs.ensure(workspace, _shapes(sent))
            project = await self._projects.create(workspace, _project(sent, dataset, as_of))
            try:
                await self._ingest.record(_delivery(project, sent, ids))
            except BaseException:
                await self._projects.delete(workspace, project.id)  # its name is free for the next try
                raise
            return await self._datasets.read(workspace, dataset.id), project

    # -- what is there -------------------------------------------------------------------------------------

    async def _check_free(self, workspace: UUID, name: str) -> None:
        if await self._projects.find(ProjectQuery(workspace=workspace, name=name, limit=1)):
            raise Conflict(f"A project named {name!r} already exists in this workspace.")

    async def _find_dataset(self, workspace: UUID, sent: UploadedExperiment) -> Dataset | None:
        if sent.dataset_id is not None:
            query = DatasetQuery(workspace=workspace, ids=(sent.dataset_id,))
            named = "dataset_id"
        else:
            query = DatasetQuery(workspace=workspace, name=sent.dataset_name)
            named = "dataset_name"
        found = await self._datasets.find(query)
        if not found:
            if sent.dataset_name is None:
                raise NotFound(f"dataset not found: {sent.dataset_id}; give a dataset_name to have it made")
            return None
        if not found[0].externally_managed:
            raise Invalid(
                f"dataset {found[0].name!r} is not managed externally: experiments can only be uploaded to "
                "datasets that an upload has made",
                (*_BODY, named),
            )
        return found[0]

    async def _examples_to_write(
        self, workspace: UUID, dataset_id: UUID, rows: Sequence[UploadedRow], ids: Sequence[UUID]
    ) -> dict[UUID, int]:
        """Examples that are not there, or say something else than their rows, each with the first row that has it."""
        first: dict[UUID, int] = {}
        for index, example_id in enumerate(ids):
            row, before = rows[index], rows[first.setdefault(example_id, index)]
            if not (_same(row.inputs, before.inputs) and _same(row.expected, before.expected)):
                raise Invalid(
                    f"row_id {example_id} occurs in rows {first[example_id]} and {index} with different inputs "
                    "or expected_outputs",
                    (*_BODY, "results", index, "row_id"),
                )
        current = await self._current(workspace, list(first))
        wanted: dict[UUID, int] = {}
        for example_id, index in first.items():
            there = current.get(example_id)
            if there is not None and there.dataset_id != dataset_id:
                raise Conflict(f"results[{index}]: row_id {example_id} is an example of another dataset")
            if there is None or _differs(there, rows[index]):
                wanted[example_id] = index
        return wanted

    async def _current(self, workspace: UUID, ids: Sequence[UUID]) -> Mapping[UUID, Example]:
        found: dict[UUID, Example] = {}
        for start in range(0, len(ids), _AT_ONCE):
            query = ExampleQuery(workspace=workspace, ids=tuple(ids[start : start + _AT_ONCE]))
            found |= {example.id: example for example in await self._examples.find(query)}
        return found

    # -- writing -------------------------------------------------------------------------------------------

    async def _write_examples(
        self, workspace: UUID, dataset: Dataset, rows: Sequence[UploadedRow], wanted: Mapping[UUID, int]
    ) -> Micros:
        """The moment of the dataset as of which the examples are what the rows say."""
        drafts = [
            ExampleDraft(
                id=each,
                inputs=rows[index].inputs,
                outputs=rows[index].expected,
                where=(*_BODY, "results", index),
            )
            for each, index in wanted.items()
        ]
        return (await self._examples.upsert(workspace, dataset.id, list(wanted), drafts)).as_of


# -- checks ----------------------------------------------------------------------------------------------


def _check(sent: UploadedExperiment) -> None:
    """All that can be found wrong without looking at what is stored."""
    with _at("experiment_name"):
        check_project_name(sent.name)
    if sent.description is not None:
        check_text(sent.description, (*_BODY, "experiment_description"))
    if sent.dataset_id is None and sent.dataset_name is None:
        raise Invalid("give a dataset_id or a dataset_name", (*_BODY, "dataset_id"))
    if sent.dataset_name is not None:
        with _at("dataset_name"):
            check_dataset_name(sent.dataset_name)
    if sent.metadata is not None and not _decodes(sent.metadata):
        raise Invalid("a number in it is too large", (*_BODY, "experiment_metadata"))
    if sent.end < sent.start:
        raise Invalid("the experiment ends before it starts", (*_BODY, "experiment_end_time"))
    if not sent.rows:
        raise Invalid("there are no results", (*_BODY, "results"))
    for index, row in enumerate(sent.rows):
        with _at("results", index):
            _check_row(sent, row)
    for index, score in enumerate(sent.scores):
        with _at("summary_experiment_scores", index):
            _check_score(score)


def _decodes(document: bytes) -> bool:
    """A project's metadata are looked into by filters, so what is merely valid JSON will not do."""
    try:
        msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _check_row(sent: UploadedExperiment, row: UploadedRow) -> None:
    if row.end < row.start:
        raise Invalid("the row ends before it starts", ("end_time",))
    if row.start < sent.start:
        raise Invalid("the row starts before the experiment does", ("start_time",))
    if row.end > sent.end:
        raise Invalid("the row ends after the experiment does", ("end_time",))
    with _at("run_name", body=False):
        check_run(_run(UUID(int=0), UUID(int=0), sent, row, UUID(int=0)))
    for index, score in enumerate(row.scores):
        with _at("evaluation_scores", index, body=False):
            _check_score(score)


def _check_score(score: Score) -> None:
    check_feedback(msgspec.structs.replace(score.given, project_id=UUID(int=0)))
    if score.shape is not None:
        check_shape(score.shape)


@contextmanager
def _at(*place: str | int, body: bool = True) -> Iterator[None]:
    """What is found wrong inside is at this place."""
    try:
        yield
    except Invalid as error:
        inner = error.where[1:] if error.where[:1] == _BODY else error.where
        if inner == ("name",) and str(place[-1]).endswith("name"):
            inner = ()  # here it has this name
        raise Invalid(error.message, (*(_BODY if body else ()), *place, *inner)) from None
    except TooLarge as error:
        raise TooLarge(f"{'.'.join(str(step) for step in place)}: {error.message}") from None


# -- values ----------------------------------------------------------------------------------------------


def _delivery(project: Project, sent: UploadedExperiment, ids: Sequence[UUID]) -> Delivery:
    """The runs of the experiment, and what was said of them and of it."""
    delivery = Delivery(feedback=[_about(score, project.id, None) for score in sent.scores])
    for row, example_id in zip(sent.rows, ids, strict=True):
        run = _run(project.workspace, project.id, sent, row, example_id)
        delivery.patches.append(run)
        delivery.feedback += [_about(score, project.id, run) for score in row.scores]
    return delivery


def _shapes(sent: UploadedExperiment) -> dict[str, FeedbackShape]:
    """What keys of scores look like; where two say it the first one counts."""
    scores = [*sent.scores, *(score for row in sent.rows for score in row.scores)]
    return {score.given.key: score.shape for score in reversed(scores) if score.shape is not None}


def _derived_id(dataset_id: UUID, row: UploadedRow) -> UUID:
    """An example is known by what it says, where the client has no id for it."""
    return uuid5(dataset_id, f"{_canonical(row.inputs)} {_canonical(row.expected)}")


def _same(one: bytes | None, other: bytes | None) -> bool:
    return one == other or _canonical(one) == _canonical(other)


def _differs(example: Example, row: UploadedRow) -> bool:
    """Whether a row says something else than an example; one without expected outputs says nothing of them."""
    return not _same(example.inputs, row.inputs) or (
        row.expected is not None and not _same(example.outputs, row.expected)
    )


def _canonical(document: bytes | None) -> str:
    return "" if document is None else canonical(document)


def _project(sent: UploadedExperiment, dataset: Dataset, as_of: Micros) -> NewProject:
    """Its metadata say as of when its examples are, as those of an experiment that a client runs."""
    metadata: dict[str, Any] = {DATASET_VERSION: (_EPOCH + dt.timedelta(microseconds=as_of)).isoformat()}
    if sent.metadata is not None:
        metadata |= msgspec.json.decode(sent.metadata, type=dict[str, Raw])
    return NewProject(
        name=sent.name,
        description=sent.description,
        start_time=sent.start,
        end_time=sent.end,
        extra=msgspec.json.encode({"metadata": metadata}),
        reference_dataset_id=dataset.id,
    )


def _run(
    workspace: UUID, project: UUID, sent: UploadedExperiment, row: UploadedRow, example_id: UUID
) -> RunPatch:
    run_id = uuid4()
    return RunPatch(
        workspace=workspace,
        id=run_id,
        create=True,
        received_at=time.time_ns() // 1000,
        trace_id=run_id,
        dotted_order=f"{stamp(row.start)}{run_id}",
        project_id=project,
        name=sent.name if row.name is None else row.name,
        run_type="chain",
        start_time=row.start,
        end_time=row.end,
        error=row.error,
        inputs=row.inputs,
        outputs=row.outputs,
        extra=None if row.metadata is None else b'{"metadata":' + row.metadata + b"}",
        reference_example_id=example_id,
    )


def _about(score: Score, project: UUID, run: RunPatch | None) -> Feedback:
    return msgspec.structs.replace(
        score.given,
        project_id=project,
        run_id=None if run is None else run.id,
        trace_id=None if run is None else run.id,
        start_time=None if run is None else run.start_time,
    )
