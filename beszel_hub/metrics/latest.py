"""The newest sample of each system, in memory."""

from beszel_hub.metrics.ingest import LiveSample


class Latest:
    def __init__(self) -> None:
        self._samples: dict[str, LiveSample] = {}

    def put(self, sample: LiveSample) -> None:
        """Keep `sample` unless a newer one of its system is there."""
        known = self._samples.get(sample.system_id)
        if known is None or sample.instant_ms >= known.instant_ms:
            self._samples[sample.system_id] = sample

    def get(self, system_id: str) -> LiveSample | None:
        return self._samples.get(system_id)

    def forget(self, system_id: str) -> None:
        self._samples.pop(system_id, None)
