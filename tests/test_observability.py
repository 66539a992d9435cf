"""Logs that never tell secrets, and metrics that are all in the docs."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from stenograph.observability import Metrics, configure_logging
from stenograph.settings import read_settings

OPERATIONS = Path(__file__).parents[1] / "docs" / "operations.md"
UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Logging belongs to the process: give it back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers = handlers
    root.setLevel(level)
    for name in UVICORN:
        logging.getLogger(name).disabled = False


def logging_into(log_format: str = "json", log_level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    configure_logging(read_settings({"log_format": log_format, "log_level": log_level}), stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


# -- logs ------------------------------------------------------------------------------------------------


def test_our_lines_are_json_with_time_level_and_fields() -> None:
    stream = logging_into()
    structlog.get_logger("stenograph.inbox").warning("nearly full", used=17)
    (line,) = lines(stream)
    assert list(line)[:3] == ["timestamp", "level", "message"]
    assert line["timestamp"].endswith("Z")
    assert (line["level"], line["message"], line["used"]) == ("warning", "nearly full", 17)
    assert line["logger"] == "stenograph.inbox"


def test_lines_of_libraries_and_warnings_have_the_same_form() -> None:
    stream = logging_into()
    logging.getLogger("some.library").info("took %d ms", 5)
    logging.getLogger("uvicorn.error").error("went wrong", extra={"color_message": "\x1b[1mwent wrong"})
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    took, wrong, old = lines(stream)
    assert (took["message"], took["level"], took["logger"]) == ("took 5 ms", "info", "some.library")
    assert (wrong["message"], wrong["level"]) == ("went wrong", "error")
    assert "color_message" not in wrong
    assert "DeprecationWarning: old" in old["message"]


def test_context_of_a_request_is_in_its_lines() -> None:
    stream = logging_into()
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger().info("inside")
    structlog.get_logger().info("outside")
    inside, outside = lines(stream)
    assert inside["request_id"] == "r1"
    assert "request_id" not in outside


def test_lines_below_the_level_are_left_out() -> None:
    stream = logging_into(log_level="warning")
    structlog.get_logger().info("no")
    logging.getLogger("x").info("no")
    structlog.get_logger().error("yes")
    assert [line["message"] for line in lines(stream)] == ["yes"]


def test_uvicorns_access_log_is_off_because_it_quotes_query_strings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stream = logging_into(log_level="debug")
    logging.getLogger("uvicorn.access").warning("GET /runs?filter=secret")
    assert stream.getvalue() == ""
    assert capsys.readouterr() == ("", "")


def test_auto_is_json_when_nobody_watches() -> None:
    stream = logging_into(log_format="auto")
    structlog.get_logger().info("hello")
    assert lines(stream)[0]["message"] == "hello"


def test_the_console_form_is_one_plain_line() -> None:
    stream = logging_into(log_format="console")
    structlog.get_logger("a").info("stored", runs=5)
    assert re.search(r"\[info +\] stored +\[a\] runs=5\n$", stream.getvalue())
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize(
    "text",
    [
        "x-api-key: sesame",
        "{'x-api-key': 'sesame'}",
        "api_key=sesame",
        "Authorization: Bearer sesame",
        "got bearer sesame.sesame",
        "postgresql://me:sesame@db/x",
        "lsv2_pt_sesamesesame1234",
    ],
)
def test_a_secret_inside_a_text_is_hidden(text: str, log_format: str) -> None:
    stream = logging_into(log_format)
    structlog.get_logger().info(f"say {text} end", also=text, nested=[text], deep={"a": text})
    logging.getLogger("x").info("say %s end", text)
    structlog.get_logger().error("failed", exc_info=ValueError(text))
    assert "sesame" not in stream.getvalue()
    assert "***" in stream.getvalue()


@pytest.mark.parametrize("field", ["inputs", "outputs", "api_key", "Authorization", "x-api-key", "body"])
def test_a_field_that_holds_a_payload_or_a_key_is_hidden(field: str) -> None:
    stream = logging_into()
    structlog.get_logger().info("x", **{field: {"open": "sesame"}})
    assert lines(stream)[0][field] == "***"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_values_of_variables(log_format: str) -> None:
    stream = logging_into(log_format)

    def fail(payload: str) -> None:
        raise RuntimeError("broken" + payload[:0])

    try:
        fail("sesame")
    except RuntimeError:
        structlog.get_logger().exception("failed")
    assert "RuntimeError: broken" in stream.getvalue()
    assert "sesame" not in stream.getvalue().replace('fail("sesame")', "").replace('fail(\\"sesame\\")', "")


def test_a_very_long_text_is_cut_in_the_middle() -> None:
    stream = logging_into()
    structlog.get_logger().info("a" * 1_000_000 + "the end")
    message = lines(stream)[0]["message"]
    assert len(message) < 9000
    assert message.endswith("the end")
    assert "characters left out" in message


@given(st.text(), st.text())
def test_no_text_can_forge_a_line_or_move_the_cursor(message: str, value: str) -> None:
    stream = logging_into("console")
    structlog.get_logger().info(message, value=value)
    shown = stream.getvalue()
    assert shown.count("\n") == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)
    stream = logging_into("json")
    structlog.get_logger().info(message, value=value)
    assert len(lines(stream)) == 1


# -- metrics ---------------------------------------------------------------------------------------------


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"stenograph_{name}", labels)


def test_records_are_counted_by_kind_and_reason() -> None:
    metrics = Metrics()
    metrics.accepted("run", 5)
    metrics.accepted("run")
    metrics.accepted("feedback", 2)
    metrics.stored("run", 4)
    metrics.refused("run", "too_large")
    metrics.dead_lettered("feedback", 3)
    metrics.received(1000)
    assert sample(metrics, "records_accepted_total", kind="run") == 6
    assert sample(metrics, "records_accepted_total", kind="feedback") == 2
    assert sample(metrics, "records_stored_total", kind="run") == 4
    assert sample(metrics, "records_refused_total", kind="run", reason="too_large") == 1
    assert sample(metrics, "records_dead_lettered_total", kind="feedback") == 3
    assert sample(metrics, "received_bytes_total") == 1000


def test_two_servers_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.accepted("run")
    assert sample(other, "records_accepted_total", kind="run") is None


def test_gauges_ask_when_they_are_read() -> None:
    metrics = Metrics()
    size = 10
    metrics.watch_inbox(lambda: size, lambda: 2.5)
    metrics.watch_pending(lambda: 3, lambda: 300)
    metrics.watch_inflight(lambda: 7)
    metrics.watch_disk(lambda: 8)
    size = 20
    assert sample(metrics, "inbox_bytes") == 20
    assert sample(metrics, "inbox_oldest_age_seconds") == 2.5
    assert sample(metrics, "pending_runs") == 3
    assert sample(metrics, "pending_bytes") == 300
    assert sample(metrics, "inflight_bytes") == 7
    assert sample(metrics, "data_dir_free_bytes") == 8


def test_a_gauge_that_fails_does_not_take_the_others_along() -> None:
    metrics = Metrics()
    metrics.watch_disk(lambda: 1 / 0)
    metrics.accepted("run")
    text = metrics.render().decode()
    assert "stenograph_data_dir_free_bytes NaN" in text
    assert 'stenograph_records_accepted_total{kind="run"} 1.0' in text


def test_flushes_are_seen_by_rows_and_time() -> None:
    metrics = Metrics()
    metrics.flushed(rows=5000, seconds=0.25)
    assert sample(metrics, "flush_rows_bucket", le="2500.0") == 0
    assert sample(metrics, "flush_rows_bucket", le="5000.0") == 1
    assert sample(metrics, "flush_duration_seconds_sum") == 0.25


def test_a_query_is_timed_also_when_it_fails() -> None:
    metrics = Metrics()
    with pytest.raises(TimeoutError), metrics.querying("page"):
        raise TimeoutError
    assert sample(metrics, "query_duration_seconds_count", operation="page") == 1


def test_requests_are_counted_by_template_and_strangers_make_no_series() -> None:
    metrics = Metrics()
    metrics.answered("GET", "/runs/{run_id}", 200, 0.004)
    for at in range(50):
        metrics.answered(f"METHOD{at}", None, 404, 0.001)
    request = {"method": "GET", "route": "/runs/{run_id}"}
    assert sample(metrics, "http_requests_total", **request, status="200") == 1
    assert sample(metrics, "http_request_duration_seconds_bucket", **request, le="0.002") == 0
    assert sample(metrics, "http_request_duration_seconds_bucket", **request, le="0.005") == 1
    unmatched = {"method": "other", "route": "unmatched", "status": "404"}
    assert sample(metrics, "http_requests_total", **unmatched) == 50


def test_the_docs_list_exactly_the_metrics_there_are() -> None:
    listed = set(re.findall(r"^\| `(stenograph_\w+)` \|", OPERATIONS.read_text(), re.MULTILINE))
    there = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in Metrics().registry.collect()
        if family.name.startswith("stenograph_")
    }
    assert listed == there


@pytest.mark.skipif(sys.platform != "linux", reason="the system tells this on Linux only")
def test_the_process_itself_is_measured() -> None:
    assert b"process_resident_memory_bytes" in Metrics().render()
