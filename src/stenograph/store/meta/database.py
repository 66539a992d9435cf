"""Opens the metadata store: brings its tables up to date and gathers its nouns.

The only implementation of `store.api.MetaStore`; the URL's engine is a matter of `dialect.py`.
"""

from __future__ import annotations

import time
from typing import Final
from uuid import uuid4

import sqlalchemy as sa

from stenograph.model.access import DEFAULT_WORKSPACE, Workspace
from stenograph.model.projects import DEFAULT_PROJECT, Project
from stenograph.store.meta import dialect, revision, tables, workspaces
from stenograph.store.meta.agent_tools import AgentTools
from stenograph.store.meta.agents import Agents
from stenograph.store.meta.annotation_queues import AnnotationQueues
from stenograph.store.meta.charts import Charts
from stenograph.store.meta.comparative_experiments import ComparativeExperiments
from stenograph.store.meta.configurations import Configurations
from stenograph.store.meta.conversations import Conversations
from stenograph.store.meta.datapoints import Datapoints
from stenograph.store.meta.datasets import Datasets
from stenograph.store.meta.dead_letters import DeadLetters
from stenograph.store.meta.docs import Docs
from stenograph.store.meta.engine import Engine, parse_url
from stenograph.store.meta.evaluations import Evaluations
from stenograph.store.meta.evaluator_tasks import EvaluatorTasks
from stenograph.store.meta.evaluators import Evaluators
from stenograph.store.meta.examples import Examples
from stenograph.store.meta.feedback_configs import FeedbackConfigs
from stenograph.store.meta.feedback_formulas import FeedbackFormulas
from stenograph.store.meta.feedback_tokens import FeedbackTokens
from stenograph.store.meta.files import Files
from stenograph.store.meta.insight_answers import InsightAnswers
from stenograph.store.meta.insight_following import InsightFollowing
from stenograph.store.meta.insights import InsightConfigs, Insights
from stenograph.store.meta.jobs import Jobs
from stenograph.store.meta.keys import Keys
from stenograph.store.meta.members import Members
from stenograph.store.meta.prices import Prices
from stenograph.store.meta.projects import Projects
from stenograph.store.meta.queue_filling import QueueFilling
from stenograph.store.meta.queue_items import QueueItems
from stenograph.store.meta.retention import RetentionStore
from stenograph.store.meta.secrets import Secrets
from stenograph.store.meta.shares import Shares
from stenograph.store.meta.summary_tasks import SummaryTasks
from stenograph.store.meta.tools import Tools
from stenograph.store.meta.users import Users
from stenograph.store.meta.view_overrides import ViewOverrides
from stenograph.store.meta.views import Views
from stenograph.store.meta.workspaces import Workspaces


class Database:
    """Implements `store.api.MetaStore`."""

    def __init__(self, engine: Engine) -> None:
        self.engine: Final = engine
        self.workspaces: Final = Workspaces(engine)
        self.keys: Final = Keys(engine)
        self.members: Final = Members(engine)
        self.projects: Final = Projects(engine)
        self.shares: Final = Shares(engine)
        self.feedback_configs: Final = FeedbackConfigs(engine)
        self.feedback_formulas: Final = FeedbackFormulas(engine)
        self.feedback_tokens: Final = FeedbackTokens(engine)
        self.prices: Final = Prices(engine)
        self.views: Final = Views(engine)
        self.datasets: Final = Datasets(engine)
        self.examples: Final = Examples(engine)
        self.datapoints: Final = Datapoints(engine)
        self.annotation_queues: Final = AnnotationQueues(engine)
        self.queue_items: Final = QueueItems(engine)
        self.queue_filling: Final = QueueFilling(engine)
        self.comparative_experiments: Final = ComparativeExperiments(engine)
        self.evaluations: Final = Evaluations(engine)
        self.evaluators: Final = Evaluators(engine)
        self.evaluator_tasks: Final = EvaluatorTasks(engine)
        self.insights: Final = Insights(engine)
        self.insight_answers: Final = InsightAnswers(engine)
        self.insight_configs: Final = InsightConfigs(engine)
        self.insight_following: Final = InsightFollowing(engine)
        self.retention: Final = RetentionStore(engine)
        self.view_overrides: Final = ViewOverrides(engine)
        self.docs: Final = Docs(engine)
        self.agents: Final = Agents(engine)
        self.agent_tools: Final = AgentTools(engine)
        self.users: Final = Users(engine)
        self.conversations: Final = Conversations(engine)
        self.secrets: Final = Secrets(engine)
        self.files: Final = Files(engine)
        self.jobs: Final = Jobs(engine)
        self.summary_tasks: Final = SummaryTasks(engine)
        self.configurations: Final = Configurations(engine)
        self.tools: Final = Tools(engine)
        self.charts: Final = Charts(engine)
        self.dead_letters: Final = DeadLetters(engine)

    async def close(self) -> None:
        await self.engine.close()


async def open_meta(url: str) -> Database:
    """The store at `sqlite:///path` or `postgresql+psycopg://…`, its tables at the newest revision.

    The first open creates the default workspace and its project `default`. Several processes may open one
    store at once. Invalid for a URL that names no such store; StoreUnavailable when it does not answer, or
    was written by a newer version of this program.
    """
    engine = Engine(parse_url(url))
    try:
        await engine.write(_bring_up_to_date)
    except BaseException:
        await engine.close()
        raise
    return Database(engine)


def _bring_up_to_date(connection: sa.Connection) -> None:
    """Migrate and seed in the one transaction, so that nobody meets a store that is half made."""
    dialect.serialise(connection, "stenograph migrations")
    if revision.stored(connection) != revision.revisions()[-1]:
        from stenograph.store.meta import migrating  # Alembic takes 10 MB, which most starts have no use for

        migrating.migrate(connection)
    known = sa.select(tables.workspaces.c.id).where(tables.workspaces.c.id == DEFAULT_WORKSPACE)
    if connection.execute(known).first() is None:
        now = time.time_ns() // 1000
        workspaces.add(
            connection,
            Workspace(id=DEFAULT_WORKSPACE, name="Default", handle="default", created_at=now),
            Project(
                id=uuid4(),
                workspace=DEFAULT_WORKSPACE,
                name=DEFAULT_PROJECT,
                start_time=now,
                created_at=now,
                modified_at=now,
            ),
        )
