"""The templates' language: Jinja in its sandbox, with the names that Julep documents and nothing else.

Imported by the process that renders (see worker.py), which has none of this program's data. Modules of the standard
library are not handed out themselves: what they import can be reached through them. Each name here is a function or a
value that cannot change anything.
"""

from __future__ import annotations

import base64
import csv
import datetime as dt
import functools
import io
import json
import math
import random
import re
import statistics
import string
import time
import urllib.parse
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, Final

import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_REPEAT: Final = 1_000_000
"""Characters or members that one product of a text or list may have."""

MAX_POWER: Final = 4_096
"""Bits of a whole number's power."""


class Environment(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox; operators that make much of little are bounded, too."""

    intercepted_binops = frozenset({"*", "**", "%", "<<"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "*":
            for some, times in ((left, right), (right, left)):
                if isinstance(some, str | bytes | list | tuple) and isinstance(times, int):
                    _require(len(some) * times <= MAX_REPEAT, "a text or list repeated so often")
        if operator == "**" and isinstance(left, int) and isinstance(right, int):
            _require(left.bit_length() * abs(right) <= MAX_POWER, "a power so large")
        if operator == "<<" and isinstance(right, int):
            _require(right <= MAX_POWER, "a shift so far")
        return super().call_binop(context, operator, left, right)


def _require(fine: bool, what: str) -> None:
    if not fine:
        raise OverflowError(f"{what} is not rendered")


def _namespace(module: Any, names: str) -> SimpleNamespace:
    return SimpleNamespace(**{name: getattr(module, name) for name in names.split()})


def _pattern(function: str) -> Any:
    """A function of `re`, which takes patterns as texts: what it returns is no module's."""
    return getattr(re, function)


def _rows(text: str, **options: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text), **options))


def _csv(rows: Iterable[Iterable[Any]], **options: Any) -> str:
    out = io.StringIO()
    csv.writer(out, **options).writerows(rows)
    return out.getvalue()


def _integer(value: Any = 0, base: int | None = None) -> int:
    return int(value) if base is None else int(value, base)


GLOBALS: Final[dict[str, Any]] = {
    "NEWLINE": "\n",
    "true": True,
    "false": False,
    "null": None,
    "abs": abs,
    "all": all,
    "any": any,
    "bool": bool,
    "dict": dict,
    "enumerate": enumerate,
    "filter": filter,
    "float": float,
    "int": _integer,
    "len": len,
    "list": list,
    "map": map,
    "max": max,
    "min": min,
    "reduce": functools.reduce,
    "round": round,
    "set": set,
    "sorted": sorted,
    "str": str,
    "sum": sum,
    "tuple": tuple,
    "zip": zip,
    "now": lambda: dt.datetime.now(dt.UTC),
    "load_json": json.loads,
    "dump_json": json.dumps,
    "load_yaml": yaml.safe_load,
    "dump_yaml": yaml.safe_dump,
    "json": _namespace(json, "loads dumps"),
    "yaml": SimpleNamespace(
        load=yaml.safe_load, dump=yaml.safe_dump, safe_load=yaml.safe_load, safe_dump=yaml.safe_dump
    ),
    "re": SimpleNamespace(
        **{
            name: _pattern(name)
            for name in ("match", "search", "fullmatch", "findall", "finditer", "split", "sub", "escape")
        },
        IGNORECASE=re.IGNORECASE,
        MULTILINE=re.MULTILINE,
        DOTALL=re.DOTALL,
    ),
    "string": _namespace(
        string,
        "ascii_letters ascii_lowercase ascii_uppercase digits hexdigits octdigits punctuation whitespace capwords",
    ),
    "datetime": _namespace(dt, "datetime date time timedelta timezone UTC"),
    "math": SimpleNamespace(
        **{
            name: getattr(math, name)
            for name in dir(math)
            if not name.startswith("_") and name not in ("factorial", "comb", "perm")
        }
    ),
    "statistics": _namespace(
        statistics,
        "mean fmean geometric_mean harmonic_mean median median_low median_high mode multimode quantiles "
        "stdev pstdev variance pvariance correlation covariance linear_regression",
    ),
    "base64": _namespace(
        base64, "b64encode b64decode urlsafe_b64encode urlsafe_b64decode b32encode b32decode"
    ),
    "urllib": SimpleNamespace(
        parse=_namespace(
            urllib.parse, "quote quote_plus unquote unquote_plus urlencode urljoin urlparse urlsplit parse_qs"
        )
    ),
    "random": _namespace(random, "random randint choice choices sample uniform shuffle gauss"),
    "time": _namespace(time, "time time_ns strftime gmtime localtime"),
    "csv": SimpleNamespace(reader=_rows, parse=_rows, dumps=_csv),
}
"""What a template may name besides its variables. Jinja's own `range` stops at 100,000."""


def environment() -> Environment:
    made = Environment(autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    made.globals.update(GLOBALS)
    return made
