"""all-MiniLM-L6-v2 as a graph for the runtime, made of the weights that its package brings along.

The package's own graph turns its int8 weights into floats and multiplies those. This one leaves them as they are,
scales what they are multiplied with to eight bits too (its whole range at each step, as the runtime's
DynamicQuantizeMatMul does), and takes the runtime's own operators for attention and norms.
Why: docs/decisions/151-eight-bits-on-both-sides.md

Six layers of BERT: attention with twelve heads, then a wide layer with GELU, each added to what went in and normed. The
result is the mean over the text's pieces. (Devlin et al., BERT, 2018; Wang et al., MiniLM, 2020.)
"""

from __future__ import annotations

from typing import Final

import numpy as np

from stenograph.llm.onnx_file import MICROSOFT, Array, Graph, Weights, read_weights

PIECES: Final = "input_ids"
PLACES: Final = "position_ids"

_LAYERS: Final = 6
_HEADS: Final = 12
_SIZE: Final = 384
_EPSILON: Final = 1e-12
_INNER: Final = "inner."


def graph(file: bytes, *, eight_bits: bool) -> bytes:
    """The model: two inputs, (1, pieces) integers each, PIECES and their PLACES from 0; the result is (1, 384) floats.

    `eight_bits` is false where the machine cannot multiply these exactly (see `eight_bit_test`): then weights become
    floats.
    """
    return _MiniLM(read_weights(file), eight_bits).file()


class _MiniLM:
    def __init__(self, weights: Weights, eight_bits: bool) -> None:
        self._tensors = weights.tensors
        self._eight_bits = eight_bits
        self._graph = Graph()
        # In the order of their use: query, key, value, out of attention, into the wide layer, out of it.
        self._matrices = [
            node.inputs[1]
            for node in weights.nodes
            if node.operator == "MatMul" and f"{node.inputs[1]}_q" in weights.tensors
        ]

    def file(self) -> bytes:
        made = self._embedded()
        for layer in range(_LAYERS):
            made = self._layer(made, f"encoder.layer.{layer}.", self._matrices[6 * layer : 6 * layer + 6])
        mean = self._graph.apply("ReduceMean", made, self._graph.tensor(np.array([1])), keepdims=0)
        return self._graph.file({PIECES: ("<i8", 2), PLACES: ("<i8", 2)}, mean)

    def _embedded(self) -> str:
        graph = self._graph
        words = self._rows("embeddings.word_embeddings.weight", PIECES)
        places = self._rows("embeddings.position_embeddings.weight", PLACES)
        kind = graph.tensor(self._tensors[f"{_INNER}embeddings.token_type_embeddings.weight"][0])
        together = graph.apply("Add", graph.apply("Add", words, places), kind)
        scale, shift = (self._given(f"embeddings.LayerNorm.{each}") for each in ("weight", "bias"))
        return graph.apply("LayerNormalization", together, scale, shift, axis=-1, epsilon=_EPSILON)

    def _rows(self, name: str, wanted: str) -> str:
        """Rows of a table of eight bits, as floats."""
        graph = self._graph
        rows, scales = (
            graph.apply("Gather", graph.tensor(self._tensors[f"{_INNER}{name}_{each}"]), wanted)
            for each in ("q", "scale")
        )
        return graph.apply("Mul", graph.apply("Cast", rows, to=1), scales)

    def _layer(self, given: str, name: str, matrices: list[str]) -> str:
        graph = self._graph
        joined = self._times(given, matrices[:3])
        parts = graph.split("Split", 3, joined, graph.tensor(np.array([_SIZE] * 3)), axis=-1)
        shifts = [
            self._tensors[f"{_INNER}{name}attention.self.{each}.bias"] for each in ("query", "key", "value")
        ]
        shift = graph.tensor(np.concatenate(shifts))
        seen = graph.apply("MultiHeadAttention", *parts, shift, domain=MICROSOFT, num_heads=_HEADS)
        attended = self._normed(self._times(seen, matrices[3:4]), given, f"{name}attention.output.")
        wide = self._times(attended, matrices[4:5])
        wide = graph.apply("BiasGelu", wide, self._given(f"{name}intermediate.dense.bias"), domain=MICROSOFT)
        return self._normed(self._times(wide, matrices[5:6]), attended, f"{name}output.")

    def _times(self, given: str, matrices: list[str]) -> str:
        """Multiplied with these matrices side by side."""
        graph = self._graph
        numbers = np.concatenate([self._tensors[f"{each}_q"] for each in matrices], axis=1)
        scales = np.concatenate([self._tensors[f"{each}_scale"] for each in matrices], axis=1)
        if not self._eight_bits:
            return graph.apply("MatMul", given, graph.tensor(numbers.astype(np.float32) * scales))
        tensors = (graph.tensor(each) for each in (numbers, scales.reshape(-1)))
        return graph.apply("DynamicQuantizeMatMul", given, *tensors, domain=MICROSOFT)

    def _normed(self, made: str, before: str, name: str) -> str:
        """Added to what was there before, and normed: in three steps, since the runtime's one for it is slower."""
        scale, shift = (self._given(f"{name}LayerNorm.{each}") for each in ("weight", "bias"))
        made = self._graph.apply("Add", made, self._given(f"{name}dense.bias"))
        together = self._graph.apply("Add", made, before)
        return self._graph.apply("LayerNormalization", together, scale, shift, axis=-1, epsilon=_EPSILON)

    def _given(self, name: str) -> str:
        return self._graph.tensor(self._tensors[f"{_INNER}{name}"])


_PROBE: Final = (8, 64, 32)


def eight_bit_test() -> tuple[bytes, Array, Array]:
    """A graph, what to give it as `given`, and what it makes of that, up to one part in a thousand.

    Processors without instructions for sums of eight-bit products (x86 without VNNI) add two of them in sixteen bits,
    which do not hold the largest: there it makes half as much.
    """
    rows, width, columns = _PROBE
    graph = Graph()
    matrix = graph.tensor(np.full((width, columns), 127, np.int8))
    scales = graph.tensor(np.ones(columns, np.float32))
    product = graph.apply("DynamicQuantizeMatMul", "given", matrix, scales, domain=MICROSOFT)
    given = np.ones((rows, width), np.float32)
    return graph.file({"given": ("<f4", 2)}, product), given, np.full((rows, columns), 127.0 * width)
