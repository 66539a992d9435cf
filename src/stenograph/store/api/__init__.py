"""The seams: what the domain may ask of a store, and what each promises.

Every call carries its workspace, in an argument or in the query value; nothing of another workspace is
ever returned. All methods raise StoreUnavailable when the engine or disk does not answer, and only that;
after it, assume nothing was written and try again.
"""

from __future__ import annotations

from typing import Protocol

from stenograph.store.api.access import Keys, Shares, Workspaces
from stenograph.store.api.blobs import BlobStore, FileJournal
from stenograph.store.api.configurations import Charts, Configurations, Tools
from stenograph.store.api.conversations import (
    Agents,
    AgentTools,
    Conversations,
    Files,
    Jobs,
    Secrets,
    SummaryTasks,
    Users,
)
from stenograph.store.api.datapoints import Datapoints
from stenograph.store.api.datasets import ComparativeExperiments, Datasets, Examples, ViewOverrides
from stenograph.store.api.docs import Docs
from stenograph.store.api.evaluations import Evaluations
from stenograph.store.api.evaluators import Evaluators, EvaluatorTasks
from stenograph.store.api.feedback import FeedbackConfigs, FeedbackFormulas, FeedbackTokens
from stenograph.store.api.insights import InsightAnswers, InsightConfigs, InsightFollowing, Insights
from stenograph.store.api.members import Members
from stenograph.store.api.projects import DeadLetters, Prices, Projects, Views
from stenograph.store.api.retention import RetentionStore
from stenograph.store.api.reviews import AnnotationQueues, QueueFilling, QueueItems
from stenograph.store.api.runs import RejectedRows, RunStore

__all__ = [
    "AgentTools",
    "Agents",
    "AnnotationQueues",
    "BlobStore",
    "Charts",
    "ComparativeExperiments",
    "Configurations",
    "Conversations",
    "Datapoints",
    "Datasets",
    "DeadLetters",
    "Docs",
    "Evaluations",
    "EvaluatorTasks",
    "Evaluators",
    "Examples",
    "FeedbackConfigs",
    "FeedbackFormulas",
    "FeedbackTokens",
    "FileJournal",
    "Files",
    "InsightAnswers",
    "InsightConfigs",
    "Insights",
    "Jobs",
    "Keys",
    "Members",
    "MetaStore",
    "Prices",
    "Projects",
    "QueueFilling",
    "QueueItems",
    "RejectedRows",
    "RetentionStore",
    "RunStore",
    "Secrets",
    "Shares",
    "SummaryTasks",
    "Tools",
    "Users",
    "ViewOverrides",
    "Views",
    "Workspaces",
]


class MetaStore(Protocol):
    """Everything that is not a run or a blob: few rows, changed one at a time, each change on disk at return.

    Whoever's write has returned is read at once, in this process and in others. Besides StoreUnavailable
    the methods raise Conflict where a name or id is taken, and Invalid for values that no table can hold
    (text with NUL or lone surrogates, integers beyond 64 bits). `offset` and `limit` are not negative; no
    `limit` means all. What belongs to another workspace does not exist: reads give None, changes do nothing.
    """

    @property
    def workspaces(self) -> Workspaces: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def members(self) -> Members: ...
    @property
    def projects(self) -> Projects: ...
    @property
    def docs(self) -> Docs: ...
    @property
    def shares(self) -> Shares: ...
    @property
    def feedback_configs(self) -> FeedbackConfigs: ...
    @property
    def feedback_formulas(self) -> FeedbackFormulas: ...
    @property
    def feedback_tokens(self) -> FeedbackTokens: ...
    @property
    def prices(self) -> Prices: ...
    @property
    def views(self) -> Views: ...
    @property
    def datasets(self) -> Datasets: ...
    @property
    def examples(self) -> Examples: ...
    @property
    def datapoints(self) -> Datapoints: ...
    @property
    def annotation_queues(self) -> AnnotationQueues: ...
    @property
    def queue_items(self) -> QueueItems: ...
    @property
    def queue_filling(self) -> QueueFilling: ...
    @property
    def comparative_experiments(self) -> ComparativeExperiments: ...
    @property
    def evaluations(self) -> Evaluations: ...
    @property
    def evaluators(self) -> Evaluators: ...
    @property
    def evaluator_tasks(self) -> EvaluatorTasks: ...
    @property
    def insights(self) -> Insights: ...
    @property
    def insight_answers(self) -> InsightAnswers: ...
    @property
    def insight_configs(self) -> InsightConfigs: ...
    @property
    def insight_following(self) -> InsightFollowing: ...
    @property
    def retention(self) -> RetentionStore: ...
    @property
    def view_overrides(self) -> ViewOverrides: ...
    @property
    def agents(self) -> Agents: ...
    @property
    def agent_tools(self) -> AgentTools: ...
    @property
    def users(self) -> Users: ...
    @property
    def conversations(self) -> Conversations: ...
    @property
    def secrets(self) -> Secrets: ...
    @property
    def files(self) -> Files: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def summary_tasks(self) -> SummaryTasks: ...
    @property
    def configurations(self) -> Configurations: ...
    @property
    def tools(self) -> Tools: ...
    @property
    def charts(self) -> Charts: ...
    @property
    def dead_letters(self) -> DeadLetters: ...

    async def close(self) -> None:
        """Finish what runs and release the files."""
