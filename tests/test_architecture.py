"""The house rules that a program can check: arrows between layers, sizes, and where engines may be named."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "stenograph"
MODULES = sorted(path for path in SOURCE.rglob("*.py"))

ARROWS = {
    "model": {"model"},
    "store": {"model", "store"},
    "llm": {"model", "llm"},
    "domain": {"model", "store", "llm", "domain"},
    "wire": {"model", "domain", "wire", "store"},
    "transfer": {"model", "transfer"},
    "demo": {"transfer", "demo"},
}
"""What each layer may import. Below all of them: errors, settings, observability and outbound, which import nothing of
ours (settings: setting_values; observability: settings; outbound: errors); model, transfer (a client of the HTTP API) and demo (which sends by
it) use errors alone. cli, doctor and main stand above."""
FOUNDATIONS = {"errors", "settings", "observability", "outbound", "__init__"}
FEW_FOUNDATIONS = {"errors"}

STORE_SEAM = {"stenograph.store.api"}
"""All that wire may know of the store: the seam, for the types of the services it is handed."""

LONG_FILES: set[str] = set()
LONG_FUNCTIONS: set[str] = set()
"""Exceptions to the hard limits. These lists only shrink."""

ENGINE_NAMES = re.compile(r"\b(chdb|clickhouse|sqlite|postgres(?:ql)?)\b", re.IGNORECASE)
MAY_NAME_ENGINES = {"settings.py", "cli.py", "doctor.py"}


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def layer(path: Path) -> str:
    relative = path.relative_to(SOURCE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_follow_the_arrows(path: Path) -> None:
    here = layer(path)
    if here not in ARROWS:
        return
    for name in imports(path):
        if not name.startswith("stenograph."):
            continue
        target = name.split(".")[1]
        foundations = FEW_FOUNDATIONS if here in ("model", "transfer", "demo") else FOUNDATIONS
        assert target in ARROWS[here] | foundations, f"{here} must not import {name}"
        if here == "wire" and target == "store":
            assert name in STORE_SEAM, f"wire may know of the store only its seam, not {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_faces_do_not_import_each_other(path: Path) -> None:
    parts = path.relative_to(SOURCE).parts
    if parts[0] != "wire" or len(parts) < 3:
        return
    for name in imports(path):
        steps = name.split(".")
        if steps[:2] == ["stenograph", "wire"] and len(steps) > 3:
            assert steps[2] == parts[1], f"the face {parts[1]} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_and_functions_fit_in_the_head(path: Path) -> None:
    name = str(path.relative_to(SOURCE))
    text = path.read_text()
    if name not in LONG_FILES:
        assert text.count("\n") <= 700, f"{name} is over 700 lines: move a wall"
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if f"{name}:{node.name}" not in LONG_FUNCTIONS:
                assert length <= 80, f"{name}:{node.name} has {length} lines"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_engines_are_named_only_where_they_are_chosen(path: Path) -> None:
    relative = path.relative_to(SOURCE)
    if relative.parts[0] == "store" or relative.name in MAY_NAME_ENGINES:
        return
    code = "\n".join(
        ast.unparse(node) for node in ast.walk(parsed(path)) if isinstance(node, ast.Import | ast.ImportFrom)
    )
    names = {node.id for node in ast.walk(parsed(path)) if isinstance(node, ast.Name)}
    assert not ENGINE_NAMES.search(code), f"{relative} imports an engine"
    assert not any(ENGINE_NAMES.fullmatch(name) for name in names), f"{relative} names an engine"


def test_the_exceptions_only_shrink() -> None:
    """A file or function on an allow-list that has become short enough must leave it."""
    for name in LONG_FILES:
        assert (SOURCE / name).read_text().count("\n") > 700, f"{name} fits now: take it off the list"
