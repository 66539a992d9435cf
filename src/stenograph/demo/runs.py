"""Runs and feedback as LangSmith's clients send them, and traces that grow run by run."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from msgspec import Struct

from stenograph.demo.plan import Ids, moment

Json = dict[str, Any]
"""An object of the recorded program's own."""


class Run(Struct, frozen=True, omit_defaults=True):
    """One run, finished."""

    id: str
    trace_id: str
    dotted_order: str
    name: str
    run_type: str
    start_time: str
    end_time: str
    session_id: str
    inputs: Json
    outputs: Json | None = None
    error: str | None = None
    extra: Json | None = None
    events: list[Json] | None = None
    tags: tuple[str, ...] | None = None
    parent_run_id: str | None = None
    reference_example_id: str | None = None


class Feedback(Struct, frozen=True, omit_defaults=True):
    """A judgement on a run."""

    id: str
    run_id: str
    trace_id: str
    key: str
    score: float | None
    created_at: str
    value: str | None = None
    comment: str | None = None
    feedback_source: Json | None = None
    feedback_config: Json | None = None
    feedback_group_id: str | None = None
    comparative_experiment_id: str | None = None


class Place(Struct, frozen=True):
    """Where a run stands: what its children need to know."""

    id: str
    trace_id: str
    order: str
    start: dt.datetime


class Trace:
    """Collects the runs of one trace. Runs are made when they end, so children may come before their parents."""

    def __init__(self, ids: Ids, project: str, name: str) -> None:
        """`name` tells this trace from all others of the project: ids come of it."""
        self._ids, self._project, self._name = ids, project, name
        self._count = 0
        self.runs: list[Run] = []

    def place(self, start: dt.datetime, parent: Place | None = None) -> Place:
        made = self._ids.of(self._name, self._count)
        self._count += 1
        own = f"{start.strftime('%Y%m%dT%H%M%S%f')}Z{made}"
        if parent is None:
            return Place(made, made, own, start)
        return Place(made, parent.trace_id, f"{parent.order}.{own}", start)

    def end(
        self,
        place: Place,
        parent: Place | None,
        name: str,
        kind: str,
        end: dt.datetime,
        inputs: Json,
        **more: Any,
    ) -> Run:
        """Adds the run that has been at `place`. `more` are fields of Run."""
        run = Run(
            id=place.id,
            trace_id=place.trace_id,
            dotted_order=place.order,
            name=name,
            run_type=kind,
            start_time=moment(place.start),
            end_time=moment(end),
            session_id=self._project,
            inputs=inputs,
            parent_run_id=None if parent is None else parent.id,
            **more,
        )
        self.runs.append(run)
        return run


class Model(Struct, frozen=True):
    """`first` and `rate` are the usual seconds to the first token, and tokens a second after it."""

    name: str
    provider: str
    wrapper: str
    first: float
    rate: float


SMALL: Final = Model("gpt-4.1-mini", "openai", "ChatOpenAI", 0.32, 140)
ANSWERING: Final = Model("claude-sonnet-4-5", "anthropic", "ChatAnthropic", 0.75, 82)
SLOW: Final = Model("gpt-5", "openai", "ChatOpenAI", 3.9, 34)
CHEAP: Final = Model("gpt-4.1-nano", "openai", "ChatOpenAI", 0.25, 190)
EMBEDDING: Final = Model("text-embedding-3-small", "openai", "OpenAIEmbeddings", 0.05, 4000)


def tokens(text: str) -> int:
    """About as many as a tokenizer makes: a character of Japanese is one."""
    wide = sum(ord(letter) > 0x2E80 for letter in text)
    return max(1, wide + (len(text) - wide) * 10 // 41)


def usage(given: int, made: int, cached: int = 0) -> Json:
    said: Json = {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}
    return {**said, "input_token_details": {"cache_read": cached}} if cached else said


def called(model: Model, **parameters: Any) -> Json:
    """`extra` of a call of a model."""
    return {
        "metadata": {"ls_provider": model.provider, "ls_model_name": model.name, "ls_model_type": "chat"},
        "invocation_params": {"model": model.name, **parameters},
    }
