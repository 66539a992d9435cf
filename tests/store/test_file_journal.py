"""The journal of files that no record names yet: what a process leaves open, the next one finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stenograph.errors import StoreUnavailable
from stenograph.store import file_journal
from stenograph.store.file_journal import FileJournal
from tests.effort import tries


def opened(path: Path) -> tuple[FileJournal, list[str]]:
    journal = FileJournal(path)
    return journal, journal.open()


def test_what_is_open_is_found_again(tmp_path: Path) -> None:
    journal, left = opened(tmp_path / "journal")
    assert left == []
    journal.storing(["a/1", "a/2", "a/3"])
    journal.closed(["a/2", "nobody"])
    journal.storing(["a/1"])  # again: once is enough to close it
    journal.closed(["a/1"])
    # no close(): the process was killed
    second, left = opened(tmp_path / "journal")
    assert left == ["a/3"]
    second.closed(left)
    assert opened(tmp_path / "journal")[1] == []


def test_a_line_that_was_cut_short_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal, _ = opened(path)
    journal.storing(["a/1", "a/2"])
    whole = path.read_bytes()
    path.write_bytes(whole[:-2])
    assert opened(path)[1] == ["a/1"]
    path.write_bytes(whole + b"-a/1")
    assert opened(path)[1] == ["a/1", "a/2"]
    path.write_bytes(b"\xff\n+a/9\n")
    assert opened(path)[1] == ["a/9"]


def test_it_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_journal, "_REWRITE", 1000)
    journal, _ = opened(tmp_path / "journal")
    journal.storing(["open"])
    for number in range(500):
        journal.storing([f"key/{number}"])
        journal.closed([f"key/{number}"])
    assert (tmp_path / "journal").stat().st_size <= 1000
    assert opened(tmp_path / "journal")[1] == ["open"]


def test_a_journal_that_cannot_be_kept(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        FileJournal(tmp_path / "nowhere" / "journal").open()
    journal, _ = opened(tmp_path / "journal")
    journal.storing(["a"])
    journal.close()
    with pytest.raises(StoreUnavailable):
        journal.storing(["b"])
    journal.closed(["a"])  # is no reason to fail: it is looked at once more
    assert opened(tmp_path / "journal")[1] == ["a"]


@settings(max_examples=tries(60))
@given(steps=st.lists(st.tuples(st.booleans(), st.sampled_from("abcd")), max_size=40), cut=st.integers(0, 40))
def test_any_order_of_steps_and_restarts(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[bool, str]], cut: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal"
    journal, _ = opened(path)
    expected: set[str] = set()
    for number, (storing, key) in enumerate(steps):
        if number == cut:
            journal, left = opened(path)
            assert left == sorted(expected)
        if storing:
            journal.storing([key])
            expected.add(key)
        else:
            journal.closed([key])
            expected.discard(key)
    assert opened(path)[1] == sorted(expected)
