"""Files of rows, without a server: what is written is read again as it was, in every format; and files of others."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from stenograph.errors import Invalid
from stenograph.model.examples import SPLIT_KEY
from stenograph.transfer import formats, rows
from stenograph.transfer.cells import Cells
from stenograph.transfer.client import AnsweredExample, AnsweringRun, Stat, StoredExample
from stenograph.transfer.examples import Keys, NewExample, Reading
from stenograph.transfer.formats import Format
from tests.effort import tries

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["a", "b", "a.b", "", "=x", "inputs", "é", "\x00", 'q"', "a,b", " a", "\n"]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "",
        "null",
        "42",
        "1.0",
        "true",
        "[1]",
        '{"a":1}',
        "=1",
        "'=",
        "-1",
        "a\r\nb",
        "\r",
        "\x00",
        "\u2028",
        " ",
    ]
)
NUMBERS = (
    st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.sampled_from([0, 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 1e300, 1e-9])
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    st.none() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)
EXAMPLES = st.fixed_dictionaries(
    {
        "id": st.uuids(),
        "inputs": OBJECTS,
        "outputs": st.none() | OBJECTS,
        "metadata": OBJECTS,
        "split": st.lists(TEXTS, max_size=3, unique=True),
        "source_run_id": st.none() | st.uuids(),
        "created_at": st.datetimes().map(lambda at: at.isoformat(timespec="microseconds") + "+00:00"),
    }
)


def raw(document: Any) -> Raw:
    return Raw(json.dumps(document, ensure_ascii=False).encode())


def line(example: dict[str, Any]) -> bytes:
    metadata = {**example["metadata"], SPLIT_KEY: example["split"]}
    return rows.example_line(
        StoredExample(
            id=example["id"],
            created_at=example["created_at"],
            inputs=raw(example["inputs"]),
            outputs=raw(example["outputs"]),
            metadata=raw(metadata),
            source_run_id=example["source_run_id"],
        )
    )


def written(folder: Path, kind: Format, lines: Iterable[bytes], layout: rows.Layout = rows.EXAMPLE) -> Path:
    path = folder / f"file.{kind}"
    with path.open("wb") as out:
        formats.write(kind, out, iter(lines), layout, folder)
    return path


def read(
    path: Path, keys: Keys | None = None, *, cells: Cells = Cells.JSON, splits: Iterable[str] = ()
) -> Iterator[NewExample]:
    source = formats.source(formats.format_of(path, None), path, path.name, cells)
    return Reading(source, path.name, keys or Keys(), list(splits)).examples()


def plain(document: Raw | None) -> Any:
    return None if document is None else json.loads(bytes(document))


def kinds(document: Any) -> Any:
    """A value in which 1, 1.0 and True differ."""
    if isinstance(document, dict):
        return {name: kinds(each) for name, each in document.items()}
    if isinstance(document, list):
        return [kinds(each) for each in document]
    return type(document).__name__, document


@pytest.mark.parametrize("kind", list(Format))
@given(examples=st.lists(EXAMPLES, max_size=4))
@settings(max_examples=tries(150))
def test_examples_come_back_as_they_were(
    kind: Format, examples: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = written(folder, kind, map(line, examples))
    found = list(read(path))
    assert [each.id for each in found] == [example["id"] for example in examples]
    assert [each.source_run_id for each in found] == [example["source_run_id"] for example in examples]
    # A column of whole and decimal numbers has one type in Parquet, where 1.0 comes back as 1.
    exactly = (lambda document: document) if kind is Format.PARQUET else kinds
    for new, example in zip(found, examples, strict=True):
        assert exactly(plain(new.inputs)) == exactly(example["inputs"])
        assert exactly(plain(new.outputs)) == exactly(example["outputs"])
        metadata = {**example["metadata"], SPLIT_KEY: example["split"]}
        assert exactly(plain(new.metadata)) == exactly(metadata)
        stated = (new.created_at or "").replace("Z", "+00:00")
        assert pd.Timestamp(stated) == pd.Timestamp(example["created_at"])


def example(**more: Any) -> dict[str, Any]:
    return {
        "id": uuid.uuid4(),
        "inputs": {"q": "x"},
        "outputs": {"a": "y"},
        "metadata": {},
        "split": ["base"],
        "source_run_id": None,
        "created_at": "2026-01-02T03:04:05.000006+00:00",
        **more,
    }


def test_jsonl_keeps_payloads_to_the_byte(tmp_path: Path) -> None:
    inputs = b'{"n": 1.0,  "e": 1E5, "big": 0.12345678901234567890}'
    stored = StoredExample(uuid.uuid4(), "2026-01-02T03:04:05.000006+00:00", Raw(inputs))
    (found,) = read(written(tmp_path, Format.JSONL, [rows.example_line(stored)]))
    assert bytes(found.inputs) == inputs


def test_an_indented_payload_is_one_line(tmp_path: Path) -> None:
    stored = StoredExample(uuid.uuid4(), "2026-01-02T03:04:05.000006+00:00", Raw(b'{\r\n "a": "x\\ny"\n}'))
    path = written(tmp_path, Format.JSONL, [rows.example_line(stored)])
    assert path.read_bytes().count(b"\n") == 1
    (found,) = read(path)
    assert plain(found.inputs) == {"a": "x\ny"}


def test_csv_is_what_people_expect(tmp_path: Path) -> None:
    one = example(inputs={"q": 'What, "now"?', "n": 3}, metadata={"tags": ["a"]})
    other = example(inputs={"q": "=HYPERLINK(1)"}, outputs=None, split=["test", "hard"])
    text = written(tmp_path, Format.CSV, [line(one), line(other)]).read_bytes().decode()
    assert text == (
        "id,split,inputs.q,inputs.n,outputs.a,metadata.tags,created_at\r\n"
        f'{one["id"]},base,"What, ""now""?",3,y,"[""a""]",2026-01-02T03:04:05.000006+00:00\r\n'
        f'{other["id"]},"[""test"",""hard""]",\'=HYPERLINK(1),,,,2026-01-02T03:04:05.000006+00:00\r\n'
    )


def test_parquet_is_what_pandas_expects(tmp_path: Path) -> None:
    inputs = [{"q": "x", "n": 1, "f": 1, "b": True, "m": [{"role": "user"}], "mixed": 1}]
    inputs += [{"q": None, "n": 2, "f": 0.5, "b": False, "m": [], "mixed": "a"}]
    frame = pd.read_parquet(
        written(tmp_path, Format.PARQUET, [line(example(inputs=each)) for each in inputs])
    )
    assert list(frame.columns[:4]) == ["id", "split", "inputs.q", "inputs.n"]
    assert frame["inputs.q"][0] == "x"
    assert frame["inputs.q"].isna()[1]
    assert frame["inputs.n"].dtype == "int64"
    assert list(frame["inputs.f"]) == [1.0, 0.5]
    assert frame["inputs.b"].dtype == "bool"
    assert list(frame["inputs.m"]) == ['[{"role": "user"}]', "[]"]
    assert list(frame["inputs.mixed"]) == ["1", '"a"']
    assert list(frame["split"][0]) == ["base"]
    assert frame["created_at"][0] == pd.Timestamp("2026-01-02T03:04:05.000006", tz="UTC")
    assert list(frame["nulls"][1]) == ["inputs.q"]


def test_what_pandas_saves_can_be_read(tmp_path: Path) -> None:
    """Its files have lost what ours say of their columns."""
    messages = [{"role": "user", "content": "hi"}]
    path = written(
        tmp_path, Format.PARQUET, [line(example(inputs={"m": messages, "t": "42"}, metadata={"k": 1}))]
    )
    frame = pd.read_parquet(path)
    frame["outputs.a"] = "[changed]"
    frame.to_parquet(path)
    (found,) = read(path)
    assert plain(found.inputs) == {"m": messages, "t": "42"}
    assert plain(found.outputs) == {"a": "[changed]"}
    assert plain(found.metadata) == {"k": 1, SPLIT_KEY: ["base"]}


def test_parquet_of_others_may_have_structures(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    table = pa.table(
        {
            "inputs": [{"q": "x", "when": None}],
            "outputs.n": pa.array([1.5], pa.float32()),
            "outputs.day": pd.to_datetime(["2026-01-02"]).date,
            "outputs.list": [[1, 2]],
        }
    )
    pq.write_table(table, path)
    (found,) = read(path)
    assert plain(found.inputs) == {"q": "x", "when": None}
    assert plain(found.outputs) == {"n": 1.5, "day": "2026-01-02", "list": [1, 2]}


def test_too_many_columns_are_refused(tmp_path: Path) -> None:
    wide = line(example(inputs={f"m{place}": 1 for place in range(2001)}))
    for kind in (Format.CSV, Format.PARQUET):
        with pytest.raises(Invalid, match="export them as jsonl"):
            written(tmp_path, kind, [wide])
    assert len(list(read(written(tmp_path, Format.JSONL, [wide])))) == 1


# -- results ---------------------------------------------------------------------------------------------


def result(**more: Any) -> bytes:
    run = AnsweringRun(
        id=uuid.uuid4(),
        name="target",
        status="success",
        start_time="2026-01-02T03:04:05.000000",
        end_time="2026-01-02T03:04:06.500000",
        first_token_time="2026-01-02T03:04:05.250000",
        outputs=raw({"a": "Paris"}),
        extra=raw({"metadata": {"model": "m"}, "runtime": {}}),
        total_tokens=15,
        total_cost="0.000123456789",
        feedback_stats={"right": Stat(avg=0.5), "tone": Stat(values={"warm": 2}), "none": Stat()},
    )
    answered = AnsweredExample(
        uuid.uuid4(), raw({"q": "x"}), raw({"a": "paris"}), raw({SPLIT_KEY: ["base"], "k": 1}), [run]
    )
    return rows.result_line(answered, run)


def test_a_result_says_what_came_of_a_run() -> None:
    found = json.loads(result())
    assert found["latency"] == 1.5
    assert found["first_token"] == 0.25
    assert found["feedback"] == {"right": 0.5, "tone": "warm", "none": None}
    assert found["total_cost"] == 0.000123456789
    assert found["prompt_cost"] is None
    assert (found["metadata"], found["split"], found["run_metadata"]) == ({"k": 1}, ["base"], {"model": "m"})
    assert found["start_time"] == "2026-01-02T03:04:05.000000+00:00"


def test_results_in_parquet_have_types_whatever_the_values(tmp_path: Path) -> None:
    schema = pq.read_schema(written(tmp_path, Format.PARQUET, [result()], rows.RESULT))
    assert schema.field("latency").type == pa.float64()
    assert schema.field("prompt_tokens").type == pa.int64()
    assert schema.field("total_cost").type == pa.float64()
    assert schema.field("error").type == pa.string()
    assert schema.field("end_time").type == pa.timestamp("us", "UTC")
    assert schema.field("feedback.right").type == pa.float64()


# -- files of others -------------------------------------------------------------------------------------


def test_columns_of_any_csv_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text('id,Question,Answer,Year\n17,"What, now?",42,1999\n18,,yes,\n')
    keys = Keys(["Question"], ["Answer"], ["Year"])
    first, second = read(path, keys, cells=Cells.TEXT, splits=["test"])
    assert plain(first.inputs) == {"Question": "What, now?"}
    assert plain(first.outputs) == {"Answer": "42"}
    assert plain(first.metadata) == {"Year": "1999", SPLIT_KEY: ["test"]}
    assert first.id is None
    assert plain(second.inputs) == {"Question": ""}


def test_columns_of_any_csv_can_be_read_as_json(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("q,a\n1,true\n")
    (found,) = read(path, Keys(["q"], ["a"]), cells=Cells.JSON)
    assert (plain(found.inputs), plain(found.outputs)) == ({"q": 1}, {"a": True})


@pytest.mark.parametrize(
    "content",
    [
        b"inputs.q;outputs.a\nx;y\n",
        b"inputs.q\toutputs.a\r\nx\ty",
        "\ufeffinputs.q,outputs.a\nx,y\n\n,\n".encode(),
        "inputs.q,outputs.a\nx,y\n".encode("utf-16"),
    ],
    ids=["semicolons", "tabs", "mark and blank rows", "utf-16"],
)
def test_what_spreadsheets_write(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    (found,) = read(path)
    assert (plain(found.inputs), plain(found.outputs)) == ({"q": "x"}, {"a": "y"})


def test_members_of_any_jsonl_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    path.write_text('{"messages": [1], "x": 2}\n\n{"inputs": {"messages": null}}\n')
    source = formats.source(Format.JSONL, path, path.name, Cells.TEXT)
    reading = Reading(source, path.name, Keys(["messages"]), [])
    assert [plain(each.inputs) for each in reading.examples()] == [{"messages": [1]}, {"messages": None}]
    assert reading.left_columns == ["x"]


def test_a_download_of_the_server_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    path.write_text(
        '{"id":"11111111-1111-4111-8111-111111111111","inputs":{"a":1},"outputs":null,'
        '"metadata":{"dataset_split":["x"]},"modified_at":"2026-01-01T00:00:00+00:00"}\n'
    )
    (found,) = read(path)
    assert plain(found.metadata) == {SPLIT_KEY: ["x"]}
    assert found.outputs is None


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("f.csv", b"", "f.csv has no header"),
        ("f.csv", b"q,q\n1,2\n", "has the column 'q' twice"),
        ("f.csv", b"q\n1\n", "f.csv, row 1: there are no inputs: .* --input-key .* there are 'q'"),
        ("f.csv", b"inputs.q,x\n1,2\n3\n", "f.csv, line 3: the row has 1 cells, the header 2"),
        ("f.csv", b'inputs.q\n"a\n', "f.csv, line 2: this is not CSV"),
        ("f.csv", b"inputs.q\nx\n\xff\n", "f.csv, line 3: this is not UTF-8"),
        ("f.csv", b'id,inputs.q\n,1\n17,"a\nb"\n', r"f.csv, row 2 \(up to line 4\): id has to be a text"),
        ("f.csv", b"inputs\n7\n", "row 1: inputs has to be a JSON object, not 7"),
        ("f.csv", b"inputs.q,split\nx,[1]\n", "row 1: split has to be a name or a list of names"),
        ("f.csv", b"inputs.q,attachments\nx,5\n", "row 1: attachments are an object"),
        ("f.jsonl", b'{"inputs":{}}\n{"a":\n', "f.jsonl, line 2: this is not a JSON object"),
        ("f.jsonl", b"[1]\n", "f.jsonl, line 1: this is not a JSON object"),
        ("f.jsonl", b'{"inputs":{"a":NaN}}\n', "f.jsonl, line 1: this is not a JSON object"),
        ("f.jsonl", b'{"inputs":{"a":"\xff"}}\n', "f.jsonl, line 1: this is not a JSON object"),
        ("f.jsonl", b'{"inputs":' + b"[" * 5000 + b"]" * 5000 + b"}\n", "line 1: .* nested too deeply"),
        ("f.jsonl", b'{"inputs":{},"id":5}\n', "f.jsonl, line 1: id has to be a text, not 5"),
        ("f.jsonl", b'{"inputs":null}\n', "f.jsonl, line 1: there are no inputs"),
        ("f.parquet", b"PAR1 no", "f.parquet is not a Parquet file"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Invalid, match=words):
        list(read(path))


def test_bytes_in_parquet_are_refused_with_row_and_column(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    pq.write_table(pa.table({"inputs.q": ["x", "y"], "inputs.image": [None, b"\x89PNG"]}), path)
    with pytest.raises(Invalid, match="f.parquet, row 2, column 'inputs.image': bytes are no JSON"):
        list(read(path))


def test_a_column_that_is_not_there_is_said(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("Question,Answer\nx,y\n")
    with pytest.raises(Invalid, match="f.csv has no column 'question'; there are 'Question', 'Answer'"):
        read(path, Keys(["question"]))
    with pytest.raises(Invalid, match="name the columns of the inputs too"):
        read(path, Keys(outputs=["Answer"]))
