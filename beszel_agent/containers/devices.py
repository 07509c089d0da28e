"""What of the hardware matters to the numbers of a container."""

import os

from beszel_agent.paths import HostPaths, list_names, read_text_or_none


def stacked_devices(paths: HostPaths) -> frozenset[bytes]:
    """`major:minor` of block devices that lie on others (device mapper, RAID): cgroups count their bytes twice."""
    if not paths.is_linux:
        return frozenset()
    found = set()
    for name in list_names(paths.sys("block")):
        if list_names(paths.sys(f"block/{name}/slaves")):
            number = read_text_or_none(paths.sys(f"block/{name}/dev"))
            if number is not None:
                found.add(number.encode())
    return frozenset(found)


def read_processors(paths: HostPaths) -> int:
    """How many of the host are online; at least one."""
    online = read_text_or_none(paths.sys("devices/system/cpu/online")) if paths.is_linux else None
    return count_processors(online or "") or os.cpu_count() or 1


def count_processors(text: str) -> int:
    """`0-3,6`; 0 for what is no such list."""
    count = 0
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            count += int(last) - int(first) + 1 if dash else int(first) >= 0
    except ValueError:
        return 0
    return max(0, count)
