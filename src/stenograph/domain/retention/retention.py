"""The services of retention, put together: rules that people change, and the work that follows from them."""

from __future__ import annotations

from dataclasses import dataclass

from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.retention.expiry import Expiry
from stenograph.domain.retention.old_traces import OldTraces
from stenograph.domain.retention.rules import Rules
from stenograph.domain.trace_deletion import TraceDeletion
from stenograph.observability import Metrics
from stenograph.store.api import MetaStore, RunStore


@dataclass(frozen=True, slots=True)
class RetentionServices:
    rules: Rules
    expiry: Expiry

    @classmethod
    def over(
        cls, meta: MetaStore, store: RunStore, recorder: Recorder, deletion: TraceDeletion, metrics: Metrics
    ) -> RetentionServices:
        old = OldTraces(meta, store, recorder)
        expiry = Expiry(meta, old, deletion, metrics)
        return cls(Rules(meta, old, expiry.wake), expiry)
