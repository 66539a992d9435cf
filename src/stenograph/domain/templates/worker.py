"""The process that renders: reads requests, writes answers, a line of JSON each. Started by renderer.py.

It holds nothing but what it was sent, runs in an empty environment with little memory, and is killed when it takes too
long: a template may be anybody's.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final

from jinja2 import TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError, TemplateError

from stenograph.domain.templates.environment import Environment, environment

MEMORY: Final = 512 << 20
_KEPT: Final = 256
"""Compiled templates that are kept."""


def main() -> None:
    _confine()
    made = environment()
    compiled: dict[str, Any] = {}
    sys.stdout.buffer.write(b"{}\n")  # ready: only rendering counts against the time that a template has
    sys.stdout.buffer.flush()
    for line in sys.stdin.buffer:
        answer = _answer(made, compiled, json.loads(line))
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


def _answer(made: Environment, compiled: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"texts": _rendered(made, compiled, asked["templates"], asked["variables"], asked["longest"])}
    except TemplateSyntaxError as error:
        return {"error": f"Template syntax error: {error.message} (line {error.lineno})"}
    except UndefinedError as error:
        return {"error": f"Template undefined variable: {error.message}"}
    except SecurityError as error:
        return {"error": f"The template may not do that: {error}"}
    except MemoryError:
        return {"error": "The template takes too much memory."}
    except RecursionError:
        return {"error": "The template is nested too deeply."}
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        return {"error": f"The template cannot be rendered: {type(error).__name__}: {error}"[:1000]}
    except Exception as error:
        return {"error": f"The template cannot be rendered: {type(error).__name__}"}


def _rendered(
    made: Environment,
    compiled: dict[str, Any],
    templates: list[str],
    variables: dict[str, Any],
    longest: int,
) -> list[str]:
    texts = []
    for source in templates:
        template = compiled.get(source)
        if template is None:
            template = made.from_string(source)
            if len(compiled) >= _KEPT:
                compiled.clear()
            compiled[source] = template
        parts: list[str] = []
        size = 0
        for part in template.generate(variables):
            size += len(part)
            if size > longest:
                raise OverflowError(f"it makes more than {longest} characters")
            parts.append(part)
        texts.append("".join(parts))
    return texts


def _confine() -> None:
    try:
        import resource
    except ImportError:  # not a Unix: the deadline alone bounds it
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
