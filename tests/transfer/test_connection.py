"""What a command says when something else than a good answer comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from stenograph.errors import Invalid, Overloaded, StenographError, Unsupported
from stenograph.transfer import connection
from stenograph.transfer.client import Server
from stenograph.transfer.connection import Connection
from stenograph.transfer.failures import ServerTrouble

Answer = tuple[int, dict[str, str], bytes]
FOUND: Answer = (200, {}, b'[{"id":"11111111-1111-4111-8111-111111111111","name":"qa","modified_at":"x"}]')
LATER: Answer = (503, {"Retry-After": "0"}, b'{"detail":"busy"}')


class Scripted(HTTPServer):
    """Gives its answers one after the other; the last one again and again."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer] = []
        self.asked: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.server.asked.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
        answers = self.server.answers
        status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with Scripted() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def asked(scripted: Scripted, *answers: Answer) -> str:
    """The name of the dataset that is found when these are the answers."""
    scripted.answers = list(answers)
    with Connection(f"{scripted.url}/", " key\n") as made:
        return Server(made).dataset("qa").name


def test_the_key_is_sent_and_the_path_is_kept(scripted: Scripted) -> None:
    assert asked(scripted, FOUND) == "qa"
    (request,) = scripted.asked
    assert (request["path"], request["x-api-key"]) == ("/datasets?name=qa", "key")


def test_this_machine_is_reached_without_a_proxy(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert asked(scripted, FOUND) == "qa"


def test_a_busy_server_is_asked_again(scripted: Scripted) -> None:
    assert asked(scripted, LATER, (429, {"Retry-After": "0"}, b'{"error":"full"}'), FOUND) == "qa"
    assert len(scripted.asked) == 3


def test_a_server_that_stays_busy_is_given_up(scripted: Scripted) -> None:
    with pytest.raises(Overloaded, match="busy"):
        asked(scripted, LATER)
    assert len(scripted.asked) == 1 + connection._RETRIES


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((200, {}, b"<html>"), ServerTrouble, "does not speak Stenograph's language"),
        ((200, {}, b'{"some": "thing"}'), ServerTrouble, "does not speak Stenograph's language"),
        ((404, {}, b"<html>"), ServerTrouble, "answers 404$"),
        (
            (500, {}, b'{"detail":"Internal server error"}'),
            ServerTrouble,
            "answers 500: Internal server error",
        ),
        ((307, {"Location": "https://x/"}, b""), ServerTrouble, "leads on to https://x/: use that address"),
        ((422, {}, b'{"detail":[{"loc":["query","name"],"msg":"no"}]}'), Invalid, "^name: no$"),
        ((400, {}, b'{"error":"no"}'), Invalid, "^no$"),
        ((501, {}, b'{"detail":"not yet"}'), Unsupported, "^not yet$"),
        ((400, {}, b"[" * 100_000), ServerTrouble, "answers 400$"),
    ],
)
def test_what_an_answer_means(
    answer: Answer, kind: type[StenographError], words: str, scripted: Scripted
) -> None:
    with pytest.raises(kind, match=words):
        asked(scripted, answer)
