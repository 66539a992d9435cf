"""The parameters of a model's call: an agent's own, under what the call states."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from stenograph.domain.chat.asked import Asked
from stenograph.model.agents import Agent

KNOWN: Final = (
    "model",
    "temperature",
    "top_p",
    "max_tokens",
    "stop",
    "seed",
    "logit_bias",
    "response_format",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "length_penalty",
    "min_p",
)
"""What a call may state, and an agent's default settings with it. Which of them it knows, the model's server says."""

_object: Final = msgspec.json.Decoder(dict[str, Any])


def settings_of(agent: Agent, asked: Asked) -> dict[str, Any]:
    """The later wins: the agent's model, its default settings, what the call states; null there takes away."""
    own = _object.decode(agent.default_settings or b"{}")
    stated = {"model": agent.model or None, **own, **_object.decode(asked.settings)}
    return {name: stated[name] for name in KNOWN if stated.get(name) is not None and stated[name] != []}
