"""Texts as vectors by a model behind any OpenAI-compatible embeddings endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from stenograph.errors import ModelRefused, ModelUnavailable
from stenograph.llm.client import Models
from stenograph.llm.embedding import Embedder, LocalEmbedder, Vectors
from stenograph.llm.endpoint import OPENAI, Endpoint, of_operator
from stenograph.settings import Settings

AT_ONCE: Final = 32
"""Texts of one request: the least that servers in use take."""


class EndpointEmbedder:
    """A model of somebody's server.

    `model` is what is asked for; `dimensions` the length of its vectors, 0 for the model's own, which is learnt from
    its first answer. A longer vector than asked for is cut: models that are trained so keep what matters in front, and
    not every server does the cutting. `revision` is the operator's word for weights that changed under one name.
    """

    def __init__(
        self, models: Models, endpoint: Endpoint, model: str, *, dimensions: int = 0, revision: str = ""
    ) -> None:
        self._models = models
        self._endpoint = endpoint
        self._name = model
        self._wanted = dimensions
        self._learnt = 0
        marks = [revision, f"{dimensions}d" if dimensions else ""]
        self.model: Final = "@".join((model, "-".join(mark for mark in marks if mark))).removesuffix("@")

    @property
    def dimensions(self) -> int:
        return self._wanted or self._learnt

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """ModelUnavailable when the server cannot answer now; ModelRefused when it will not take these texts, or is
        not set up right."""
        parts = [await self._asked(texts[start : start + AT_ONCE]) for start in range(0, len(texts), AT_ONCE)]
        return np.concatenate(parts) if parts else np.empty((0, self.dimensions), np.float32)

    async def _asked(self, texts: Sequence[str]) -> Vectors:
        answer = await self._models.embed(
            [text if text.strip() else " " for text in texts],  # an empty text is refused by most
            self._name,
            self._endpoint,
            dimensions=self._wanted or None,
        )
        lengths = {len(vector) for vector in answer.vectors}
        if len(lengths) != 1 or not (length := lengths.pop()):
            raise ModelUnavailable(f"the model {self._name} answers with vectors of different lengths")
        with np.errstate(over="ignore"):
            found = np.array(answer.vectors, np.float32)
        if not np.isfinite(found).all():
            raise ModelUnavailable(f"the model {self._name} answers with numbers that are none")
        if self._wanted > length:
            raise ModelRefused(
                f"vectors of the model {self._name} have {length} dimensions, fewer than the "
                f"{self._wanted} of STENOGRAPH_EMBEDDING_DIMENSIONS"
            )
        if self._wanted:
            found = found[:, : self._wanted]
        elif self._learnt not in (0, length):
            raise ModelRefused(
                f"vectors of the model {self._name} had {self._learnt} dimensions and now have {length}: it is "
                "another one; tell them apart by STENOGRAPH_EMBEDDING_REVISION"
            )
        self._learnt = found.shape[1]
        norms = np.linalg.norm(found, axis=1, keepdims=True)
        units: Vectors = (found / np.maximum(norms, 1e-12)).astype(np.float32)
        return units


def of_settings(settings: Settings, models: Models) -> Embedder:
    """The model that the operator has named, or else the one that comes with this program."""
    if not settings.embedding_model:
        return LocalEmbedder()
    where = of_operator(settings)
    if settings.embedding_base_url or settings.embedding_api_key:
        where = Endpoint(settings.embedding_base_url or OPENAI, settings.embedding_api_key, trusted=True)
    assert where is not None, "the settings see to it"
    return EndpointEmbedder(
        models,
        where,
        settings.embedding_model,
        dimensions=settings.embedding_dimensions,
        revision=settings.embedding_revision,
    )
