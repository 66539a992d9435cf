"""docs/evaluation.md says what works: its blocks are run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from langsmith import Client

from tests.conftest import Server
from tests.wire.langsmith.evaluation.repository import MODULES, Repository, environment

PAGE = Path(__file__).parents[4] / "docs" / "evaluation.md"


def block(heading: str, language: str) -> str:
    """The first block in this language below the heading."""
    _, _, rest = PAGE.read_text().partition(f"## {heading}\n")
    section = rest.partition("\n## ")[0]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found is not None, f"docs/evaluation.md has no {language} below {heading}"
    return found[1]


def run(command: list[str], folder: Path, server: Server, **variables: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(server.url, **variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where `import "langsmith"` finds the package."""
    (tmp_path / "node_modules").symlink_to(MODULES)
    return tmp_path


def test_python_and_javascript(server: Server, folder: Path) -> None:
    name = f"capitals {uuid.uuid4()}"
    (folder / "evaluate.py").write_text(block("Python", "python").replace('"capitals"', f'"{name}"'))
    assert "2 0.5\n" in run([sys.executable, "evaluate.py"], folder, server)
    (folder / "evaluate.mjs").write_text(block("JavaScript", "js").replace('"capitals"', f'"{name}"'))
    assert re.search(r"^js-\S+ 2$", run(["node", "evaluate.mjs"], folder, server), re.MULTILINE)


def test_pytest(server: Server, tmp_path: Path, client: Client) -> None:
    repository = Repository.make(tmp_path / "repository")
    (repository.folder / "test_capitals.py").write_text(block("pytest", "python"))
    suite = f"capitals {uuid.uuid4()}"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--langsmith-output"]
    run(command, repository.folder, server, LANGSMITH_TEST_SUITE=suite)
    assert client.read_dataset(dataset_name=suite).example_count == 1


def test_vitest(server: Server, folder: Path, client: Client) -> None:
    suite = f"capitals {uuid.uuid4()}"
    text = block("Jest and Vitest", "js").replace("langsmith/jest", "langsmith/vitest")
    (folder / "capitals.test.mjs").write_text(text.replace('"capitals, tested"', f'"{suite}"'))
    run(["node", str(MODULES / "vitest" / "vitest.mjs"), "run", "--root", str(folder)], folder, server)
    assert client.read_dataset(dataset_name=suite).example_count == 1
