"""What the server says about itself: its logs, and the numbers behind GET /metrics.

Not for what users record. No payload and no key may reach a log line or a metric's label.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, Literal, TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from stenograph.settings import LogLevel, Settings

# ---- logs ------------------------------------------------------------------------------------------------

# Far above any line of ours; an exception's text can quote a whole request.
_LONGEST_TEXT = 8000

# Names of event fields whose values never belong in a log, whoever put them there.
_SECRET_FIELDS = frozenset(
    {"api_key", "authorization", "cookie", "password", "secret", "token", "x-api-key", "x_api_key"}
    | {"attachments", "body", "extra", "inputs", "messages", "outputs", "payload", "serialized"}
)
# Secrets inside a text: `x-api-key: …`, `Bearer …`, a URL's password, and the keys of ours and of vendors.
_SECRET_TEXTS = (
    (
        re.compile(r"(?i)((?:x-api-key|api[_-]?key|authorization)['\"]?\s*[:=]\s*)(?:bearer\s+)?[^\s,;&]+"),
        r"\1***",
    ),
    (re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]+"), r"\1***"),
    (re.compile(r"(://[^/@\s:]*:)[^/@\s]+@"), r"\1***@"),
    (re.compile(r"\b((?:sk|pk|lsv2)[-_])[\w-]{12,}"), r"\1***"),
)
# A name that a stranger chose must not move the reader's cursor or begin a line. Tracebacks stay lines.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROLS_BUT_NEWLINE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_FIELDS_OF_LINES = ("exception", "stack")
_LEVELS: Mapping[LogLevel, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
# Libraries that are of interest only when they complain.
_TALKATIVE = (
    "alembic", "asyncio", "httpcore2", "httpx", "httpx2", "openai", "sqlalchemy", "uvicorn.error",
)  # fmt: skip


def _without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secret fields, secrets inside texts, and the tails of very long texts."""
    for name, value in event.items():
        if name.lower() in _SECRET_FIELDS:
            event[name] = "***"
        elif isinstance(value, str):
            event[name] = _clean(value, lines=name in _FIELDS_OF_LINES)
        elif isinstance(value, bytes | Mapping | list | tuple | set):
            event[name] = _clean(repr(value))
    return event


def _clean(text: str, *, lines: bool = False) -> str:
    if len(text) > _LONGEST_TEXT:
        half = _LONGEST_TEXT // 2
        text = f"{text[:half]} … {len(text) - _LONGEST_TEXT} characters left out … {text[-half:]}"
    for pattern, replacement in _SECRET_TEXTS:
        text = pattern.sub(replacement, text)
    controls = _CONTROLS_BUT_NEWLINE if lines else _CONTROLS
    return controls.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _without_color(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.pop("color_message", None)  # uvicorn says everything twice, once with terminal colours
    return event


def _in_order(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What a person looks for comes first."""
    first = {"timestamp": event.pop("timestamp"), "level": event.pop("level"), "message": event.pop("event")}
    return first | dict(event)


def configure_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Send every log line of the process to `stream` (standard error), one format for all.

    Ours through structlog; those of uvicorn and of libraries through the standard library. uvicorn has to be
    run with `log_config=None`. Its access log is switched off: it quotes query strings, which hold filters.
    """
    stream = stream or sys.stderr
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not stream.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_color,
    ]
    # Tracebacks are plain on purpose: the richer ones print local variables, which are payloads.
    last: list[Any] = [structlog.processors.format_exc_info, _without_secrets]
    if as_json:
        last += [
            _in_order,
            structlog.processors.JSONRenderer(default=repr),
        ]
    else:
        plain = structlog.dev.plain_traceback
        last += [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    _route_standard_logging(handler, _LEVELS[settings.log_level])


def _route_standard_logging(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.disabled = name == "uvicorn.access"
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING if level > logging.DEBUG else logging.INFO)
    logging.captureWarnings(capture=True)


# ---- metrics ---------------------------------------------------------------------------------------------

METRICS_CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

Kind = Literal["run", "feedback"]
Refusal = Literal["invalid", "too_large", "trace_full", "forbidden", "inbox_full", "disk_full", "unavailable"]

# Goals are acknowledgements at 10 ms (p50) and 150 ms (p99), and reads at 30 ms: edges stand there.
_REQUEST_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10, 30)
_QUERY_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
# An insert costs about 15 ms however small, and a full batch of 5,000 about 0.3 s.
_FLUSH_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 30)
_FLUSH_ROWS = (1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000)

# Labels are bounded: a method or path that a stranger makes up must not become a time series.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The server's counters, gauges and histograms, in a registry of its own. Made once, passed down.

    docs/operations.md lists every one of them. `kind` is what a record is: a run or a feedback.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._make_ingest()
        self._make_gauges()
        self._make_timings()

    def _make_ingest(self) -> None:
        self._accepted = self._counter("records_accepted", "Records acknowledged: they are on disk.", "kind")
        self._stored = self._counter("records_stored", "Records written to the run store.", "kind")
        self._refused = self._counter("records_refused", "Records not accepted, by reason.", "kind", "reason")
        self._dead = self._counter(
            "records_dead_lettered", "Acknowledged records that the run store refused; kept apart.", "kind"
        )
        self._received = self._counter("received_bytes", "Bytes of request bodies, as sent.")
        self._evaluations = self._counter(
            "evaluations", "Attempts of evaluators at new events, by what became of them.", "outcome"
        )
        self._expired_traces = self._counter("expired_traces", "Traces deleted by age.")
        self._expired_runs = self._counter("expired_runs", "Runs of those traces.")

    def _make_gauges(self) -> None:
        self._inbox_bytes = self._gauge("inbox_bytes", "Bytes in the inbox, waiting for the run store.")
        self._inbox_age = self._gauge(
            "inbox_oldest_age_seconds", "Age of the oldest record that waits; 0 when none does."
        )
        self._pending_runs = self._gauge("pending_runs", "Runs in memory on their way to the run store.")
        self._pending_bytes = self._gauge("pending_bytes", "Bytes of those runs.")
        self._inflight_bytes = self._gauge("inflight_bytes", "Decompressed bytes that requests work on.")
        self._evaluations_waiting = self._gauge(
            "evaluations_waiting", "Evaluations of new events that are still to be made."
        )
        self._disk_free = self._gauge("data_dir_free_bytes", "Free bytes on the data folder's disk.")

    def _make_timings(self) -> None:
        self._flush_seconds = self._histogram(
            "flush_duration_seconds", "Time to write one batch to the run store.", _FLUSH_SECONDS
        )
        self._flush_rows = self._histogram("flush_rows", "Rows of one batch.", _FLUSH_ROWS)
        self._query_seconds = self._histogram(
            "query_duration_seconds", "Time of a read from the run store.", _QUERY_SECONDS, "operation"
        )
        self._requests = self._counter("http_requests", "Requests answered.", "method", "route", "status")
        self._request_seconds = self._histogram(
            "http_request_duration_seconds", "Time to answer.", _REQUEST_SECONDS, "method", "route"
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace="stenograph", registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, namespace="stenograph", registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, text, labels, namespace="stenograph", registry=self.registry, buckets=buckets)

    # -- what happened ---------------------------------------------------------------------------------

    def accepted(self, kind: Kind, count: int = 1) -> None:
        self._accepted.labels(kind).inc(count)

    def stored(self, kind: Kind, count: int = 1) -> None:
        self._stored.labels(kind).inc(count)

    def refused(self, kind: Kind, reason: Refusal, count: int = 1) -> None:
        self._refused.labels(kind, reason).inc(count)

    def dead_lettered(self, kind: Kind, count: int = 1) -> None:
        self._dead.labels(kind).inc(count)

    def received(self, size: int) -> None:
        """`size` bytes of a request body came over the wire."""
        self._received.inc(size)

    def evaluated(self, outcome: str) -> None:
        """An evaluator was run on a new event. `outcome` is the status of the task then (model/evaluators.py)."""
        self._evaluations.labels(outcome).inc()

    def expired(self, traces: int, runs: int) -> None:
        """So many traces were deleted by age, with their runs."""
        self._expired_traces.inc(traces)
        self._expired_runs.inc(runs)

    def flushed(self, rows: int, seconds: float) -> None:
        """One batch was written to the run store."""
        self._flush_rows.observe(rows)
        self._flush_seconds.observe(seconds)

    def querying(self, operation: str) -> AbstractContextManager[Any]:
        """Times the block it wraps, also when that fails. `operation` is a store method's name."""
        return self._query_seconds.labels(operation).time()

    def answered(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """One request was answered. `route` is the template (`/runs/{run_id}`), None when nothing matched."""
        method = method if method in _METHODS else "other"
        route = route or "unmatched"
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(method, route).observe(seconds)

    # -- what is: asked at every scrape ------------------------------------------------------------------

    def watch_inbox(self, size: Callable[[], float], oldest_age: Callable[[], float]) -> None:
        """`size` in bytes, `oldest_age` in seconds."""
        self._inbox_bytes.set_function(_reading(size))
        self._inbox_age.set_function(_reading(oldest_age))

    def watch_pending(self, runs: Callable[[], float], size: Callable[[], float]) -> None:
        self._pending_runs.set_function(_reading(runs))
        self._pending_bytes.set_function(_reading(size))

    def watch_inflight(self, size: Callable[[], float]) -> None:
        self._inflight_bytes.set_function(_reading(size))

    def watch_evaluations(self, waiting: Callable[[], float]) -> None:
        self._evaluations_waiting.set_function(_reading(waiting))

    def watch_disk(self, free: Callable[[], float]) -> None:
        self._disk_free.set_function(_reading(free))

    def render(self) -> bytes:
        """The body of GET /metrics, in Prometheus's text format (METRICS_CONTENT_TYPE)."""
        return generate_latest(self.registry)


def _reading(ask: Callable[[], float]) -> Callable[[], float]:
    """`ask`, or NaN when it fails: one gauge without a value is better than a scrape without any."""

    def value() -> float:
        try:
            return ask()
        except Exception:
            return float("nan")

    return value
