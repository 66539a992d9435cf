"""The house rules that a program can check: arrows between layers, sizes, and where engines may be named."""

from __future__ import annotations

import ast
import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "stenograph"

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
ours (settings: setting_values; observability: settings; outbound: errors); model, transfer (a client of the HTTP API)
and demo (which sends by it) use errors alone. cli, doctor and main stand above."""
FOUNDATIONS = {"errors", "settings", "observability", "outbound", "__init__"}
FEW_FOUNDATIONS = {"errors"}

STORE_SEAM = {"stenograph.store.api"}
"""All that wire may know of the store: the seam, for the types of the services it is handed."""

LONG_FILES: set[str] = set()
LONG_FUNCTIONS: set[str] = set()
"""Exceptions to the hard limits. These lists only shrink."""

ENGINE_NAMES = re.compile(r"\b(chdb|clickhouse|sqlite|postgres(?:ql)?)\b", re.IGNORECASE)
MAY_NAME_ENGINES = {"settings.py", "cli.py", "doctor.py"}


@dataclass(frozen=True)
class Module:
    """A file, gone through once: what it imports, the names that its code uses, and its functions with their lines."""

    path: Path
    lines: int
    imports: tuple[str, ...]
    names: frozenset[str]
    functions: tuple[tuple[str, int], ...]

    @property
    def layer(self) -> str:
        return self.path.parts[0] if len(self.path.parts) > 1 else self.path.stem


def _parsed(text: str) -> ast.Module:
    """In older Pythons all threads' parsers count one depth (CPython's gh-106905), and a client's may be at it, too."""
    for _ in range(10):
        with contextlib.suppress(SystemError):
            return ast.parse(text)
    return ast.parse(text)


def read(path: Path) -> Module:
    text = path.read_text()
    imports: list[str] = []
    names: set[str] = set()
    functions: list[tuple[str, int]] = []
    for node in ast.walk(_parsed(text)):
        match node:
            case ast.Import():
                imports += [name.name for name in node.names]
            case ast.ImportFrom():
                imports += [node.module] if node.module else []
                names.update(name.name for name in node.names)
            case ast.Name():
                names.add(node.id)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                functions.append((node.name, (node.end_lineno or node.lineno) - node.lineno + 1))
    return Module(
        path.relative_to(SOURCE), text.count("\n"), tuple(imports), frozenset(names), tuple(functions)
    )


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    found = [read(path) for path in SOURCE.rglob("*.py")]
    assert len(found) > 500, "the package is not where it was"
    return found


def test_imports_follow_the_arrows(modules: list[Module]) -> None:
    wrong = []
    for module in modules:
        here = module.layer
        foundations = FEW_FOUNDATIONS if here in ("model", "transfer", "demo") else FOUNDATIONS
        for name in module.imports:
            if here not in ARROWS or not name.startswith("stenograph."):
                continue
            target = name.split(".")[1]
            if target not in ARROWS[here] | foundations:
                wrong.append(f"{module.path}: {here} must not import {name}")
            if here == "wire" and target == "store" and name not in STORE_SEAM:
                wrong.append(f"{module.path}: wire may know of the store only its seam, not {name}")
    assert not wrong, "\n".join(wrong)


def test_faces_do_not_import_each_other(modules: list[Module]) -> None:
    wrong = []
    for module in modules:
        parts = module.path.parts
        for name in module.imports if parts[0] == "wire" and len(parts) > 2 else ():
            steps = name.split(".")
            if steps[:2] == ["stenograph", "wire"] and len(steps) > 3 and steps[2] != parts[1]:
                wrong.append(f"{module.path}: the face {parts[1]} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_files_and_functions_fit_in_the_head(modules: list[Module]) -> None:
    wrong = []
    for module in modules:
        if module.lines > 700 and str(module.path) not in LONG_FILES:
            wrong.append(f"{module.path} is over 700 lines: move a wall")
        wrong += [
            f"{module.path}:{name} has {lines} lines"
            for name, lines in module.functions
            if lines > 80 and f"{module.path}:{name}" not in LONG_FUNCTIONS
        ]
    assert not wrong, "\n".join(wrong)


def test_engines_are_named_only_where_they_are_chosen(modules: list[Module]) -> None:
    wrong = []
    for module in modules:
        if module.layer == "store" or module.path.name in MAY_NAME_ENGINES:
            continue
        wrong += [f"{module.path} imports {name}" for name in module.imports if ENGINE_NAMES.search(name)]
        wrong += [f"{module.path} names {name}" for name in module.names if ENGINE_NAMES.fullmatch(name)]
    assert not wrong, "\n".join(wrong)


def test_the_exceptions_only_shrink() -> None:
    """A file or function on an allow-list that has become short enough must leave it."""
    for name in LONG_FILES:
        assert (SOURCE / name).read_text().count("\n") > 700, f"{name} fits now: take it off the list"
