"""A model that words reports, by a script: each kind of question is known by what its answer has to have."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from tests.openai_server import Asked, Reply

USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


def wanted(asked: Asked) -> list[str]:
    """The members that the answer has to have."""
    required: list[str] = asked.body["response_format"]["json_schema"]["schema"]["required"]
    return required


def kind(asked: Asked) -> str:
    names = wanted(asked)
    if names == ["name", "description"]:
        return "name"
    if names == ["title", "key_points"]:
        return "overview"
    if names == ["category"]:
        return "category"
    return "draft" if "attributes" in names else "summary"


def told(asked: Asked) -> dict[str, Any]:
    """What the model was given to look at."""
    found: dict[str, Any] = json.loads(asked.prompt)
    return found


def system(asked: Asked) -> str:
    return str(asked.body["messages"][0]["content"])


def kinds(asked: Sequence[Asked]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in asked:
        found[kind(each)] = found.get(kind(each), 0) + 1
    return found


def answer_of(asked: Asked) -> dict[str, Any]:
    """Sensible, and the same for the same question."""
    given = told(asked)
    match kind(asked):
        case "name":
            words = given.get("keywords") or " ".join(
                each["name"] for each in given["parts of the cluster"][:1]
            )
            return {"name": f"Asks about {words}", "description": f"People want {words}"}
        case "overview":
            share = re.findall(r"\d+\.\d%", asked.prompt)[0]
            point = f"Most of it, {share}, is about one thing, see #1."
            return {"title": "What people ask", "key_points": ["People ask for many things.", point]}
        case "category":
            return {"category": "none of them"}
        case "draft":
            attributes = [
                {"name": "is angry", "type": "boolean", "description": "Whether the user is angry."},
                {"name": "bad", "type": "list", "description": "no such type"},
            ]
            return {"name": "Support", "summary_prompt": "Sum up {{run.inputs}}.", "attributes": attributes}
        case _:
            values: dict[str, Any] = dict.fromkeys(wanted(asked))
            return values | {"summary": f"Someone wants: {given['trace'][:40]}"}


def answering(asked: Asked) -> Reply:
    return Reply(text=json.dumps(answer_of(asked)), usage=USAGE)
