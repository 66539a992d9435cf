"""The dataset, its experiments and their comparison, on the server."""

from __future__ import annotations

import datetime as dt
from typing import Final
from uuid import UUID

from msgspec import Raw, Struct

from stenograph.demo import projects
from stenograph.demo.experiments import EVALUATORS, VARIANTS, Answered, Variant, answers, preferences
from stenograph.demo.plan import Ids, Plan, moment
from stenograph.demo.questions import FIRST, Question, corrections, examples, questions
from stenograph.demo.sending import send_feedback, send_traces
from stenograph.errors import NotFound
from stenograph.transfer.client import Server
from stenograph.transfer.connection import Connection

DATASET: Final = "support questions"
COMPARISON: Final = "Which answer would a customer prefer?"
_FIRST_TAG: Final = "first-review"
_LAST_TAG: Final = "reviewed"


class _Version(Struct, frozen=True):
    as_of: str


class _Comparison(Struct, frozen=True):
    id: UUID
    name: str | None = None


class Dataset(Struct, frozen=True):
    """`version` is the moment of the reviewed one."""

    id: UUID
    version: str
    questions: list[Question]
    example_ids: list[str]


def dataset(server: Connection, plan: Plan) -> Dataset:
    """With both versions, each of which has a tag: what has its tag is not written again."""
    found = Server(server).find_dataset(DATASET)
    if found is None:
        about = "Questions of customers with the answers that they ought to get, reviewed by customer care."
        body = {"name": DATASET, "description": about, "data_type": "kv"}
        dataset_id = server.post("/datasets", _Made, body).id
    else:
        dataset_id = found.id
    ids = Ids(dataset_id, plan.seed)
    asked = questions(plan)
    all_of_them = examples(asked, ids, str(dataset_id))
    if _tagged(server, dataset_id, _FIRST_TAG) is None:
        server.post("/examples/bulk", Raw, all_of_them[:FIRST])
        _tag(server, dataset_id, _FIRST_TAG)
    version = _tagged(server, dataset_id, _LAST_TAG)
    if version is None:
        server.patch("/examples/bulk", Raw, corrections(asked, ids))
        server.post("/examples/bulk", Raw, all_of_them[FIRST:])
        version = _tag(server, dataset_id, _LAST_TAG)
    return Dataset(dataset_id, version, asked, [each.id for each in all_of_them])


class _Made(Struct, frozen=True):
    id: UUID


def _tagged(server: Connection, dataset_id: UUID, tag: str) -> str | None:
    try:
        return server.get(f"/datasets/{dataset_id}/version", _Version, {"as_of": tag}).as_of
    except NotFound:
        return None


def _tag(server: Connection, dataset_id: UUID, tag: str) -> str:
    newest = server.get(f"/datasets/{dataset_id}/version", _Version, {"as_of": "latest"}).as_of
    return server.put(f"/datasets/{dataset_id}/tags", _Version, {"as_of": newest, "tag": tag}).as_of


def experiments(server: Connection, plan: Plan, over: Dataset) -> int:
    """The experiments, the first of them as the baseline, and a comparison of the first two. Answers how many runs."""
    made = [_experiment(server, plan, over, variant) for variant in VARIANTS]
    names = [each for each, _ in made]
    count = 0
    for _, answered in made:
        count += send_traces(server, "experiments", [each.runs for each in answered])
        send_feedback(server, [piece for each in answered for piece in each.feedback])
    server.patch(f"/datasets/{over.id}", Raw, {"baseline_experiment_id": names[0]})
    _compare(server, plan, over, names[:2], [answered for _, answered in made[:2]])
    return count


def _experiment(
    server: Connection, plan: Plan, over: Dataset, variant: Variant
) -> tuple[UUID, list[Answered]]:
    started = plan.until - dt.timedelta(hours=variant.hours)
    project = projects.ensure(
        server,
        variant.name,
        variant.description,
        reference_dataset_id=over.id,
        start_time=moment(started),
        end_time=moment(started + dt.timedelta(minutes=2)),
        num_examples=len(over.questions),
        num_repetitions=1,
        evaluator_keys=EVALUATORS,
        extra={
            "metadata": {
                "dataset_version": over.version,
                "prompt": variant.prompt,
                "model": variant.model.name,
                "num_repetitions": 1,
            }
        },
    )
    ids = Ids(project.id, plan.seed)
    return project.id, answers(plan, variant, over.questions, ids, str(project.id), over.example_ids)


def _compare(
    server: Connection, plan: Plan, over: Dataset, names: list[UUID], answered: list[list[Answered]]
) -> None:
    there_are = server.get(f"/datasets/{over.id}/comparative", list[_Comparison])
    found = next((each for each in there_are if each.name == COMPARISON), None)
    if found is None:
        body = {"experiment_ids": names, "reference_dataset_id": over.id, "name": COMPARISON}
        found = server.post("/datasets/comparative", _Comparison, body)
    send_feedback(server, preferences(plan, str(found.id), Ids(over.id, plan.seed), answered[0], answered[1]))
