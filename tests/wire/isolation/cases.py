"""A request that a test sends in somebody's name, about somebody's things."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import httpx

from stenograph.model.access import Permission
from tests.wire.isolation.things import Things


@dataclass(frozen=True)
class Case:
    """A request. `permission` None: no key is needed. `told`: its owner gets another answer than a stranger."""

    method: str
    path: str
    permission: Permission | None
    body: Any = None
    params: Mapping[str, Any] = field(default_factory=dict)
    changes: bool = False
    told: bool = True

    def send(self, http: httpx.Client, things: Things, key: str | None) -> httpx.Response:
        if self.path.startswith("/attachments/"):
            path = "/" + things.file.removeprefix("/")
        elif self.path.startswith("/example-attachments/"):
            path = things.example_file
        elif self.path.startswith("/feedback/tokens/"):
            path = f"/feedback/tokens/{things.feedback_token}"
        else:
            named = things.path | ({"doc_id": things.user_doc} if "/users/" in self.path else {})
            named |= {"run_id": things.answer} if "/dataset/runs/" in self.path else {}
            path = re.sub(r"\{(\w+)(:path)?\}", lambda found: named[found[1]], self.path)
        headers = {"x-api-key": key} if key else {}
        body: dict[str, Any] = {}
        if self.path in FORMS:
            body = {"files": FORMS[self.path](things)}
        elif self.body is not None:
            body = {"json": _filled(self.body, things)}
        params = _filled(dict(self.params), things) if self.params else None
        return http.request(self.method, path, headers=headers, params=params, **body)


def _filled(value: Any, things: Things) -> Any:
    """`<name>` in a text becomes that of the things; what is written in the sender's own name stays."""
    text = json.dumps(value)
    for item in fields(things):
        text = text.replace(f"<{item.name}>", getattr(things, item.name))
    return json.loads(text)


def _parts(things: Things) -> list[tuple[str, tuple[None, bytes, str]]]:
    run = {"id": things.run, "trace_id": things.run, "dotted_order": f"20260101T000000000000Z{things.run}"}
    run |= {"name": "mine", "run_type": "chain", "session_id": things.project}
    feedback = {
        "id": things.feedback,
        "run_id": things.run,
        "trace_id": things.run,
        "key": "mine",
        "score": 0,
    }
    return [
        (f"post.{things.run}", (None, json.dumps(run).encode(), "application/json")),
        (f"attachment.{things.run}.file", (None, b"mine", "text/plain")),
        (f"feedback.{things.feedback}", (None, json.dumps(feedback).encode(), "application/json")),
    ]


def _example_parts(things: Things, example: str) -> list[tuple[str, tuple[None, bytes, str]]]:
    main = {"dataset_id": things.dataset, "split": "mine"}
    return [
        (example, (None, json.dumps(main).encode(), "application/json")),
        (f"{example}.inputs", (None, b'{"mine":1}', "application/json")),
        (f"{example}.attachment.file", (None, b"mine", "text/plain")),
    ]


def _table(things: Things) -> list[tuple[str, tuple[None, bytes, str]]]:
    return [
        ("file", (None, b"mine\n1\n", "text/csv")),
        ("input_keys", (None, b"mine", "text/plain")),
        ("name", (None, f"table {things.new}".encode(), "text/plain")),
    ]


FORMS: Mapping[str, Callable[[Things], list[tuple[str, tuple[None, bytes, str]]]]] = {
    "/runs/multipart": _parts,
    "/platform/datasets/{dataset_id}/examples": lambda things: _example_parts(things, things.new),
    "/platform/examples/multipart": lambda things: _example_parts(things, things.example),
    "/datasets/upload": lambda things: _table(things),
    "/examples/upload/{dataset_id}": lambda things: _table(things),
}
"""Routes that take parts instead of JSON."""


def reads(path: str, method: str = "GET", **more: Any) -> Case:
    return Case(method, path, Permission.READ, **more)


def writes(method: str, path: str, body: Any = None, **more: Any) -> Case:
    return Case(method, path, Permission.WRITE, body, changes=True, **more)


def ingests(method: str, path: str, body: Any = None, **more: Any) -> Case:
    return Case(method, path, Permission.INGEST, body, changes=True, told=False, **more)


def open_to_all(path: str, method: str = "GET", **more: Any) -> Case:
    return Case(method, path, None, **more)
