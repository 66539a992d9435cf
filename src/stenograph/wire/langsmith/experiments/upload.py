"""LangSmith's route that takes an experiment which was run elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.experiments.upload import Score, UploadedExperiment, UploadedRow
from stenograph.domain.projects.stats import Bounds
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.model.runs import Micros
from stenograph.wire.http import body_as, caller, encode, services
from stenograph.wire.langsmith.datasets.shapes import dataset_json
from stenograph.wire.langsmith.examples.shapes import placed
from stenograph.wire.langsmith.experiments.schemas import ExperimentUploadIn, ResultRowIn, ScoreIn
from stenograph.wire.langsmith.feedback.shapes import from_wire, shape_from_wire
from stenograph.wire.langsmith.projects.session_shapes import tracer_session
from stenograph.wire.langsmith.runs.convert import micros
from stenograph.wire.payloads import Payloads

Path = tuple[str | int, ...]


def routes() -> list[BaseRoute]:
    """To stand before those of datasets by id."""
    return [Route("/datasets/upload-experiment", upload, methods=["POST"])]


async def upload(request: Request) -> Response:
    """POST /datasets/upload-experiment. Nothing is written unless all of it can be."""
    who = await caller(request, Permission.WRITE)
    to = services(request)
    sent = uploaded(await body_as(request, ExperimentUploadIn), who.workspace, to.payloads)
    dataset, experiment = await to.experiments.upload.take(who.workspace, sent)
    figures = await to.project_stats.of(who.workspace, [experiment], Bounds())
    return encode(
        {
            "dataset": dataset_json(dataset),
            "experiment": tracer_session(experiment, figures[experiment.id]),
        }
    )


def uploaded(sent: ExperimentUploadIn, workspace: UUID, payloads: Payloads) -> UploadedExperiment:
    """Invalid names the member, and the row, that cannot be used."""
    body: Path = ("body",)
    now = time.time_ns() // 1000
    with placed(body):
        return UploadedExperiment(
            name=sent.experiment_name,
            description=sent.experiment_description,
            start=_time(sent.experiment_start_time, "experiment_start_time"),
            end=_time(sent.experiment_end_time, "experiment_end_time"),
            metadata=payloads.check(sent.experiment_metadata, "experiment_metadata", "object"),
            dataset_id=sent.dataset_id,
            dataset_name=sent.dataset_name,
            dataset_description=sent.dataset_description,
            rows=tuple(
                _row(row, workspace, now, payloads, (*body, "results", index))
                for index, row in enumerate(sent.results)
            ),
            scores=_scores(
                sent.summary_experiment_scores or (),
                workspace,
                now,
                payloads,
                (*body, "summary_experiment_scores"),
            ),
        )


def _row(sent: ResultRowIn, workspace: UUID, now: Micros, payloads: Payloads, where: Path) -> UploadedRow:
    with placed(where):
        inputs = payloads.check(sent.inputs, "inputs", "object")
        if inputs is None:
            raise Invalid("a row has inputs", ("inputs",))
        return UploadedRow(
            inputs=inputs,
            start=_time(sent.start_time, "start_time"),
            end=_time(sent.end_time, "end_time"),
            example_id=sent.row_id,
            expected=payloads.check(sent.expected_outputs, "expected_outputs", "object"),
            outputs=payloads.check(sent.actual_outputs, "actual_outputs", "object"),
            name=sent.run_name,
            error=sent.error,
            metadata=payloads.check(sent.run_metadata, "run_metadata", "object"),
            scores=_scores(
                sent.evaluation_scores or (), workspace, now, payloads, (*where, "evaluation_scores")
            ),
        )


def _scores(
    sent: Iterable[ScoreIn], workspace: UUID, now: Micros, payloads: Payloads, where: Path
) -> tuple[Score, ...]:
    found = []
    for index, score in enumerate(sent):
        with placed((*where, index)):
            given = from_wire(score, workspace=workspace, new_id=uuid4(), now=now, payloads=payloads)
            found.append(Score(given, shape_from_wire(score.feedback_config, payloads)))
    return tuple(found)


def _time(value: str | float | None, field: str) -> Micros:
    found = micros(value, field)
    if found is None:
        raise Invalid(f"{field} is needed", (field,))
    return found
