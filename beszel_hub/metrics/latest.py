"""The newest sample of each system, in memory, and what stands beside it."""

from msgspec.structs import replace

from beszel_hub.metrics.ingest import LiveSample
from beszel_protocol.standing import Standing

_NOTHING = Standing()


class Latest:
    def __init__(self) -> None:
        self._samples: dict[str, LiveSample] = {}
        self._standing: dict[str, Standing] = {}

    def put(self, sample: LiveSample) -> None:
        """What has just arrived counts, even if a clock once stood wrong and history has later instants."""
        self._samples[sample.system_id] = sample
        standing = self._standing.get(sample.system_id, _NOTHING)
        self._standing[sample.system_id] = standing.after(sample.instant_ms, sample.metrics)

    def restore(self, sample: LiveSample) -> None:
        """What history has, unless something has arrived already."""
        if sample.system_id not in self._samples:
            self.put(sample)

    def get(self, system_id: str) -> LiveSample | None:
        return self._samples.get(system_id)

    def get_whole(self, system_id: str) -> LiveSample | None:
        """With what is not in every sample, as it was told last."""
        sample = self._samples.get(system_id)
        if sample is None:
            return None
        return replace(sample, metrics=self._standing.get(system_id, _NOTHING).beside(sample.metrics))

    def forget(self, system_id: str) -> None:
        self._samples.pop(system_id, None)
        self._standing.pop(system_id, None)
