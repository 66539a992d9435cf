"""OpenInference: https://github.com/Arize-ai/openinference, its semantic conventions.

Lists are flattened over attributes (`llm.input_messages.0.message.role`). Where the request or response is there
whole as JSON (`input.value`) and has the messages itself, the flattened copy is dropped.
"""

from __future__ import annotations

from typing import Any, Final

from stenograph.wire.otlp.conventions.draft import Draft, many, parsed
from stenograph.wire.otlp.conventions.messages import tool_call

HEADS: Final = frozenset(
    {
        "openinference",
        "llm",
        "input",
        "output",
        "retrieval",
        "reranker",
        "embedding",
        "tool",
        "metadata",
        "tag",
    }
)

_KINDS: Final = {
    "LLM": "llm", "CHAIN": "chain", "AGENT": "chain", "TOOL": "tool", "RETRIEVER": "retriever",
    "RERANKER": "retriever", "EMBEDDING": "embedding", "PROMPT": "prompt", "GUARDRAIL": "chain",
    "EVALUATOR": "chain",
}  # fmt: skip
_OF_MODELS: Final = frozenset({"llm", "embedding"})
_OF_LISTS: Final = ("llm.", "retrieval.", "reranker.", "embedding.")
_FLATTENED: Final = frozenset(
    {
        "input_messages", "output_messages", "prompts", "choices", "tools", "documents", "input_documents",
        "output_documents", "embeddings",
    }
)  # fmt: skip


def read(draft: Draft) -> None:
    rest = draft.rest
    kind = (draft.text("openinference.span.kind") or "").upper()
    draft.be(_KINDS.get(kind))
    if not kind and "input.value" not in rest and "output.value" not in rest and not _model(draft):
        return  # "llm" and "tool" are words that others use too
    if model := _model(draft):
        draft.metadata.setdefault("ls_model_name", model)
    if provider := draft.text("llm.provider", "llm.system"):
        draft.metadata.setdefault("ls_provider", provider)
    for key in ("llm.invocation_parameters", "embedding.invocation_parameters"):
        if type(found := parsed(rest.get(key))) is dict:
            del rest[key]
            draft.params = {**found, **draft.params}
    if draft.give_inputs("input.value"):
        rest.pop("input.mime_type", None)
    if draft.give_outputs("output.value"):
        rest.pop("output.mime_type", None)
    _lists(draft)
    if draft.run_type is None and _model(draft):
        draft.be("llm")
    if draft.run_type in _OF_MODELS:
        _usage(draft)
    if type(found := parsed(rest.get("metadata"))) is dict:
        del rest["metadata"]
        draft.metadata = {**found, **draft.metadata}
    tags = rest.get("tag.tags")
    if type(tags) is list and all(type(tag) is str for tag in tags):
        del rest["tag.tags"]
        draft.tags += tags


def _model(draft: Draft) -> str | None:
    return draft.text("llm.model_name", "embedding.model_name", "reranker.model_name")


def _usage(draft: Draft) -> None:
    draft.count("input_tokens", "llm.token_count.prompt")
    draft.count("output_tokens", "llm.token_count.completion")
    draft.count("total_tokens", "llm.token_count.total")
    draft.count("input_cost", "llm.cost.prompt")
    draft.count("output_cost", "llm.cost.completion")
    draft.count("total_cost", "llm.cost.total")
    details = "llm.token_count.prompt_details."
    draft.count_in("cache_read", details + "cache_read", details + "cache_input")
    draft.count_in("cache_creation", details + "cache_write")
    draft.count_in("audio", details + "audio")
    details = "llm.token_count.completion_details."
    draft.count_out("reasoning", details + "reasoning")
    draft.count_out("audio", details + "audio")


def _lists(draft: Draft) -> None:
    """What is flattened: into inputs, outputs and parameters, unless it is there already."""
    heads = draft.shape.seconds(_OF_LISTS)
    if heads.isdisjoint(_FLATTENED) and draft.inputs is not None:
        return
    rest = draft.rest
    if "input_messages" in heads:
        sent = _take(draft, "llm.input_messages.")
        if not draft.has(draft.inputs, "messages", "input", "prompt", "contents"):
            draft.inputs = draft.extend(draft.inputs, {"messages": [_message(one) for one in sent]})
    if "output_messages" in heads:
        sent = _take(draft, "llm.output_messages.")
        if not draft.has(draft.outputs, "messages", "choices", "content", "candidates", "generations"):
            draft.outputs = draft.extend(draft.outputs, {"messages": [_message(one) for one in sent]})
    if "prompts" in heads:
        draft.inputs = draft.extend(draft.inputs, {"prompts": _bare(_take(draft, "llm.prompts."))})
    if "choices" in heads:
        draft.outputs = draft.extend(draft.outputs, {"choices": _bare(_take(draft, "llm.choices."))})
    if "tools" in heads and "tools" not in draft.params:
        tools = _bare(_take(draft, "llm.tools."))
        draft.params["tools"] = [
            parsed(one["json_schema"]) if type(one) is dict and "json_schema" in one else one for one in tools
        ]
    if "documents" in heads:
        found = [_document(one) for one in _take(draft, "retrieval.documents.")]
        draft.outputs = draft.extend(draft.outputs, {"documents": found})
    if "input_documents" in heads:
        found = [_document(one) for one in _take(draft, "reranker.input_documents.")]
        draft.inputs = draft.extend(draft.inputs, {"documents": found})
    if "output_documents" in heads:
        found = [_document(one) for one in _take(draft, "reranker.output_documents.")]
        draft.outputs = draft.extend(draft.outputs, {"documents": found})
    if "embeddings" in heads:
        _embeddings(draft)
    if draft.inputs is None and "llm.prompt_template.variables" in rest:
        draft.inputs = draft.payload(rest["llm.prompt_template.variables"], "variables")


def _take(draft: Draft, prefix: str) -> list[Any]:
    return many([(name, draft.rest.pop(key)) for key, name in draft.starting(prefix)])


def _bare(items: list[Any]) -> list[Any]:
    """Without the one word that the convention puts around each member of a list."""
    return [
        next(iter(one.values()))
        if type(one) is dict and len(one) == 1 and type(next(iter(one.values()))) is dict
        else one
        for one in items
    ]


def _message(item: Any) -> Any:
    message = item.get("message", item) if type(item) is dict else item
    if type(message) is not dict:
        return message
    found: dict[str, Any] = {
        "role": message.pop("role", None),
        "content": message.pop("content", None),
        **message,
    }
    if type(contents := found.pop("contents", None)) is list:
        parts = [_content(one) for one in _bare(contents)]
        found["content"] = parts if found["content"] is None else [*parts, found["content"]]
    if type(calls := found.get("tool_calls")) is list:
        found["tool_calls"] = [_call(one) for one in _bare(calls)]
    return found


def _call(call: Any) -> Any:
    function = call.get("function") if type(call) is dict else None
    if type(function) is not dict or not call.keys() <= {"id", "function", "type"}:
        return call
    return tool_call(call.get("id"), function.get("name"), function.get("arguments"))


def _content(part: Any) -> Any:
    """A part of a message: `image.image.url` is OpenAI's image_url."""
    image = part.get("image") if type(part) is dict else None
    if type(image) is dict and type(image.get("image")) is dict and "url" in image["image"]:
        return {"type": "image_url", "image_url": image["image"]}
    return part


def _document(item: Any) -> Any:
    """A document in LangChain's shape, which LangSmith's page shows."""
    document = item.get("document", item) if type(item) is dict else item
    if type(document) is not dict:
        return {"page_content": document, "metadata": {}, "type": "Document"}
    metadata = parsed(document.pop("metadata", None))
    if metadata is None:
        metadata = {}
    content = document.pop("content", None)
    return {"page_content": content, "metadata": metadata, "type": "Document", **document}


def _embeddings(draft: Draft) -> None:
    found = _bare(_take(draft, "embedding.embeddings."))
    texts = [one.get("text") for one in found if type(one) is dict and "text" in one]
    vectors = [one.get("vector") for one in found if type(one) is dict and "vector" in one]
    if texts and not draft.has(draft.inputs, "input", "texts"):
        draft.inputs = draft.extend(draft.inputs, {"texts": texts})
    if vectors and not draft.has(draft.outputs, "data", "embeddings"):
        draft.outputs = draft.extend(draft.outputs, {"embeddings": vectors})
