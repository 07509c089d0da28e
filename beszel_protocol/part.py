"""What every part of a sample has in common."""

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a host cannot tell is `None`, and missing on the wire."""
