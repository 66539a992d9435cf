"""The published JSON Schemas at LangSmith's addresses."""

from __future__ import annotations

import httpx
import pytest

from stenograph.domain.datasets.public_schemas import PUBLISHED


@pytest.mark.parametrize("prefix", ["", "/api/v1", "/api", "/langsmith"])
@pytest.mark.parametrize(("file", "name"), [("message.json", "message"), ("tooldef.json", "tooldef")])
def test_schemas_are_served_without_a_key(http: httpx.Client, prefix: str, file: str, name: str) -> None:
    answer = http.get(f"{prefix}/public/schemas/v1/{file}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == PUBLISHED["v1", name]
    assert answer.json()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", ["v2/message.json", "V1/tooldef.json", "%00/message.json", "v1/other.json"])
def test_other_versions_and_names_are_not_there(http: httpx.Client, path: str) -> None:
    answer = http.get(f"/public/schemas/{path}")
    assert answer.status_code == 404
    assert isinstance(answer.json()["detail"], str)
