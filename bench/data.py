"""Runs as an application with LLM agents would record them: deterministic, fast to make, honest to compress.

A trace depends on nothing but (seed, batch number, time span), so any process can make any batch again: the
loader to send it, the reader to know which ids exist.

Texts are slices of a pool of pseudo-words drawn by Zipf's law. The pool is far larger than the blocks that the
engine compresses, so that the same slice rarely meets itself in one of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

import numpy as np

SEED: Final = 20240611
BATCH: Final = 100
"""Runs of one request."""

VOCABULARY: Final = 30_000
POOL_WORDS: Final = 6_000_000
PROJECTS: Final = tuple(f"bench-{number:02}" for number in range(20))
_PROJECT_WEIGHTS: Final = [1 / rank for rank in range(1, len(PROJECTS) + 1)]

CHAINS: Final = ("agent", "RunnableSequence", "plan", "answer_question", "route", "summarise", "reflect")
LEAVES: Final = {
    "llm": ("ChatOpenAI", "ChatAnthropic", "rewrite_query", "grade_documents"),
    "tool": ("search", "calculator", "sql_query", "fetch_page", "send_mail", "calendar"),
    "retriever": ("VectorStoreRetriever", "BM25Retriever"),
    "parser": ("JsonOutputParser", "StrOutputParser"),
    "prompt": ("ChatPromptTemplate",),
}
_LEAF_TYPES: Final = ("llm",) * 9 + ("tool",) * 5 + ("retriever",) * 2 + ("parser",) * 2 + ("prompt",)
NAMES: Final = (*CHAINS, *(name for names in LEAVES.values() for name in names))
MODELS: Final = (
    ("openai", "gpt-4o"), ("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-5"),
    ("google_genai", "gemini-2.5-pro"),
)  # fmt: skip
TAGS: Final = ("prod", "staging", "canary", "batch", "beta", "eu", "us", "free", "paid", "internal")
USERS: Final = 5_000
ERROR_SHARE: Final = 0.02
MEAN_CONTENT: Final = 1_620
"""Bytes of text in inputs and outputs together, on average: with the rest a run comes to 2.8 KB."""

_SIGMA: Final = 0.75


@dataclass(frozen=True, slots=True)
class Span:
    """Start times of a series of `batches` batches run evenly from `start` to `end`, epoch seconds.

    Series with different `number` have no id in common.
    """

    number: int
    batches: int
    start: float
    end: float

    @property
    def runs(self) -> int:
        return self.batches * BATCH

    def moment(self, batch: int) -> int:
        """When a batch begins, in microseconds."""
        return int((self.start + (self.end - self.start) * batch / self.batches) * 1_000_000)


@dataclass(frozen=True, slots=True)
class MadeRun:
    """One finished run. `*_open` is what the create already knows of a field; times are epoch microseconds."""

    id: str
    trace_id: str
    parent_id: str | None
    ancestors: int
    dotted_order: str
    name: str
    run_type: str
    project: str
    start: int
    end: int
    tags: str
    inputs: bytes
    outputs: bytes
    events: bytes
    extra_open: bytes
    extra: bytes
    error: bytes | None
    serialized: bytes | None
    thread: str
    user: str


# -- text ------------------------------------------------------------------------------------------------


@cache
def vocabulary() -> tuple[str, ...]:
    """Pseudo-words, the most frequent first; frequent ones are short, as in languages."""
    chance = random.Random(SEED)
    heads = ("b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st", "tr", "ch", "")
    cores = ("a", "e", "i", "o", "u", "ea", "ou", "ai")
    tails = ("", "", "", "n", "r", "s", "t", "l", "nd", "ng")
    found: dict[str, None] = {}
    while len(found) < VOCABULARY:
        rank = len(found)
        syllables = 1 + (rank > 120) + (rank > 4_000 and chance.random() < 0.7) + (chance.random() < 0.15)
        word = "".join(
            chance.choice(heads) + chance.choice(cores) + chance.choice(tails) for _ in range(syllables)
        )
        found[word] = None
    return tuple(found)


def rare_words() -> tuple[str, ...]:
    """Words in about one run of a thousand or fewer."""
    return vocabulary()[22_000:29_000]


def common_words() -> tuple[str, ...]:
    """Words in most runs."""
    return vocabulary()[20:120]


@cache
def _pool() -> bytes:
    """A long text as it stands inside a JSON string: no quotes, line ends escaped, words apart by blanks."""
    chance = np.random.default_rng(SEED)
    weights = 1 / np.arange(1, VOCABULARY + 1) ** 1.05
    ranks = np.searchsorted(np.cumsum(weights / weights.sum()), chance.random(POOL_WORDS))
    ends = np.array(("", ",", ".", ".\\n"), dtype=object)
    marks = ends[np.searchsorted(np.array((0.86, 0.93, 0.99)), chance.random(POOL_WORDS))]
    words = np.array(vocabulary(), dtype=object)[np.minimum(ranks, VOCABULARY - 1)]
    return " ".join((words + marks).tolist()).encode()


class _Text:
    """Hands out texts of about the wanted length."""

    def __init__(self, chance: random.Random) -> None:
        self._pool = _pool()
        self._random = chance.random
        self._last = len(self._pool) - 40_000

    def __call__(self, size: int) -> bytes:
        pool = self._pool
        start = pool.index(b" ", int(self._random() * self._last)) + 1
        return pool[start : pool.rindex(b" ", start, start + max(size, 24))]


def texts(chance: random.Random) -> Callable[[int], bytes]:
    """Gives texts of about a wanted number of bytes, as they stand inside a JSON string."""
    return _Text(chance)


# -- traces ----------------------------------------------------------------------------------------------

_RUNTIME: Final = (
    b'"runtime":{"sdk":"langsmith-py","sdk_version":"0.15.0","library":"langsmith",'
    b'"platform":"Linux-6.8.0-45-generic-x86_64-with-glibc2.39","runtime":"python",'
    b'"py_implementation":"CPython","runtime_version":"3.11.9","langchain_version":"0.3.27",'
    b'"langchain_core_version":"0.3.79"}}'
)


def traces(span: Span, batch: int) -> list[list[MadeRun]]:
    """The traces of one batch: BATCH runs of one project, each trace's runs in the order of their start."""
    chance = random.Random(f"{SEED}:{span.number}:{batch}")
    project = chance.choices(PROJECTS, _PROJECT_WEIGHTS)[0]
    text = _Text(chance)
    made = []
    moment = span.moment(batch)
    left = BATCH
    while left:
        size = chance.randint(5, 15)
        if left - size < 5:
            size = left if left <= 15 else left // 2
        left -= size
        made.append(_Trace(chance, text, project, moment).runs(size))
        moment += chance.randint(1_000, 900_000)
    return made


def iso(moment: int) -> str:
    """As the Python client writes times."""
    return (_EPOCH + timedelta(microseconds=moment)).isoformat(timespec="microseconds")


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Trace:
    """Makes the runs of one trace, as a program that calls depth first would."""

    def __init__(self, chance: random.Random, text: _Text, project: str, start: int) -> None:
        self._chance = chance
        self._text = text
        self._project = project
        self._start = start
        self._user = f"user-{int(chance.random() ** 2 * USERS):05}"
        self._thread = f"{self._user}-{chance.randrange(40):02}"
        self._tags = ",".join(f'"{tag}"' for tag in sorted(chance.sample(TAGS, 2)))
        own = (
            f'{{"metadata":{{"session_id":"{self._thread}","user_id":"{self._user}","environment":"production",'
            f'"revision_id":"v1.{chance.randrange(30)}.0","ls_method":"traceable"'
        )
        self._metadata = own.encode()
        self._after = (
            f',"LANGSMITH_TRACING":"true","LANGSMITH_PROJECT":"{project}",'
            '"LANGSMITH_ENDPOINT":"http://localhost:1984"},'
        ).encode() + _RUNTIME

    def runs(self, size: int) -> list[MadeRun]:
        """`size` runs in a tree."""
        steps = self._steps(size)
        made: list[MadeRun] = []
        for parent, chain, start, end in steps:
            made.append(self._run(made[parent] if parent >= 0 else None, chain, start, end))
        return made

    def _steps(self, size: int) -> list[tuple[int, bool, int, int]]:
        """Parent's place, whether it has children, start and end of each run."""
        chance = self._chance
        clock = self._start
        stack = [0]
        steps = [[-1, 1, clock, 0]]
        for number in range(1, size):
            while len(stack) > 1 and chance.random() < 0.4:
                steps[stack.pop()][3] = clock + 300
            clock += chance.randint(150, 4_000)
            chain = len(stack) < 4 and number < size - 1 and chance.random() < 0.25
            steps.append([stack[-1], int(chain), clock, 0])
            if chain:
                stack.append(number)
            else:
                clock += int(chance.lognormvariate(13.2, 1.1))
                steps[number][3] = clock
        while stack:
            clock += 300
            steps[stack.pop()][3] = clock
        return [(parent, bool(chain), start, end) for parent, chain, start, end in steps]

    def _run(self, parent: MadeRun | None, chain: bool, start: int, end: int) -> MadeRun:
        chance = self._chance
        run_id = _uuid7(start // 1000, chance.getrandbits(74))
        run_type = "chain" if chain else chance.choice(_LEAF_TYPES)
        name = chance.choice(CHAINS if chain else LEAVES[run_type])
        content = min(14_000, int(chance.lognormvariate(_mu(), _SIGMA)))
        share = int(content * chance.uniform(0.3, 0.8))
        stamp = f"{(_EPOCH + timedelta(microseconds=start)).strftime('%Y%m%dT%H%M%S%f')}Z{run_id}"
        error = None
        if chance.random() < ERROR_SHARE:
            error = _error(chance, self._text)
        extra_open = self._metadata + self._after
        extra, events, serialized = extra_open, b"[]", None
        if run_type == "llm":
            extra_open, extra, outputs = self._model_call(content, content - share, error is None)
            serialized = b'{"name":"%b"}' % name.encode()
            if chance.random() < 0.6:
                first = start + (end - start) // chance.randint(3, 30)
                events = b'[{"name":"new_token","time":"%b"}]' % iso(first).encode()
            inputs = b'{"messages":[{"role":"system","content":"%b"},{"role":"user","content":"%b"}]}' % (
                _system(self._project),
                self._text(share - 200),
            )
        else:
            inputs, outputs = self._call(run_type, share, content - share)
        if error is not None:
            outputs = b'{"output":null}'
        return MadeRun(
            run_id, parent.trace_id if parent else run_id, parent.id if parent else None,
            parent.ancestors + 1 if parent else 0, f"{parent.dotted_order}.{stamp}" if parent else stamp,
            name, run_type, self._project, start, end, self._tags, inputs, outputs, events,
            extra_open, extra, error, serialized, self._thread, self._user,
        )  # fmt: skip

    def _model_call(self, content: int, answer: int, well: bool) -> tuple[bytes, bytes, bytes]:
        """Extra as created and as updated, and the outputs, with what the call used."""
        provider, model = self._chance.choice(MODELS)
        spent, got = content // 4 + 60, answer // 4 + 5
        usage = b'"usage_metadata":{"input_tokens":%d,"output_tokens":%d,"total_tokens":%d}' % (
            spent, got, spent + got,
        )  # fmt: skip
        about = (
            self._metadata
            + (
                f',"ls_provider":"{provider}","ls_model_name":"{model}","ls_model_type":"chat","ls_temperature":0.2'
            ).encode()
        )
        outputs = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"%b"},' % self._text(
            answer
        )
        outputs += b'"finish_reason":"stop"}],%b}' % usage
        done = about + b"," + usage if well else about
        return about + self._after, done + self._after, outputs

    def _call(self, run_type: str, share: int, rest: int) -> tuple[bytes, bytes]:
        text = self._text
        if run_type == "retriever":
            half = rest // 2
            documents = b",".join(
                b'{"page_content":"%b","metadata":{"source":"doc-%d.md","score":0.%d},"type":"Document"}'
                % (text(half), self._chance.randrange(9_000), self._chance.randrange(100, 999))
                for _ in range(2)
            )
            return b'{"query":"%b"}' % text(share), b'{"documents":[%b]}' % documents
        if run_type == "chain":
            return b'{"question":"%b"}' % text(share), b'{"answer":"%b"}' % text(rest)
        return b'{"input":"%b"}' % text(share), b'{"output":"%b"}' % text(rest)


@cache
def _mu() -> float:
    return float(np.log(MEAN_CONTENT) - _SIGMA**2 / 2)


@cache
def _system(project: str) -> bytes:
    """An application's system prompt: the same in each of its calls."""
    return _Text(random.Random(project))(220)


def _error(chance: random.Random, text: _Text) -> bytes:
    line = chance.randrange(10, 900)
    return (
        b'"ValueError(\'%b\')\\n\\nTraceback (most recent call last):\\n  File \\"/srv/app/steps.py\\", '
        b'line %d, in call\\n    return step(value)\\nValueError\\n"' % (text(60).replace(b"\\n", b""), line)
    )


def _uuid7(milliseconds: int, noise: int) -> str:
    low = f"{1 << 63 | noise & (1 << 62) - 1:016x}"
    head = f"{milliseconds:012x}"
    return f"{head[:8]}-{head[8:]}-7{noise >> 62:03x}-{low[:4]}-{low[4:]}"
