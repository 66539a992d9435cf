"""The table of settings: what it reads, what it refuses, and that its page in the docs is this table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BeforeValidator

from stenograph.setting_values import GiB, KiB, MiB, format_bytes, parse_bytes, redact_url
from stenograph.settings import Settings, SettingsError, read_settings, unknown_variables
from stenograph.settings_page import settings_page

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"STENOGRAPH_{name.upper()}", raising=False)


def refusal(**given: object) -> str:
    with pytest.raises(SettingsError) as refused:
        read_settings(given)
    return str(refused.value)


# -- reading ---------------------------------------------------------------------------------------------


def test_a_bare_environment_gives_an_open_server_on_loopback_with_all_data_in_one_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings()
    folder = tmp_path / "stenograph-data"
    assert (settings.host, settings.port, settings.auth_open) == ("127.0.0.1", 1984, True)
    assert settings.data_dir == folder
    assert settings.inbox_dir == folder / "inbox"
    assert settings.runs_dir == folder / "runs"
    assert settings.runs_location == f"chdb://{folder}/runs"
    assert settings.meta_location == f"sqlite:///{folder}/meta.db"
    assert settings.blobs_location == f"file://{folder}/blobs"


def test_the_data_folder_stays_where_it_was_when_the_process_moves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings({"data_dir": "here"})
    monkeypatch.chdir("/")
    assert settings.data_dir == tmp_path / "here"


def test_the_environment_wins_over_defaults_and_overrides_win_over_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STENOGRAPH_PORT", "2000")
    monkeypatch.setenv("STENOGRAPH_MAX_BODY_BYTES", "12 MiB")
    assert read_settings().port == 2000
    assert read_settings().max_body_bytes == 12 * MiB
    assert read_settings({"port": 3000}).port == 3000
    assert read_settings({"port": None}).port == 2000


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STENOGRAPH_PORT", "")
    assert read_settings().port == 1984


def test_settings_cannot_be_changed() -> None:
    settings = read_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_urls_of_stores_stay_out_of_the_printed_settings() -> None:
    assert "sesame" not in repr(read_settings({"meta_url": "postgresql://u:sesame@db/stenograph"}))


# -- who may come in -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "auth", "is_open"),
    [
        ("127.0.0.1", "auto", True),
        ("127.8.8.8", "auto", True),
        ("localhost", "auto", True),
        ("[::1]", "auto", True),
        ("0.0.0.0", "auto", False),
        ("::", "auto", False),
        ("192.168.1.5", "auto", False),
        ("traces.example.com", "auto", False),
        ("127.0.0.1.example.com", "auto", False),
        ("127.0.0.1", "keys", False),
        ("127.0.0.1", "open", True),
    ],
)
def test_only_loopback_is_open(host: str, auth: str, is_open: bool) -> None:
    assert read_settings({"host": host, "auth": auth}).auth_open is is_open


def test_open_on_an_address_that_others_reach_is_refused() -> None:
    assert "auth='keys'" in refusal(host="0.0.0.0", auth="open")


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://localhost:1984"),
        ({"host": "0.0.0.0", "port": 8000}, "http://localhost:8000"),
        ({"host": "fd00::7"}, "http://[fd00::7]:1984"),
        ({"host": "box.lan"}, "http://box.lan:1984"),
        ({"public_url": "https://traces.example.com/"}, "https://traces.example.com"),
    ],
)
def test_the_address_to_paste_into_a_client(given: dict[str, object], url: str) -> None:
    assert read_settings(given).local_url == url


# -- refusing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("port", "70000", "less than or equal to 65535"),
        ("port", "http", "valid integer"),
        ("auth", "none", "'auto', 'open' or 'keys'"),
        ("log_level", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("max_body_bytes", "5M", "512KiB, 100MB or 4GiB"),
        ("max_body_bytes", "-1", "such as 1048576"),
        ("max_body_bytes", "0", "greater than or equal to 1024"),
        ("flush_seconds", "nan", "finite"),
        ("flush_seconds", "0", "greater than 0"),
        ("max_json_depth", "100000", "less than or equal to 5000"),
        ("host", "localhost:80", "without a port"),
        ("host", "http://localhost", "without a port"),
        ("host", " ", "without a port"),
        ("public_url", "traces.example.com", "https://"),
        ("runs_url", "chdb://relative/path", "chdb:///path"),
        ("runs_url", "duckdb:///path", "chdb:///path"),
        ("meta_url", "mysql://db/x", "sqlite:///path.db or postgresql://"),
        ("blobs_url", "/just/a/path", "s3://bucket"),
    ],
)
def test_a_refusal_names_the_setting_its_value_and_what_is_allowed(
    name: str, value: str, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"STENOGRAPH_{name.upper()}", value)
    message = refusal()
    assert message.startswith(f"{name} (STENOGRAPH_{name.upper()}) is {value!r}: ")
    assert allowed in message
    assert "\n" not in message


def test_every_mistake_is_named_at_once() -> None:
    lines = refusal(port="x", auth="none", flush_runs="0").splitlines()
    assert [line.split(" ")[0] for line in lines] == ["port", "auth", "flush_runs"]


def test_a_refused_url_does_not_show_its_password() -> None:
    message = refusal(meta_url="mysql://me:sesame@db/x?sslkey=opensesame")
    assert "sesame" not in message
    assert "mysql://me:***@db/x" in message


def test_a_variable_that_kubernetes_made_is_explained() -> None:
    assert "enableServiceLinks: false" in refusal(port="tcp://10.0.0.7:1984")


def test_an_unknown_name_is_refused() -> None:
    assert refusal(colour="green") == "colour is no setting"


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("max_body_bytes", "max_inflated_bytes"),
        ("max_inflated_bytes", "max_inflight_bytes"),
        ("inbox_segment_bytes", "inbox_max_bytes"),
    ],
)
def test_sizes_that_contradict_each_other_are_refused(smaller: str, larger: str) -> None:
    message = refusal(**{smaller: "8GiB"})
    assert f"{smaller}=8GiB" in message
    assert larger in message


def test_a_slip_in_a_variable_name_is_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STENOGRAPH_DATADIR", "/data")
    monkeypatch.setenv("STENOGRAPH_PORT", "1984")
    monkeypatch.setenv("STENOGRAPH_URL", "http://localhost:1984")  # of export and import
    assert unknown_variables() == ["STENOGRAPH_DATADIR is no setting; did you mean STENOGRAPH_DATA_DIR?"]


# -- sizes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("17", 17),
        ("17B", 17),
        ("512KiB", 512 * KiB),
        (" 512 kib ", 512 * KiB),
        ("1.5GiB", 3 * GiB // 2),
        ("100MB", 100_000_000),
        ("2TiB", 2048 * GiB),
        (4096, 4096),
    ],
)
def test_sizes_are_read(text: object, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MiB",
        "5M",
        "-1",
        "1e9",
        "0x10",
        "1,000",
        "5MiB!",
        "nan",
        "9" * 5000,
        "9" * 400 + ".5",
        None,
        True,
        1.5,
    ],
)
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="number of bytes"):
        parse_bytes(text)


@given(st.integers(0, 2**50), st.sampled_from([1, KiB, MiB, GiB]))
def test_a_whole_number_of_units_reads_back_as_it_was_printed(count: int, unit: int) -> None:
    size = count % 1024 * unit
    assert parse_bytes(format_bytes(size)) == size


@given(st.integers(0, 10**18 - 1))
def test_a_number_of_bytes_is_read_exactly(size: int) -> None:
    assert parse_bytes(str(size)) == size


@given(st.text())
def test_no_text_breaks_the_reading_of_sizes(text: str) -> None:
    if re.fullmatch(r"\s*\d+(\.\d+)?\s*([kmgt]i?)?b?\s*", text, re.IGNORECASE) is None:
        with pytest.raises(ValueError, match="number of bytes"):
            parse_bytes(text)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@h/d", "postgresql://u:***@h/d"),
        ("postgresql://h/d?password=p", "postgresql://h/d?***"),
        ("sqlite:////data/meta.db", "sqlite:////data/meta.db"),
    ],
)
def test_secrets_of_a_url_are_hidden(url: str, shown: str) -> None:
    assert redact_url(url) == shown


# -- the table and the docs ------------------------------------------------------------------------------


def test_the_page_in_the_docs_is_up_to_date() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    assert page == settings_page(), "run: python -m stenograph settings-page > docs/settings.md"


def test_the_page_has_a_row_for_every_setting() -> None:
    rows = re.findall(r"^\| `(STENOGRAPH_\w+)` \|.*\|.*\S.* \|$", settings_page(), re.MULTILINE)
    assert rows == [f"STENOGRAPH_{name.upper()}" for name in Settings.model_fields]


def test_every_size_has_a_name_that_says_so() -> None:
    for name, field in Settings.model_fields.items():
        assert name.endswith("_bytes") == (BeforeValidator(parse_bytes) in field.metadata), name


def test_nothing_else_reads_the_environment() -> None:
    readers = [
        path.name
        for path in (ROOT / "src" / "stenograph").rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b|\bfrom os import .*\b(environ|getenv)\b", path.read_text())
    ]
    assert readers == ["settings.py"]
