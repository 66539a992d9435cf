"""Definitions of tools in the forms of LangChain, Anthropic, MCP and Bedrock, as OpenAI's chat completions has them.

Values are decoded JSON. What has another form comes back as the same object.
"""

from __future__ import annotations

from typing import Any, Final

_PARAMETERS: Final = ("parameters", "input_schema", "inputSchema", "args_schema", "schema")
"""Where a definition has its JSON Schema: OpenAI; Anthropic; MCP; LangChain's tools in Python and JavaScript."""
_PLAIN_TYPES: Final = (None, "function", "custom")
"""Types of tools that the caller defines himself; others are built into a provider, and have no definition."""


def as_openai(value: Any) -> Any:
    """`{type: function, function: {name, description, parameters, strict}}`; the same object when it cannot be."""
    if not isinstance(value, dict) or isinstance(value.get("function"), dict):
        return value
    stated = value
    if value.get("type") == "constructor" and isinstance(value.get("kwargs"), dict):
        stated = value["kwargs"]
    elif isinstance(value.get("toolSpec"), dict):
        stated = value["toolSpec"]
    elif value.get("type") == "object" and isinstance(value.get("title"), str):
        return _of_schema(value)
    elif value.get("type") not in _PLAIN_TYPES:
        return value
    return _of_definition(stated) or value


def _of_definition(stated: dict[str, Any]) -> dict[str, Any] | None:
    if not isinstance(stated.get("name"), str) or not stated["name"]:
        return None
    function: dict[str, Any] = {"name": stated["name"]}
    if isinstance(description := stated.get("description"), str):
        function["description"] = description
    found = next((key for key in _PARAMETERS if isinstance(stated.get(key), dict)), None)
    if found is None and "description" not in stated:
        return None  # a name alone may be anything
    if found is not None:
        schema = stated[found]
        inner = schema.get("json")  # Bedrock
        function["parameters"] = inner if found == "inputSchema" and isinstance(inner, dict) else schema
    if isinstance(strict := stated.get("strict"), bool):
        function["strict"] = strict
    return {"type": "function", "function": function}


def _of_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """A class that a tool's arguments make, as LangChain's structured output has it: the title is the name."""
    parameters = {key: value for key, value in schema.items() if key not in ("title", "description")}
    description = schema.get("description")
    described = {"description": description} if isinstance(description, str) else {}
    return {"type": "function", "function": {"name": schema["title"], **described, "parameters": parameters}}
