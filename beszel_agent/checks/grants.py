"""What the agent may not do, and the exact grant that would let it: ICMP without privileges is a matter of groups."""

import os
import sys

from beszel_agent.paths import HostPaths, read_text_or_none

PING_GROUPS = "sys/net/ipv4/ping_group_range"
"""Below /proc. IPv6 goes by it too."""


def missing_ping_grant(paths: HostPaths) -> str | None:
    """A sentence, or None if the agent may send echoes, as on systems other than Linux."""
    if sys.platform == "win32" or not paths.is_linux:
        return None
    text = read_text_or_none(paths.proc(PING_GROUPS))
    return None if text is None else describe_ping_grant(text, {os.getegid(), *os.getgroups()}, os.getegid())


def describe_ping_grant(text: str, groups: set[int], group: int) -> str | None:
    """`text` is what the kernel says: the first and the last group that may."""
    try:
        first, last = map(int, text.split())
    except ValueError:
        return None
    if any(first <= member <= last for member in groups):
        return None
    return f'ping needs the sysctl net.ipv4.ping_group_range="{group} {group}" (or any range with a group of the agent)'
