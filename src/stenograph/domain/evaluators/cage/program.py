"""What runs in the confined process: reads its task, confines itself, runs a stranger's program, says what it returned.

A bare interpreter runs this, with nothing but the standard library. The modules that the program imports are loaded
before the process gives up opening files; of the standard library that is what computes, and nothing else.

In: JSON, `{"code", "event", "seconds", "memory", "parent"}`. Out: JSON, one of `{"value", "explanation"}`, `{"error"}`
and `{"unconfined"}`. Nothing that comes out is to be trusted: the stranger's program may have written it.
"""

from __future__ import annotations

import ast
import codecs
import importlib
import json
import linecache
import os
import sys
from numbers import Real
from types import CodeType
from typing import Any, Final, NoReturn

from stenograph.domain.evaluators.cage.confinement import Bounds, NotConfined, confine

FILE: Final = "<evaluator>"
RESULT: Final = "result"
LAST: Final = "_last_"
NAMES: Final = ("evaluate", "evaluator", "main")
"""Functions that are called before others, where a program defines several."""

MAX_TEXT: Final = 10_000
"""Characters of a text that is returned, and of its explanation."""

MODULES: Final = frozenset(
    {
        "abc", "array", "ast", "base64", "binascii", "bisect", "calendar", "cmath", "codecs", "collections",
        "collections.abc", "colorsys", "contextlib", "copy", "csv", "dataclasses", "datetime", "decimal",
        "difflib", "enum", "fractions", "functools", "graphlib", "hashlib", "heapq", "hmac", "html",
        "html.entities", "html.parser", "io", "ipaddress", "itertools", "json", "keyword", "logging", "math",
        "numbers", "operator", "os", "pprint", "quopri", "random", "re", "reprlib", "statistics", "string",
        "stringprep", "struct", "sys", "textwrap", "time", "timeit", "token", "tokenize", "types", "typing",
        "unicodedata", "urllib.parse", "uuid", "warnings", "weakref", "xml.etree.ElementTree",
        "xml.sax.saxutils", "zlib",
    }
)  # fmt: skip
"""What programs can import."""

CODECS: Final = (
    "ascii", "latin-1", "utf-16", "utf-32", "cp1252", "idna", "punycode", "unicode-escape", "hex", "base64",
)  # fmt: skip

_EXPLAINED: Final = ("explanation", "reasoning", "reason", "comment")
_VALUED: Final = ("value", "result", "score", "rating")


class _Returned(Exception):
    """What a program returns cannot be a metric's value."""


def main() -> NoReturn:
    sys.path.remove(
        sys.argv[1]
    )  # where this was found; the standard library is all that there is from now on
    task = json.loads(sys.stdin.buffer.read())
    os.dup2(1, 3)
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)
    memory = b'{"error":"MemoryError: it takes more memory than it may"}'
    try:
        code, called = _compiled(task["code"])
        linecache.cache[FILE] = (len(task["code"]), None, task["code"].splitlines(True), FILE)
        bounds = Bounds(task["seconds"], task["memory"], task["parent"])
        _leave_nothing()
        confine(bounds)
        answer = json.dumps(_answer(_run(code, called, task["event"]))).encode()
    except NotConfined as error:
        answer = json.dumps({"unconfined": str(error)}).encode()
    except MemoryError:
        answer = memory
    except BaseException as error:
        answer = json.dumps({"error": _said(error)}).encode()
    while answer:
        answer = answer[os.write(3, answer) :]
    os._exit(0)


# -- the program ---------------------------------------------------------------------------------------------


def _compiled(text: str) -> tuple[CodeType, str | None]:
    """The program, and the function of it to call if it has no value without. What it imports is loaded."""
    tree = ast.parse(text, FILE)
    for name in _imports(tree):
        if name in MODULES:
            importlib.import_module(name)
    importlib.import_module("_strptime")  # what is loaded when it is first used could not be loaded later
    for codec in CODECS:
        codecs.lookup(codec)
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if _returns(tree.body):
        tree = _as_function(tree)
    elif (
        tree.body and isinstance(last := tree.body[-1], ast.Expr) and not isinstance(last.value, ast.Constant)
    ):
        target = ast.Name(LAST, ast.Store())
        tree.body[-1] = ast.copy_location(ast.Assign([target], last.value), last)
    called = next((name for name in NAMES if name in functions), functions[-1] if functions else None)
    return compile(ast.fix_missing_locations(tree), FILE, "exec"), called


def _imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{name.name}" for name in node.names)
    return found


def _returns(body: list[ast.stmt]) -> bool:
    """Whether there is a `return` outside of all functions."""
    for node in body:
        if isinstance(node, ast.Return):
            return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for field in ("body", "orelse", "finalbody"):
            if _returns(getattr(node, field, [])):
                return True
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            if _returns(part.body):
                return True
    return False


def _as_function(tree: ast.Module) -> ast.Module:
    """The program as the body of a function of the event, whose value becomes the result."""
    template = ast.parse(f"def _evaluator_(event):\n pass\n{RESULT} = _evaluator_(event)", FILE)
    function = template.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body = tree.body
    return template


def _leave_nothing() -> None:
    """Out of reach what the program has no business with. A courtesy: what holds it is the kernel."""
    sys.argv = [FILE]
    sys.path.clear()
    for name in [
        name for name in sys.modules if name.partition(".")[0] in ("stenograph", "ctypes", "_ctypes")
    ]:
        del sys.modules[name]


def _run(code: CodeType, called: str | None, event: Any) -> Any:
    """What the program returns at its top or leaves in `result`, what its last line comes to, or what its function
    makes of the event: the first of these that there is."""
    scope: dict[str, Any] = {"__name__": "evaluator", "__file__": FILE, "event": event}
    exec(code, scope)  # noqa: S102  (that is what this process is for)
    for name in (RESULT, LAST):
        if scope.get(name) is not None:
            return scope[name]
    if called is None or RESULT in scope:
        raise _Returned(
            "it returned nothing: it may return a value, set `result`, or define a function of the event"
        )
    return scope[called](event)


# -- what it returned ----------------------------------------------------------------------------------------


def _answer(found: Any) -> dict[str, Any]:
    explanation = None
    if isinstance(found, dict):
        explanation = next((found[name] for name in _EXPLAINED if found.get(name) is not None), None)
        names = [name for name in _VALUED if name in found]
        if not names:
            raise _Returned(f"it returned an object without any of {', '.join(_VALUED)}")
        found = found[names[0]]
    elif isinstance(found, tuple) and len(found) == 2:
        found, explanation = found
    return {
        "value": _value(found),
        "explanation": None if explanation is None else str(explanation)[:MAX_TEXT],
    }


def _value(found: Any) -> bool | int | float | str:
    if found is None:
        raise _Returned("it returned nothing")
    if isinstance(found, str):
        if len(found) > MAX_TEXT:
            raise _Returned(f"it returned a text of {len(found)} characters; at most {MAX_TEXT} are kept")
        return str(found)
    if isinstance(found, bool):
        return bool(found)
    if isinstance(found, Real) or hasattr(found, "as_integer_ratio"):  # a Decimal is no Real
        return float(found)
    raise _Returned(f"it returned {_kind(found)}, which is no number, truth value or text")


def _kind(found: Any) -> str:
    if hasattr(found, "close") and hasattr(found, "send"):
        return "a coroutine or generator: an async function cannot be run here"
    return f"a value of the type {type(found).__name__[:100]}"


def _said(error: BaseException) -> str:
    """What went wrong, and in which line of the program."""
    line, at = None, error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == FILE:
            line = at.tb_lineno
        at = at.tb_next
    if isinstance(error, SyntaxError) and error.filename == FILE:
        line = error.lineno
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
    except BaseException:
        text = "…"
    name = "" if isinstance(error, _Returned) else f"{type(error).__name__}: "
    return f"{name[:100]}{text[:2000]}" + (f" (line {line})" if line else "")
