"""Transformations: what a dataset does to examples before they are checked and stored."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec


class TransformationType(StrEnum):
    """In the order in which they are applied, whatever the order of their list."""

    CONVERT_TO_OPENAI_MESSAGE = "convert_to_openai_message"
    CONVERT_TO_OPENAI_TOOL = "convert_to_openai_tool"
    REMOVE_SYSTEM_MESSAGES = "remove_system_messages"
    REMOVE_EXTRA_FIELDS = "remove_extra_fields"
    EXTRACT_TOOLS_FROM_RUN = "extract_tools_from_run"


class Transformation(msgspec.Struct, frozen=True):
    """What to do, and where: steps from the inputs or outputs to a member; a number steps into a list."""

    type: TransformationType
    side: Literal["inputs", "outputs"]
    path: tuple[str, ...] = ()
