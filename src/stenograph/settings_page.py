"""docs/settings.md, printed from the table of settings."""

from __future__ import annotations

from typing import Final

from stenograph.setting_values import format_bytes
from stenograph.settings import PREFIX, Settings

_SECTIONS: Final = {
    "host": "Where it listens, and who may come in",
    "data_dir": "Where the data lives",
    "log_format": "Logs",
    "max_body_bytes": "Limits of a request",
    "inbox_max_bytes": "Inbox: acknowledged and on disk, not yet in the run store",
    "engine_max_memory_bytes": "Engine and reading",
    "llm_base_url": "Models and evaluators",
}

_PREAMBLE: Final = """\
# Settings

<!-- Printed by `stenograph settings-page > docs/settings.md`; a test fails when it is out of date. -->

Each setting is an environment variable. It is read once, when the server starts; an empty variable counts
as not set. Some are options of `stenograph serve` too (`--host`, `--port`, `--data-dir`, `--auth`,
`--log-level`, `--log-format`), and the option wins. A value that cannot be used stops the start with a line
that names the setting, the value and what is allowed.

Sizes are a number of bytes or carry a unit: `1048576`, `512KiB`, `1.5GiB`, `100MB` (KiB, MiB and GiB count
in 1024s, KB, MB and GB in 1000s). Times are in seconds.
"""


def settings_page() -> str:
    """docs/settings.md."""
    lines = [_PREAMBLE]
    for name, field in Settings.model_fields.items():
        if name in _SECTIONS:
            lines += [
                f"\n## {_SECTIONS[name]}\n",
                "| variable | default | what it does |",
                "|---|---|---|",
            ]
        default = format_bytes(field.default) if name.endswith("_bytes") else str(field.default)
        shown = f"`{default}`" if default else ""
        lines.append(f"| `{PREFIX}{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"
