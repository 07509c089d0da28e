"""Under which digests registries know the images of one engine."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from beszel_agent.containers.client import EngineClient, NoSuchContainer

MAX_IMAGES: Final = 1000
FRESH_SECONDS: Final = 3600.0
"""A pull may give an image another digest and leave it, and its containers, as they are."""


class _Known(NamedTuple):
    asked_seconds: float
    digests: Sequence[str]


class ImageDigests:
    """Many containers share an image, and each is asked about once an hour."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` tells seconds, from whenever on."""
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def get(self, client: EngineClient, image_id: str) -> Sequence[str]:
        """Each as `repository@sha256:…`; none of an image that is gone. Raise `EngineFailed`."""
        known = self._known.get(image_id)
        now_seconds = self._clock()
        if known is not None and now_seconds - known.asked_seconds < FRESH_SECONDS:
            return known.digests
        if len(self._known) >= MAX_IMAGES:
            self._known.clear()
        try:
            digests: Sequence[str] = client.repo_digests(image_id)
        except NoSuchContainer:  # the image was removed from under it: what was told stays true
            digests = known.digests if known is not None else ()
        self._known[image_id] = _Known(now_seconds, digests)
        return digests
