"""A suite whose test asks another program over HTTP. Collected only when it is named."""

from __future__ import annotations

import os
import urllib.request

import pytest
from langsmith import testing as t


@pytest.mark.langsmith
def test_asks() -> None:
    t.log_inputs({"q": 1})
    with urllib.request.urlopen(os.environ["ELSEWHERE"], timeout=30) as answer:
        said = answer.read().decode()
    t.log_outputs({"said": said})
    t.log_feedback(key="answered", score=1)
    assert said == "answer 1"
