"""Why a message was not taken. Reasons are made here, never copied from what a target answered."""

from typing import ClassVar


class DeliveryFailed(Exception):
    """`reason` is one plain sentence part without addresses, secrets or anything that a target wrote."""

    code: ClassVar[str] = "delivery_failed"

    def __init__(self, reason: str, *, is_lasting: bool = False, retry_after_seconds: float | None = None) -> None:
        self.reason = reason
        self.is_lasting = is_lasting
        """Whether trying again for a day is pointless, since the same message will be refused again."""
        self.retry_after_seconds = retry_after_seconds
        """When the target itself wants to be asked again."""
        super().__init__(reason)


class TargetRefused(DeliveryFailed):
    """Nothing was sent at all."""

    code = "target_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason, is_lasting=True)
