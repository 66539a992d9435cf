"""Calling everything that a part of HoneyHive's Python client offers, and knowing what was not called."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from typing import Any


class Called:
    """Calls functions of a client by name, `create` or `create_async` alike, and remembers which."""

    def __init__(self, of: Any, *, asynchronous: bool, leading: tuple[Any, ...] = ()) -> None:
        self._of = of
        self._asynchronous = asynchronous
        self._leading = leading
        self.names: set[str] = set()

    def __call__(self, name: str, *given: Any, **named: Any) -> Any:
        if self._asynchronous and hasattr(self._of, f"{name}_async"):
            name = f"{name}_async"
        self.names.add(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the client announces its own
            answer = getattr(self._of, name)(*self._leading, *given, **named)
            return asyncio.run(answer) if inspect.iscoroutine(answer) else answer

    @property
    def forgotten(self) -> set[str]:
        """Public functions that were not called; of a client's methods those of the other colour do not count."""
        if inspect.ismodule(self._of):
            offered = {
                name
                for name, found in vars(self._of).items()
                if inspect.isfunction(found) and found.__module__ == self._of.__name__ and name[0] != "_"
            }
            return offered - self.names
        offered = {name for name, found in vars(type(self._of)).items() if callable(found) and name[0] != "_"}
        twins = {name for name in offered if name.endswith("_async")}
        wanted = twins if self._asynchronous else offered - twins
        return wanted - self.names
