"""Files that come with runs: sent by the real client, fetched by it, and by whoever else has the link."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langsmith import Client, traceable, tracing_context
from langsmith.schemas import Attachment, Run

from stenograph.domain.attachments import Links, attachment_key
from stenograph.errors import Forbidden
from stenograph.wire.langsmith.runs.attachments import disposition
from tests.conftest import Server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*deprecated.*")

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
NAMES = [
    "two words", "ünïcödé 图", "a/b", "../up", "..", ".", "50%", "50%25", "quo'te", "semi; length=3", "a\\b",
    "ends\\", "slash/", "#frag?query=1&x", "content-type: text/evil", "=", "+plus+", "UPPER", "upper", "n" * 255,
    "é" * 255, "file",
]  # fmt: skip


def placed(run_id: uuid.UUID) -> dict[str, str]:
    """A root's place, as batches have to state it."""
    now = dt.datetime.now(dt.UTC)
    return {
        "id": str(run_id),
        "trace_id": str(run_id),
        "dotted_order": f"{now:%Y%m%dT%H%M%S%fZ}{run_id}",
        "start_time": now.isoformat(),
        "run_type": "chain",
        "name": "with files",
    }


def send(http: httpx.Client, files: dict[str, tuple[str, bytes]], project: str) -> uuid.UUID:
    """One run with these files, its parts written by hand: the client would not send every name."""
    run_id = uuid.uuid4()
    run = str({**placed(run_id), "session_name": project}).replace("'", '"').encode()
    head = '--mark\r\nContent-Disposition: form-data; name="{}"\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n'
    body = head.format(f"post.{run_id}", "application/json", len(run)).encode() + run + b"\r\n"
    for name, (mime_type, data) in files.items():
        body += head.format(f"attachment.{run_id}.{name}", mime_type, len(data)).encode() + data + b"\r\n"
    answer = http.post(
        "/runs/multipart",
        content=body + b"--mark--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=mark"},
    )
    assert answer.status_code == 202, answer.text
    return run_id


def links(http: httpx.Client, run_id: uuid.UUID) -> dict[str, str]:
    """Name to link, as the run's JSON has them."""
    urls = http.get(f"/runs/{run_id}").json()["s3_urls"]
    return {key.removeprefix("attachment."): value["presigned_url"] for key, value in urls.items()}


def contents(run: Run) -> dict[str, tuple[str | None, bytes]]:
    """What the client's readers give."""
    attachments: dict[str, Any] = dict(run.attachments or {})
    return {name: (info["mime_type"], info["reader"].read()) for name, info in attachments.items()}


# -- with the real client --------------------------------------------------------------------------------


@pytest.mark.parametrize("api", ["", "/api", "/api/v1", "/langsmith", "/langsmith/api/v1"])
def test_create_run_and_read_back(server: Server, project: str, api: str) -> None:
    files = {
        "chart": ("image/png", PNG),
        "two words": ("text/plain", "zwölf".encode()),
        "empty": ("a/b", b""),
    }
    with_files = Client(api_url=server.url + api, api_key="any")
    run_id = uuid.uuid4()
    with_files.create_run(
        "with files", {"x": 1}, "chain", id=run_id, project_name=project, attachments=files,
        trace_id=run_id, dotted_order=placed(run_id)["dotted_order"], end_time=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    with_files.flush()
    assert contents(with_files.read_run(run_id)) == files
    (listed,) = with_files.list_runs(id=[run_id])
    assert contents(listed) == files
    with_files.close()


@pytest.mark.parametrize("compressed", [True, False])
def test_names_survive_the_client(
    server: Server, project: str, compressed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGSMITH_DISABLE_RUN_COMPRESSION", str(not compressed).lower())
    names = [name for name in NAMES if "." not in name and name != "50%25"] + ['say "hi"', 'ends"']
    files = {name: ("text/plain", f"in {name}".encode()) for name in names}
    sender = Client(api_url=server.url, api_key="any")
    run_id = uuid.uuid4()
    sender.create_run(
        "names", {}, "chain", id=run_id, project_name=project, attachments=files,
        trace_id=run_id, dotted_order=placed(run_id)["dotted_order"],
    )  # fmt: skip
    sender.flush()
    assert contents(sender.read_run(run_id)) == files
    sender.close()


def test_traceable_with_attachments(client: Client, project: str) -> None:
    @traceable(name="describe")
    def describe(question: str, picture: Attachment) -> str:
        return f"{question}: {len(picture.data)} bytes"  # type: ignore[arg-type]

    run_id = uuid.uuid4()
    with tracing_context(enabled=True, client=client, project_name=project):
        describe("what", Attachment(mime_type="image/png", data=PNG), langsmith_extra={"run_id": run_id})
    client.flush()
    (run,) = client.list_runs(id=[run_id])
    assert contents(run) == {"picture": ("image/png", PNG)}
    assert run.inputs == {"question": "what"}


def test_an_update_adds_to_the_files_of_the_create(client: Client, project: str) -> None:
    run_id = uuid.uuid4()
    place: dict[str, Any] = {"trace_id": run_id, "dotted_order": placed(run_id)["dotted_order"]}
    client.create_run(
        "two", {}, "chain", id=run_id, project_name=project, attachments={"a": ("text/plain", b"1")}, **place
    )
    client.flush()
    client.update_run(
        run_id,
        outputs={"y": 1},
        end_time=dt.datetime.now(dt.UTC),
        attachments={"b": ("text/plain", b"2")},
        **place,
    )
    client.flush()
    assert contents(client.read_run(run_id)) == {"a": ("text/plain", b"1"), "b": ("text/plain", b"2")}


def test_ten_megabytes_with_every_byte_and_the_boundary(client: Client, project: str) -> None:
    from langsmith.client import _BOUNDARY  # type: ignore[attr-defined]

    trap = f'\r\n--{_BOUNDARY}\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n--{_BOUNDARY}--\r\n'.encode()
    data = trap + bytes(range(256)) * 40_960 + trap
    run_id = uuid.uuid4()
    client.create_run(
        "large", {}, "chain", id=run_id, project_name=project, attachments={"data": ("application/x-any", data)},
        trace_id=run_id, dotted_order=placed(run_id)["dotted_order"],
    )  # fmt: skip
    client.flush()
    mime_type, read = contents(client.read_run(run_id))["data"]
    assert mime_type == "application/x-any"
    assert read == data


@pytest.mark.parametrize("compressed", [True, False])
def test_a_file_on_disk(
    server: Server, project: str, tmp_path: Path, compressed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGSMITH_DISABLE_RUN_COMPRESSION", str(not compressed).lower())
    sender = Client(api_url=server.url, api_key="any")
    path, run_id = tmp_path / "picture.png", uuid.uuid4()
    path.write_bytes(PNG * 100)
    with tracing_context(enabled=True, client=sender, project_name=project):

        @traceable(name="from disk", dangerously_allow_filesystem=True)
        def from_disk(picture: Attachment) -> int:
            return 1

        from_disk(Attachment(mime_type="image/png", data=path), langsmith_extra={"run_id": run_id})
    sender.flush()
    (run,) = sender.list_runs(id=[run_id])
    assert contents(run) == {"picture": ("image/png", PNG * 100)}
    sender.close()


# -- the answer itself -----------------------------------------------------------------------------------


def test_every_name_has_a_link_that_works(http: httpx.Client, project: str) -> None:
    files = {name: ("text/plain", f"in {name}".encode()) for name in NAMES}
    run_id = send(http, files, project)
    found = links(http, run_id)
    assert set(found) == set(NAMES)
    for name, link in found.items():
        answer = http.get(link)
        assert (answer.status_code, answer.content) == (200, f"in {name}".encode()), (name, link)


def test_hostile_markup_is_saved_and_never_shown(http: httpx.Client, project: str) -> None:
    script = b"<script>alert(1)</script>"
    run_id = send(
        http, {"page": ("text/html", script), "drawing": ("image/svg+xml", b"<svg onload='x()'/>")}, project
    )
    for name, link in links(http, run_id).items():
        answer = http.get(link)
        assert answer.headers["content-disposition"].startswith("attachment;"), name
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["content-type"] == {"page": "text/html", "drawing": "image/svg+xml"}[name]


def test_a_content_type_that_is_none(http: httpx.Client, project: str) -> None:
    run_id = send(http, {"odd": ("no type at all\x01", b"x")}, project)
    answer = http.get(links(http, run_id)["odd"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"


def test_ranges(http: httpx.Client, project: str) -> None:
    link = links(http, send(http, {"digits": ("text/plain", b"0123456789")}, project))["digits"]

    def part(wanted: str) -> tuple[int, bytes, str | None]:
        answer = http.get(link, headers={"Range": wanted})
        return answer.status_code, answer.content, answer.headers.get("content-range")

    assert part("bytes=0-3") == (206, b"0123", "bytes 0-3/10")
    assert part("bytes=7-") == (206, b"789", "bytes 7-9/10")
    assert part("bytes=-2") == (206, b"89", "bytes 8-9/10")
    assert part("bytes=5-99") == (206, b"56789", "bytes 5-9/10")
    assert part("bytes=-99") == (206, b"0123456789", "bytes 0-9/10")
    assert part("bytes=10-") == (416, b"", "bytes */10")
    assert part("bytes=-0") == (416, b"", "bytes */10")
    for whole in ("bytes=0-1,4-5", "bytes=5-2", "lines=1-2", "bytes=-", "bytes=" + "9" * 5000 + "-"):
        assert part(whole) == (200, b"0123456789", None), whole
    head = http.head(link)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "10")


# -- who may -----------------------------------------------------------------------------------------------


def test_forged_and_misdirected_links(http: httpx.Client, project: str) -> None:
    first = send(http, {"a": ("text/plain", b"a"), "b": ("text/plain", b"b")}, project)
    second = send(http, {"a": ("text/plain", b"other")}, project)
    link = links(http, first)["a"]
    parts = urlsplit(link)
    expires, signature = parse_qs(parts.query)["expires"][0], parse_qs(parts.query)["signature"][0]
    forged = [
        link.replace(f"signature={signature}", "signature=" + "0" * 64),
        link.replace(f"expires={expires}", f"expires={int(expires) + 1}"),
        link.replace(f"/{first}/a", f"/{first}/b"),
        link.replace(str(first), str(second)),
        link.replace("/attachments/00000000-0000-4000-8000-000000000001", f"/attachments/{uuid.uuid4()}"),
        link + "&name=b",
        parts.path,
        f"{parts.path}?expires={expires}",
        f"{parts.path}?expires=soon&signature={signature}",
        f"{parts.path}?expires={'9' * 5000}&signature={signature}",
        f"{parts.path}?expires={expires}&signature={quote('ü')}",
        f"/attachments/nowhere/{first}/a?{parts.query}",
    ]
    for address in forged:
        answer = http.get(address)
        assert answer.status_code == 403, address
        assert answer.json() == {"detail": "this link to an attachment is not valid"}
    assert http.get(link).content == b"a"
    assert http.get(link, headers={"x-api-key": "wrong"}).content == b"a"


def test_what_is_gone_is_missing(http: httpx.Client, project: str) -> None:
    run_id = send(http, {"a": ("text/plain", b"a")}, project)
    link = links(http, run_id)["a"]
    assert http.get(link).status_code == 200
    session = http.get(f"/runs/{run_id}").json()["session_id"]
    gone = http.post("/runs/delete", json={"session_id": session, "trace_ids": [str(run_id)]})
    assert gone.status_code == 202
    assert http.get(link).status_code == 404


def test_a_link_expires() -> None:
    links, ids = Links(b"secret", 100), (uuid.uuid4(), uuid.uuid4())
    link = links.sign(*ids, "a", 1000.0)
    query = parse_qs(urlsplit(link).query)
    expires, signature = int(query["expires"][0]), query["signature"][0]
    assert 1100 <= expires <= 1125
    links.check(*ids, "a", expires, signature, float(expires))
    with pytest.raises(Forbidden, match="expired"):
        links.check(*ids, "a", expires, signature, expires + 1.0)
    with pytest.raises(Forbidden, match="not valid"):
        Links(b"other secret", 100).check(*ids, "a", expires, signature, 1000.0)


@given(st.text(min_size=1, max_size=300))
def test_any_name_is_signed_as_itself(name: str) -> None:
    links, workspace, run_id = Links(b"secret", 100), uuid.UUID(int=1), uuid.UUID(int=2)
    link = urlsplit(links.sign(workspace, run_id, name, 1000.0))
    query = parse_qs(link.query, keep_blank_values=True)
    prefix = f"/attachments/{workspace}/{run_id}/"
    assert link.path.startswith(prefix)
    found = query["name"][0] if "name" in query else unquote(link.path[len(prefix) :])
    assert found == name
    assert "/" not in link.path[len(prefix) :]
    links.check(workspace, run_id, found, int(query["expires"][0]), query["signature"][0], 1000.0)


@given(st.text(max_size=300))
def test_any_name_makes_a_safe_header(name: str) -> None:
    header = disposition(name)
    assert header.isascii()
    assert header.isprintable()
    plain = header.partition('filename="')[2].partition('"')[0]
    assert plain
    assert not plain.startswith(".")
    assert not set(plain) & set('/\\:%"')
    assert header == f"attachment; filename=\"{plain}\"; filename*=UTF-8''" + header.rpartition("''")[2]


@given(st.text(max_size=300), st.text(max_size=300))
def test_files_lie_apart(first: str, second: str) -> None:
    workspace, run_id = uuid.UUID(int=1), uuid.UUID(int=2)
    keys = [attachment_key(workspace, run_id, name) for name in (first, second)]
    assert (keys[0] == keys[1]) == (first == second)
    for key in keys:
        folder, _, file = key.rpartition("/")
        assert folder == f"attachments/{workspace}/{run_id}"
        assert file.isalnum()
        assert len(file) == 64
