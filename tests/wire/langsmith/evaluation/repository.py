"""A git repository with one commit, as test runners look for one, and the environment that points them at a server."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

SUITES = Path(__file__).parent / "suites"
MODULES = Path(__file__).parents[3] / "node_modules"


@dataclass(frozen=True)
class Repository:
    folder: Path
    commit: str

    @classmethod
    def make(cls, folder: Path) -> Repository:
        folder.mkdir()
        git = ["git", "-c", "user.name=tester", "-c", "user.email=tester@example.org"]
        for arguments in (
            ["init", "--quiet", "--initial-branch=main"],
            ["commit", "--quiet", "--allow-empty", "-m", "."],
        ):
            subprocess.run([*git, *arguments], cwd=folder, check=True, capture_output=True)
        said = subprocess.run(
            [*git, "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True
        )
        return cls(folder, said.stdout.strip())


def environment(url: str, **more: str) -> dict[str, str]:
    """This process's, with LangSmith's variables for this server and no others."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LANGSMITH_", "LANGCHAIN_", "GIT_", "PYTEST_"))
    }
    return {
        **kept,
        "LANGSMITH_ENDPOINT": url,
        "LANGSMITH_API_KEY": "any",
        "LANGSMITH_TRACING": "true",
        "NO_COLOR": "1",
        **more,
    }
