"""A conversation with the real JavaScript client, in one program."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.conftest import Server
from tests.openai_server import ANSWER, ModelServer

SCRIPT = Path(__file__).with_name("chats.mjs")


def test_a_conversation_in_javascript(talking: Server, model: ModelServer) -> None:
    done = subprocess.run(
        ["node", str(SCRIPT), f"{talking.url}/julep/api"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    rendered = found["rendered"]["messages"]
    assert [each["role"] for each in rendered] == ["system", "user"]
    assert "Paris is the capital of France." in rendered[0]["content"]
    assert [each["title"] for each in found["first"]["docs"]] == ["Paris"]
    assert found["first"]["choices"][0]["message"]["content"] == ANSWER
    assert found["first"]["usage"] == {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42}
    assert found["second"]["id"] != found["first"]["id"]
    assert model.asked[1].body["response_format"] == {"type": "json_object"}
    assert found["called"]["choices"][0]["finish_reason"] == "tool_calls"
    (call,) = found["called"]["choices"][0]["message"]["tool_calls"]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == (
        "weather",
        {"city": "Paris"},
    )
    assert found["answered"]["choices"][0]["message"]["content"] == ANSWER
    assert model.asked[3].headers["authorization"] == "Bearer sk-mine"
    streamed = found["streamed"]
    text = streamed if isinstance(streamed, str) else json.dumps(streamed)
    assert "[DONE]" not in text
    assert '"delta"' in text
    assert found["history"] == [
        *[["user", "api_request"], ["assistant", "api_response"]] * 3,
        ["tool", "api_request"],
        ["assistant", "api_response"],
        ["user", "api_request"],
        ["assistant", "api_response"],
    ]
    assert found["models"] == ["gpt-4o-mini", "small"]
    assert found["refused"] == {
        "temperature": {"status": 422, "code": "validation_error"},
        "nobody": {"status": 404, "code": "http_404"},
        "orphan": {"status": 400, "code": "http_400"},
        "long": {"status": 400, "code": "prompt_too_big"},
    }
