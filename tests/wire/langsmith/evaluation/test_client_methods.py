"""Every public method of LangSmith's client that has to do with evaluation, called once; each finds its route."""

from __future__ import annotations

import asyncio
import inspect
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from langsmith import Client
from langsmith.evaluation import run_evaluator
from langsmith.schemas import (
    AnnotationQueueRubricItem,
    Dataset,
    DataType,
    ExampleCreate,
    ExampleUpdate,
    ExampleUpsertWithAttachments,
    FeedbackConfig,
    Run,
)

from tests.conftest import Server
from tests.wire.langsmith.evaluation.questions import answer, exact

CONCERNED = re.compile(
    "dataset|example|experiment|feedback|comparative|share|annotation|test_results|evaluat|csv"
)
SHAPE: FeedbackConfig = {"type": "continuous", "min": 0, "max": 1, "categories": None}
LABELS: FeedbackConfig = {
    "type": "categorical",
    "min": None,
    "max": None,
    "categories": [{"value": n, "label": label} for n, label in enumerate(("no", "yes", "perhaps"))],
}


class Recorded(requests.Session):
    """A session that remembers what was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[tuple[str, str, int]] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        answer = super().send(request, **options)
        self.answers.append((str(request.method), str(request.url), answer.status_code))
        return answer


@dataclass
class Stage:
    """What methods are called on: a dataset with an experiment, whose first run is `run`."""

    client: Client
    folder: Path
    dataset: Dataset
    example: uuid.UUID
    experiment: str
    project: uuid.UUID
    run: Run

    @property
    def key(self) -> str:
        return f"key-{uuid.uuid4().hex[:12]}"

    def csv(self) -> str:
        path = self.folder / "examples.csv"
        path.write_text("q,a\n1,2\n3,4\n")
        return str(path)

    def new_dataset(self) -> Dataset:
        return self.client.create_dataset(f"new {uuid.uuid4()}")

    def new_example(self) -> uuid.UUID:
        example = self.client.create_example(inputs={"q": 1}, outputs={"a": 1}, dataset_id=self.dataset.id)
        return uuid.UUID(str(example.id))

    def new_feedback(self) -> uuid.UUID:
        return self.client.create_feedback(self.run.id, "good", score=1).id

    def new_queue(self, *, filled: bool = False) -> uuid.UUID:
        queue = self.client.create_annotation_queue(name=self.key).id
        if filled:
            self.client.add_runs_to_annotation_queue(queue, run_ids=[self.run.id])
        return queue

    def new_config(self, shape: FeedbackConfig = SHAPE) -> str:
        key = self.key
        self.client.create_feedback_config(key, feedback_config=shape)
        return key

    def shared(self) -> str:
        return str(self.client.share_dataset(self.dataset.id)["share_token"])

    def unshare(self) -> None:
        self.shared()
        self.client.unshare_dataset(self.dataset.id)

    def delete_examples(self) -> None:
        for hard in (False, True):
            self.client.delete_examples([self.new_example()], hard_delete=hard)

    def version(self) -> datetime:
        return next(iter(self.client.list_dataset_versions(dataset_id=self.dataset.id))).as_of

    def project_named(self) -> str:
        name = self.key
        self.client.create_project(name)
        return name


@pytest.fixture(scope="module")
def stage(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    client = Client(api_url=server.url, api_key="any", session=Recorded())
    dataset = client.create_dataset(f"stage {uuid.uuid4()}")
    made = client.create_examples(
        dataset_id=dataset.id, examples=[{"inputs": {"q": n}, "outputs": {"a": n}} for n in range(3)]
    )
    experiment = client.evaluate(answer, data=dataset.name, evaluators=[exact]).experiment_name
    client.flush()
    project = client.read_project(project_name=experiment).id
    run = next(iter(client.list_runs(project_id=project, is_root=True)))
    folder = tmp_path_factory.mktemp("files")
    yield Stage(client, folder, dataset, made["example_ids"][0], experiment, project, run)
    client.close()


def judge(run: Run, example: Any) -> dict[str, Any]:
    return {"key": "judge", "score": 1}


def prefer(runs: list[Run], example: Any) -> dict[str, Any]:
    return {"key": "prefer", "scores": {run.id: 1 for run in runs}}


async def answer_slowly(inputs: dict[str, Any]) -> dict[str, Any]:
    return answer(inputs)


WEIGHTS = [{"part_type": "weighted_key", "weight": 1.0, "key": "exact"}]

CALLS: dict[str, Callable[[Stage, Client], Any]] = {
    # -- datasets
    "create_dataset": lambda on, it: it.create_dataset(f"new {uuid.uuid4()}", metadata={"a": 1}),
    "has_dataset": lambda on, it: it.has_dataset(dataset_id=on.dataset.id),
    "read_dataset": lambda on, it: it.read_dataset(dataset_name=on.dataset.name),
    "list_datasets": lambda on, it: list(it.list_datasets(dataset_ids=[on.dataset.id], metadata={})),
    "delete_dataset": lambda on, it: it.delete_dataset(dataset_id=on.new_dataset().id),
    "clone_public_dataset": lambda on, it: it.clone_public_dataset(
        on.shared(), source_api_url=it.api_url, dataset_name=f"clone {uuid.uuid4()}"
    ),
    "diff_dataset_versions": lambda on, it: it.diff_dataset_versions(
        on.dataset.id, from_version=on.version(), to_version="latest"
    ),
    "list_dataset_splits": lambda on, it: it.list_dataset_splits(dataset_id=on.dataset.id, as_of="latest"),
    "list_dataset_versions": lambda on, it: list(it.list_dataset_versions(dataset_id=on.dataset.id)),
    "read_dataset_version": lambda on, it: it.read_dataset_version(
        dataset_id=on.dataset.id, as_of=datetime.now(UTC)
    ),
    "update_dataset_splits": lambda on, it: it.update_dataset_splits(
        dataset_id=on.dataset.id, split_name="hard", example_ids=[on.example]
    ),
    "update_dataset_tag": lambda on, it: it.update_dataset_tag(
        dataset_id=on.dataset.id, as_of=on.version(), tag="prod"
    ),
    "read_dataset_openai_finetuning": lambda on, it: it.read_dataset_openai_finetuning(
        it.create_chat_example(
            [{"type": "human", "data": {"content": "hi"}}],
            {"type": "ai", "data": {"content": "ho"}},
            dataset_id=it.create_dataset(f"chat {uuid.uuid4()}", data_type=DataType.chat).id,
        ).dataset_id
    ),
    "upload_csv": lambda on, it: it.upload_csv(
        on.csv(), input_keys=["q"], output_keys=["a"], name=f"csv {uuid.uuid4()}"
    ),
    # -- examples
    "create_example": lambda on, it: on.new_example(),
    "create_examples": lambda on, it: it.create_examples(
        dataset_id=on.dataset.id, examples=[{"inputs": {}}], max_concurrency=2
    ),
    "create_chat_example": lambda on, it: it.create_chat_example(
        [{"type": "human", "data": {"content": "hi"}}], dataset_id=on.dataset.id
    ),
    "create_llm_example": lambda on, it: it.create_llm_example("hi", "ho", dataset_id=on.dataset.id),
    "create_example_from_run": lambda on, it: it.create_example_from_run(on.run, dataset_id=on.dataset.id),
    "read_example": lambda on, it: it.read_example(on.example, as_of=on.version()),
    "list_examples": lambda on, it: list(
        it.list_examples(dataset_id=on.dataset.id, include_attachments=True, filter='exists(metadata, "k")')
    ),
    "update_example": lambda on, it: it.update_example(
        on.new_example(), inputs={"q": 2}, dataset_id=on.dataset.id
    ),
    "update_examples": lambda on, it: it.update_examples(
        dataset_id=on.dataset.id, updates=[{"id": on.new_example(), "metadata": {"k": 1}}]
    ),
    "update_examples_multipart": lambda on, it: it.update_examples_multipart(
        dataset_id=on.dataset.id, updates=[ExampleUpdate(id=on.new_example(), inputs={"q": 3})]
    ),
    "upload_examples_multipart": lambda on, it: it.upload_examples_multipart(
        dataset_id=on.dataset.id, uploads=[ExampleCreate(inputs={"q": 4})]
    ),
    "upsert_examples_multipart": lambda on, it: it.upsert_examples_multipart(
        upserts=[ExampleUpsertWithAttachments(dataset_id=on.dataset.id, inputs={"q": 5})]
    ),
    "delete_example": lambda on, it: it.delete_example(on.new_example()),
    "delete_examples": lambda on, it: on.delete_examples(),
    # -- experiments
    "create_project": lambda on, it: it.create_project(on.key, reference_dataset_id=on.dataset.id),
    "read_project": lambda on, it: it.read_project(project_id=on.project, include_stats=True),
    "has_project": lambda on, it: it.has_project(on.experiment),
    "list_projects": lambda on, it: list(
        it.list_projects(reference_dataset_name=on.dataset.name, include_stats=True)
    ),
    "update_project": lambda on, it: it.update_project(on.project, metadata={"k": 1}),
    "delete_project": lambda on, it: it.delete_project(project_name=on.project_named()),
    "evaluate": lambda on, it: it.evaluate(on.experiment, evaluators=[judge]),
    "aevaluate": lambda on, it: asyncio.run(it.aevaluate(answer_slowly, data=on.dataset.name)),
    "evaluate_run": lambda on, it: it.evaluate_run(on.run.id, run_evaluator(judge)),
    "aevaluate_run": lambda on, it: asyncio.run(it.aevaluate_run(on.run.id, run_evaluator(judge))),
    "get_experiment_results": lambda on, it: list(
        it.get_experiment_results(name=on.experiment, preview=True)["examples_with_runs"]
    ),
    "get_test_results": lambda on, it: (
        pytest.importorskip("pandas"),
        it.get_test_results(project_name=on.experiment),
    ),
    "create_comparative_experiment": lambda on, it: it.create_comparative_experiment(
        on.key, experiments=[on.project], reference_dataset=on.dataset.id
    ),
    # -- feedback
    "create_feedback": lambda on, it: on.new_feedback(),
    "read_feedback": lambda on, it: it.read_feedback(on.new_feedback()),
    "list_feedback": lambda on, it: list(it.list_feedback(run_ids=[on.run.id], feedback_key=["exact"])),
    "update_feedback": lambda on, it: it.update_feedback(on.new_feedback(), score=0.5, comment="so so"),
    "delete_feedback": lambda on, it: it.delete_feedback(on.new_feedback()),
    "create_feedback_config": lambda on, it: on.new_config(),
    "list_feedback_configs": lambda on, it: list(it.list_feedback_configs(feedback_key=["exact"])),
    "update_feedback_config": lambda on, it: it.update_feedback_config(
        on.new_config(), is_lower_score_better=True
    ),
    "delete_feedback_config": lambda on, it: it.delete_feedback_config(on.new_config()),
    "add_feedback_categories": lambda on, it: it.add_feedback_categories(
        on.new_config(LABELS), [{"value": 3, "label": "maybe"}]
    ),
    "remove_feedback_categories": lambda on, it: it.remove_feedback_categories(on.new_config(LABELS), [1.0]),
    "create_feedback_formula": lambda on, it: it.create_feedback_formula(
        feedback_key=on.key, aggregation_type="avg", formula_parts=WEIGHTS, dataset_id=on.dataset.id
    ),
    "list_feedback_formulas": lambda on, it: list(it.list_feedback_formulas(dataset_id=on.dataset.id)),
    "get_feedback_formula_by_id": lambda on, it: it.get_feedback_formula_by_id(uuid.uuid4()),
    "update_feedback_formula": lambda on, it: it.update_feedback_formula(
        uuid.uuid4(), feedback_key=on.key, aggregation_type="sum", formula_parts=WEIGHTS
    ),
    "delete_feedback_formula": lambda on, it: it.delete_feedback_formula(uuid.uuid4()),
    "create_presigned_feedback_token": lambda on, it: it.create_presigned_feedback_token(
        on.run.id, "good", expiration=timedelta(hours=1)
    ),
    "create_presigned_feedback_tokens": lambda on, it: it.create_presigned_feedback_tokens(
        on.run.id, ["good", "bad"], feedback_configs=[SHAPE, None]
    ),
    "list_presigned_feedback_tokens": lambda on, it: list(it.list_presigned_feedback_tokens(on.run.id)),
    "create_feedback_from_token": lambda on, it: it.create_feedback_from_token(
        it.create_presigned_feedback_token(on.run.id, "good").url, score=1, metadata={"from": "a link"}
    ),
    # -- sharing
    "share_dataset": lambda on, it: it.share_dataset(dataset_name=on.dataset.name),
    "unshare_dataset": lambda on, it: on.unshare(),
    "read_dataset_shared_schema": lambda on, it: (
        on.shared(),
        it.read_dataset_shared_schema(dataset_id=on.dataset.id),
    ),
    "read_shared_dataset": lambda on, it: it.read_shared_dataset(on.shared()),
    "list_shared_examples": lambda on, it: list(it.list_shared_examples(on.shared())),
    "list_shared_projects": lambda on, it: list(it.list_shared_projects(dataset_share_token=on.shared())),
    "share_run": lambda on, it: it.share_run(on.run.id),
    "unshare_run": lambda on, it: (it.share_run(on.run.id), it.unshare_run(on.run.id)),
    "run_is_shared": lambda on, it: it.run_is_shared(on.run.id),
    "read_run_shared_link": lambda on, it: it.read_run_shared_link(on.run.id),
    "read_shared_run": lambda on, it: it.read_shared_run(_token(it.share_run(on.run.id))),
    "list_shared_runs": lambda on, it: list(it.list_shared_runs(_token(it.share_run(on.run.id)))),
    # -- annotation queues
    "create_annotation_queue": lambda on, it: it.create_annotation_queue(
        name=on.key, rubric_instructions="be kind", rubric_items=[_rubric()]
    ),
    "read_annotation_queue": lambda on, it: it.read_annotation_queue(on.new_queue()),
    "list_annotation_queues": lambda on, it: list(it.list_annotation_queues(name_contains="key", limit=3)),
    "update_annotation_queue": lambda on, it: it.update_annotation_queue(on.new_queue(), name=on.key),
    "delete_annotation_queue": lambda on, it: it.delete_annotation_queue(on.new_queue()),
    "add_runs_to_annotation_queue": lambda on, it: on.new_queue(filled=True),
    "list_runs_from_annotation_queue": lambda on, it: list(
        it.list_runs_from_annotation_queue(on.new_queue(filled=True))
    ),
    "get_run_from_annotation_queue": lambda on, it: it.get_run_from_annotation_queue(
        on.new_queue(filled=True), index=0
    ),
    "delete_run_from_annotation_queue": lambda on, it: it.delete_run_from_annotation_queue(
        on.new_queue(filled=True), run_id=on.run.id
    ),
}

NEVER_ASK = {
    "create_feedback_formula",
    "list_feedback_formulas",
    "get_feedback_formula_by_id",
    "update_feedback_formula",
    "delete_feedback_formula",
}
"""Methods that this client only has in name: they say so without a request."""


def _token(url: str) -> str:
    found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", url)
    assert found is not None
    return found[0]


def _rubric() -> AnnotationQueueRubricItem:
    return {"feedback_key": "kind", "description": "kindness"}


def _methods() -> set[str]:
    return {
        name
        for name, _ in inspect.getmembers(Client, callable)
        if not name.startswith("_") and CONCERNED.search(name)
    }


def test_the_table_has_every_method() -> None:
    assert _methods() - set(CALLS) == set()
    assert [name for name in CALLS if not hasattr(Client, name)] == []


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore")  # the client announces its own deprecations
def test_a_method(name: str, stage: Stage) -> None:
    recorded = stage.client.session
    assert isinstance(recorded, Recorded)
    recorded.answers.clear()
    if name in NEVER_ASK:
        with pytest.raises(NotImplementedError):
            CALLS[name](stage, stage.client)
        assert not recorded.answers
        return
    CALLS[name](stage, stage.client)
    stage.client.flush()
    assert recorded.answers
    assert [each for each in recorded.answers if each[2] >= 400] == []
