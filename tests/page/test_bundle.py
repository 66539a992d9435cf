"""What the page costs to load, and what it is made of: as the docs say."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from tests.page.conftest import STATIC

ROOT = Path(__file__).parent.parent.parent
LARGEST = 250_000
"""Bytes of the first load, compressed."""


def test_the_first_load_is_small_and_the_docs_tell_its_size() -> None:
    if not (STATIC / "index.html").exists():
        pytest.skip("the page is not built")
    index = (STATIC / "index.html").read_text()
    loaded = re.findall(r'(?:src|href)="/ui/(assets/[^"]+\.(?:js|css))"', index)
    assert len(loaded) >= 2
    size = sum(len(gzip.compress((STATIC / name).read_bytes(), 9)) for name in loaded)
    assert size <= LARGEST
    told = re.search(r"the first load is (\d+) kB in gzip", (ROOT / "docs" / "page.md").read_text())
    assert told is not None
    assert abs(int(told[1]) - size / 1000) < 6, f"docs/page.md says {told[1]} kB, it is {size / 1000:.0f}"


def test_packages_at_run_time_are_few_and_listed() -> None:
    packages = json.loads((ROOT / "ui" / "package.json").read_text())["dependencies"]
    assert len(packages) <= 10
    docs = (ROOT / "docs" / "page.md").read_text()
    made_of = docs[docs.index("## What it is made of") :]
    assert [name for name in packages if name not in made_of] == []
