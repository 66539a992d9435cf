"""What the owner has, one of each: ids and names that requests put into paths, parameters and bodies."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any


def fresh() -> Any:
    return field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Things:
    """One of each, by id or name. `secret` stands in every text of theirs that others must not read."""

    secret: str = fresh()
    workspace: str = fresh()
    project: str = fresh()
    project_name: str = fresh()
    run: str = fresh()
    child: str = fresh()
    thread: str = fresh()
    feedback: str = fresh()
    judgement: str = fresh()
    view: str = fresh()
    saved_view: str = fresh()
    price: str = fresh()
    own_price: str = fresh()
    key: str = fresh()
    member: str = fresh()
    pending: str = fresh()
    token: str = fresh()
    """Of the link of the member who is still awaited."""
    config: str = fresh()
    formula: str = fresh()
    share: str = fresh()
    dataset_share: str = fresh()
    feedback_token: str = fresh()
    otel_trace: str = field(default_factory=lambda: uuid.uuid4().hex)
    queue: str = fresh()
    item: str = fresh()
    dataset: str = fresh()
    example: str = fresh()
    new: str = fresh()
    experiment: str = fresh()
    answer: str = fresh()
    comparison: str = fresh()
    override: str = fresh()
    letter: str = fresh()
    agent: str = fresh()
    agent_tool: str = fresh()
    doc: str = fresh()
    user_doc: str = fresh()
    user: str = fresh()
    conversation: str = fresh()
    sealed: str = fresh()
    sealed_too: str = fresh()
    stored_file: str = fresh()
    job: str = fresh()
    word: str = field(default_factory=lambda: f"w{uuid.uuid4().hex}")
    evaluation: str = fresh()
    datapoint: str = fresh()
    loose: str = fresh()
    metric: str = fresh()
    configuration: str = fresh()
    tool: str = fresh()
    chart: str = fresh()
    insight: str = fresh()
    cluster: str = fresh()
    insight_config: str = fresh()
    example_file: str = "example-attachments/nowhere/nothing?expires=1&signature=0"
    file: str = "attachments/nowhere/nothing/x?expires=1&signature=0"

    @property
    def path(self) -> dict[str, str]:
        """What stands for the parameters of a route's path."""
        return {
            "run_id": self.run, "thread_id": self.thread, "session_id": self.project, "view_id": self.view,
            "feedback_id": self.feedback, "price_id": self.price, "formula_id": self.formula, "rest": "x",
            "token": self.share, "queue_id": self.queue, "item_id": self.item, "index": "0", "reviewer_id": self.item,
            "version": "v1", "dataset_id": self.dataset, "example_id": self.example,
            "share_token": self.dataset_share, "experiment_run_id": self.answer,
            "comparative_experiment_id": self.comparison, "override_id": self.override, "agent_id": self.agent,
            "tool_id": self.agent_tool, "doc_id": self.doc, "user_id": self.user, "conversation_id": self.conversation,
            "secret_id": self.sealed, "stored_file_id": self.stored_file, "job_id": self.job,
            "metric_id": self.metric, "version_name": "v1", "project_id": self.project,
            "configuration_id": self.configuration, "chart_id": self.chart,
            "datapoint_id": self.datapoint, "evaluation_id": self.evaluation, "new_id": self.evaluation,
            "letter_id": self.letter, "judgement_id": self.judgement,
            "saved_view_id": self.saved_view, "own_price_id": self.own_price, "key_id": self.key,
            "member_id": self.member,
            "sealed_id": self.sealed_too, "kind": "agent", "owner_id": self.agent,
            "payload": "inputs", "name": "x.js",
            "old_id": self.evaluation, "insights_job_id": self.insight, "cluster_id": self.cluster,
            "insights_config_id": self.insight_config, "trace_id": self.answer, "event_id": self.child,
        }  # fmt: skip

    def runs(self) -> list[dict[str, Any]]:
        start = "20260101T000000000000Z"
        common = {
            "trace_id": self.run, "run_type": "chain", "name": f"run {self.secret}", "session_id": self.project,
            "start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:00:01Z",
            "inputs": {"q": self.secret}, "outputs": {"a": self.secret}, "tags": [self.secret],
            "extra": {"metadata": {"thread_id": self.thread, "note": self.secret}},
        }  # fmt: skip
        return [
            {**common, "id": self.run, "dotted_order": start + self.run},
            {
                **common, "id": self.child, "parent_run_id": self.run,
                "dotted_order": f"{start}{self.run}.{start}{self.child}",
            },
            {
                **common, "id": self.answer, "trace_id": self.answer, "dotted_order": start + self.answer,
                "session_id": self.experiment, "reference_example_id": self.example,
            },
        ]  # fmt: skip
