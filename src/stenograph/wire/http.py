"""What all faces share: who is calling, JSON in and out, and the services they call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from stenograph.domain.access import Access, require
from stenograph.domain.annotation.filling import QueueFilling
from stenograph.domain.annotation.items import QueueItems
from stenograph.domain.annotation.population import QueuePopulation
from stenograph.domain.annotation.queues import AnnotationQueues
from stenograph.domain.attachments import Links
from stenograph.domain.chat.chat import Chat
from stenograph.domain.conversations.conversing import Conversing
from stenograph.domain.datapoints.services import DatapointServices
from stenograph.domain.datasets.datasets import Datasets
from stenograph.domain.datasets.sharing import DatasetSharing
from stenograph.domain.evaluators.evaluation import Evaluation
from stenograph.domain.examples.examples import Examples
from stenograph.domain.experiments.experiments import Experiments
from stenograph.domain.feedback.configs import FeedbackConfigs
from stenograph.domain.feedback.feedback import FeedbackService
from stenograph.domain.feedback.formulas import FeedbackFormulas
from stenograph.domain.feedback.tokens import FeedbackTokens
from stenograph.domain.insights.insights import Insights
from stenograph.domain.members import Members
from stenograph.domain.objects.objects import Objects
from stenograph.domain.page import Page
from stenograph.domain.projects.deletion import ProjectDeletion
from stenograph.domain.projects.projects import Projects
from stenograph.domain.projects.stats import ProjectStats
from stenograph.domain.recall.recalling import Recalling
from stenograph.domain.recording.dead_letters import DeadLetters
from stenograph.domain.recording.derive import moment
from stenograph.domain.recording.ingest import Ingest
from stenograph.domain.retention.retention import RetentionServices
from stenograph.domain.runs import RunReader
from stenograph.domain.sharing import Sharing
from stenograph.domain.unclaimed_files import UnclaimedFiles
from stenograph.domain.usage.prices import PriceBook
from stenograph.errors import Invalid
from stenograph.model.access import Caller, Permission
from stenograph.observability import Metrics
from stenograph.settings import Settings
from stenograph.store.api import BlobStore, MetaStore
from stenograph.wire.bodies import Bodies
from stenograph.wire.payloads import Payloads, clean

T = TypeVar("T")

MAX_MESSAGE: Final = 1000
"""Characters of a decoder's message that are told to clients."""

_encoder = msgspec.json.Encoder(decimal_format="string")


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a face may call, put together in main.py and hung on the application's state."""

    settings: Settings
    metrics: Metrics
    access: Access
    members: Members
    ingest: Ingest
    projects: Projects
    project_stats: ProjectStats
    deletion: ProjectDeletion
    runs: RunReader
    feedback: FeedbackService
    feedback_configs: FeedbackConfigs
    feedback_formulas: FeedbackFormulas
    feedback_tokens: FeedbackTokens
    sharing: Sharing
    retention: RetentionServices
    datasets: Datasets
    dataset_sharing: DatasetSharing
    examples: Examples
    datapoints: DatapointServices
    experiments: Experiments
    evaluation: Evaluation
    annotation_queues: AnnotationQueues
    queue_items: QueueItems
    queue_population: QueuePopulation
    conversing: Conversing
    recalling: Recalling
    chat: Chat
    queue_filling: QueueFilling
    objects: Objects
    insights: Insights
    page: Page
    links: Links
    prices: PriceBook
    meta: MetaStore
    blobs: BlobStore
    files: UnclaimedFiles
    dead_letters: DeadLetters
    bodies: Bodies
    payloads: Payloads


def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def api_key(request: Request) -> str | None:
    """The key a client sent, in whichever header its SDK uses."""
    key = request.headers.get("x-api-key")
    if key:
        return key
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


async def caller(request: Request, permission: Permission) -> Caller:
    """Who is calling, allowed to do this; Unauthenticated or Forbidden otherwise."""
    found = await services(request).access.authenticate(api_key(request))
    require(found, permission)
    return found


async def body_as(request: Request, kind: type[T]) -> T:
    """The JSON body as `kind`; an empty body counts as {}. Invalid names the path to what is wrong."""
    async with services(request).bodies.read(request) as raw:
        return decode(raw, kind)


def decode(raw: bytes, kind: type[T]) -> T:
    """JSON as `kind`; Invalid names the path to what is wrong."""
    try:
        return msgspec.json.decode(clean(raw) or b"{}", type=kind)
    except msgspec.ValidationError as error:
        text, _, path = _message(error).partition(" - at `$")
        where = tuple(step for step in path.rstrip("`").replace("[", ".[").split(".") if step)
        raise Invalid(text, where=("body", *where)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"the body is not valid JSON: {error}", where=("body",)) from None
    except RecursionError:
        raise Invalid("the body is nested too deeply", where=("body",)) from None


def _message(error: msgspec.ValidationError) -> str:
    """What msgspec says. It repeats a value that is none of a list, whatever its length, and says last where."""
    text = str(error)
    return text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE // 2]}…{text[-MAX_MESSAGE // 2 :]}"


@contextmanager
def of_body() -> Iterator[None]:
    """What is found wrong inside is a mistake in the body: Invalid gets its full path."""
    try:
        yield
    except Invalid as error:
        if not error.where or error.where[0] == "body":
            raise
        raise Invalid(error.message, ("body", *error.where)) from None


def encode(value: Any, status: int = 200) -> Response:
    """A JSON answer. `msgspec.Raw` inside is spliced in as it is.

    Clients ask again for whatever has a status of 500 or more; what is not offered will not be there the next time.
    """
    headers = {"x-should-retry": "false"} if status == 501 else None
    return Response(_encoder.encode(value), status, headers, media_type="application/json")


def path_uuid(request: Request, name: str) -> UUID:
    """A uuid of the path; Invalid when it is none."""
    return as_uuid(request.path_params[name], ("path", name))


def as_uuid(text: str, where: tuple[str | int, ...]) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(f"{text[:80]!r} is not a uuid", where=where) from None


_TRUE = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE = frozenset({"false", "0", "no", "off", "f", "n", ""})


class Params:
    """Query parameters, each read as a type; Invalid names the parameter."""

    def __init__(self, request: Request) -> None:
        self._found = request.query_params

    def text(self, name: str) -> str | None:
        return self._found.get(name)

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self._found.getlist(name))

    def flag(self, name: str) -> bool | None:
        """true/True/1 …; None when absent."""
        value = self._found.get(name)
        if value is None:
            return None
        if value.lower() in _TRUE:
            return True
        if value.lower() in _FALSE:
            return False
        raise Invalid(f"{value[:40]!r} is not true or false", where=("query", name))

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number within bounds, both inclusive."""
        value = self._found.get(name)
        if value is None or value == "":
            return default
        try:
            number = int(value)
        except ValueError:
            raise Invalid(f"{value[:40]!r} is not a whole number", where=("query", name)) from None
        if not low <= number <= high:
            raise Invalid(f"{number} is not within {low} and {high}", where=("query", name))
        return number

    def uuid(self, name: str) -> UUID | None:
        value = self._found.get(name)
        return as_uuid(value, ("query", name)) if value else None

    def uuids(self, name: str) -> tuple[UUID, ...]:
        return tuple(as_uuid(value, ("query", name)) for value in self._found.getlist(name) if value)

    def time(self, name: str) -> int | None:
        """Microseconds since the epoch."""
        value = self._found.get(name)
        return None if not value else as_micros(value, ("query", name))


def as_micros(value: str | float | dt.datetime, where: tuple[str | int, ...]) -> int:
    """A client's time; Invalid when it is none."""
    if isinstance(value, str) and value.replace(".", "", 1).isdecimal():  # a superscript is a digit
        value = float(value)
    found = moment(value)
    if found is None:
        raise Invalid(f"{str(value)[:60]!r} is not a time such as 2024-01-31T09:30:00Z", where=where)
    return found
