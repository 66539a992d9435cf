"""All that docs are kept and found with. Gathers the services of this room."""

from __future__ import annotations

from dataclasses import dataclass

from stenograph.domain.recall.docs import Docs
from stenograph.domain.recall.search import Recall
from stenograph.domain.recall.shelves import Shelves
from stenograph.llm.embedding import Embedder
from stenograph.store.api import MetaStore


@dataclass(frozen=True, slots=True)
class Recalling:
    """Each of them takes a workspace, and knows nothing of any other."""

    docs: Docs
    recall: Recall
    embedder: Embedder

    @classmethod
    def over(cls, meta: MetaStore, embedder: Embedder, *, memory: int) -> Recalling:
        """Put together over the store. `memory` is what vectors may take of it, in bytes."""
        return cls(
            docs=Docs(meta.docs, embedder),
            recall=Recall(meta.docs, Shelves(meta.docs, memory), embedder),
            embedder=embedder,
        )
