"""An index of very many vectors: they lie in lists around centres, and a search looks through the nearest lists alone.

An inverted file (Jégou et al., PAMI 2011) as faiss has it, over the float16 numbers that the store holds: whoever looks
through all lists gets what an exact search gets. The library is loaded with the first index: most servers need none.
"""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from stenograph.llm.embedding import Vectors

Numbers = npt.NDArray[np.int64]

LISTS: Final = 512
PROBED: Final = 48
"""Lists that a search looks through: a tenth of the vectors, and of the ten nearest it misses fewer than one in a
hundred (docs/benchmarks.md)."""

_SAMPLED: Final = 64
"""Vectors a list that the centres are found by."""

_ROUNDS: Final = 8


class VectorIndex:
    """Vectors of length 1, each by its number. Its methods may be called from any thread, and wait for each other while
    vectors are added or taken out."""

    def __init__(self, sample: Vectors, *, lists: int = LISTS, probed: int = PROBED) -> None:
        """Empty, with centres found among the sample: some seconds of one core."""
        import faiss

        faiss.omp_set_num_threads(1)  # of this thread
        self._lists = lists = max(1, min(lists, len(sample) // _SAMPLED))
        self._probed = min(probed, lists)
        size = int(sample.shape[1])
        self._bytes = 2 * size + 8
        self._centres = faiss.IndexFlatIP(size)
        self._index: Any = faiss.IndexIVFScalarQuantizer(
            self._centres, size, lists, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT, False
        )
        self._index.cp.niter = _ROUNDS
        self._index.cp.max_points_per_centroid = _SAMPLED
        chosen = np.random.default_rng(0).permutation(len(sample))[: lists * _SAMPLED]
        self._index.train(np.ascontiguousarray(sample[np.sort(chosen)]))
        self._parameters: Any = faiss.SearchParametersIVF
        self._among: Any = faiss.IDSelectorBatch
        self._single_thread: Any = faiss.omp_set_num_threads
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def nbytes(self) -> int:
        return len(self) * self._bytes

    def add(self, vectors: Vectors, numbers: Numbers) -> None:
        self._single_thread(1)
        with self._lock:
            self._index.add_with_ids(np.ascontiguousarray(vectors), numbers)

    def remove(self, numbers: Numbers) -> None:
        with self._lock:
            self._index.remove_ids(self._among(numbers))

    def nearest(
        self, vector: Vectors, limit: int, among: Numbers | None = None
    ) -> tuple[Numbers, npt.NDArray[np.float32]]:
        """Numbers and cosines of the `limit` nearest, the nearest first. `among` are those that count; of these none is
        missed."""
        self._single_thread(1)
        if among is None:
            asked = self._parameters(nprobe=self._probed)
        else:
            selector = self._among(among)  # the parameters do not keep it alive
            asked = self._parameters(sel=selector, nprobe=self._lists)
        with self._lock:
            cosines, numbers = self._index.search(vector[None, :], limit, params=asked)
        found = numbers[0] >= 0
        return numbers[0][found], cosines[0][found]
