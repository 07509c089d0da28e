"""What a system may say about how long its own history is kept. Pure."""

from typing import Any, Final

from beszel_hub.errors import BadRequest, FieldError

TIER_NAMES: Final = ("raw", "1m", "10m", "8h")
"""Single samples, then history by the minute, by ten minutes and by eight hours."""
MIN_SECONDS: Final = 3600
MAX_SECONDS: Final = 10**10


def check_retention(retention: Any) -> dict[str, int | None]:
    """Seconds by the name of the tier, null for ever; raise `BadRequest` if it is something else."""
    if isinstance(retention, dict) and all(
        name in TIER_NAMES and _is_duration(seconds) for name, seconds in retention.items()
    ):
        return retention
    names = ", ".join(TIER_NAMES)
    message = f"Seconds (at least {MIN_SECONDS}), or null for ever, by tier: {names}."
    raise BadRequest(data={"retention": FieldError("validation_invalid", message)})


def _is_duration(seconds: object) -> bool:
    if seconds is None:
        return True
    return isinstance(seconds, int) and not isinstance(seconds, bool) and MIN_SECONDS <= seconds <= MAX_SECONDS
