"""The newest sample of each system, in memory."""

from beszel_hub.metrics.ingest import LiveSample


class Latest:
    def __init__(self) -> None:
        self._samples: dict[str, LiveSample] = {}

    def put(self, sample: LiveSample) -> None:
        """What has just arrived counts, even if a clock once stood wrong and history has later instants."""
        self._samples[sample.system_id] = sample

    def restore(self, sample: LiveSample) -> None:
        """What history has, unless something has arrived already."""
        self._samples.setdefault(sample.system_id, sample)

    def get(self, system_id: str) -> LiveSample | None:
        return self._samples.get(system_id)

    def forget(self, system_id: str) -> None:
        self._samples.pop(system_id, None)
