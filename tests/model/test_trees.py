"""Trees by column: where parents stand."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stenograph.model.trees import MISSING, NO_PARENT, above


@given(
    st.lists(st.binary(min_size=16, max_size=16).filter(any), min_size=1, max_size=30, unique=True), st.data()
)
def test_parents_are_found_whatever_their_bytes(ids: list[bytes], data: st.DataObject) -> None:
    """Zeros at the end of an id included, which numpy's texts are known to lose."""
    nothing, strange = bytes(16), b"\xff" * 16
    parents = data.draw(
        st.lists(st.sampled_from([*ids, nothing, strange]), min_size=len(ids), max_size=len(ids))
    )
    found = above(np.frombuffer(b"".join(ids), "S16"), np.frombuffer(b"".join(parents), "S16"))
    wanted = {one: place for place, one in enumerate(ids)} | {nothing: NO_PARENT}
    assert found.tolist() == [wanted.get(parent, MISSING) for parent in parents]
