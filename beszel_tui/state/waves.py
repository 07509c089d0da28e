"""Numbers that move like those of a machine and follow from a seed and the time alone."""

import hashlib
import math


def noise(seed: str, at_ms: int, period_seconds: float) -> float:
    """Between -1 and 1: three waves of unrelated length and some grain."""
    phase = hash_share(seed) * 1000
    seconds = at_ms / 1000 + phase
    waves = sum(
        weight * math.sin(2 * math.pi * seconds / (period_seconds * factor))
        for weight, factor in ((0.45, 1.0), (0.25, 2.7), (0.15, 0.37))
    )
    return waves + 0.15 * (2 * hash_share(f"{seed}{at_ms // 1000}") - 1)


def wave(seed: str, at_ms: int, period_seconds: float) -> float:
    return 0.5 + 0.5 * noise(seed, at_ms, period_seconds)


def hash_share(text: str) -> float:
    """Between 0 and 1, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") / 2**32


def hash_text(text: str) -> str:
    """64 hexadecimal digits."""
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()
