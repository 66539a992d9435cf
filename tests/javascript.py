"""Programs that use the vendors' JavaScript clients: the last line that each prints is what it saw, in JSON."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

SECONDS: Final = 240
QUIET: Final = {"HONEYHIVE_TELEMETRY": "false", "TRACELOOP_TELEMETRY": "false"}


def report_of(
    script: Path, *arguments: str, environment: Mapping[str, str] | None = None, silent: bool = False
) -> dict[str, Any]:
    """What the program reports. A failure of it fails the test with what it said; so does, with `silent`, any error
    that it mentions. It runs in this process's environment unless another is given."""
    done = subprocess.run(
        ["node", str(script), *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env={**(os.environ if environment is None else environment), **QUIET},
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert not silent or "rror" not in done.stderr, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
