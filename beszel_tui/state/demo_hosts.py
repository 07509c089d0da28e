"""The machines of the demonstration: what each of them is usually like."""

from typing import Final, NamedTuple

from beszel_protocol.feed import SystemStatus


class Host(NamedTuple):
    name: str
    tags: tuple[str, ...]
    cpu: float
    """Usual processor usage in percent."""
    swing: float
    memory: float
    disk: float
    traffic: float
    """Usual bytes a second received."""
    cores: int
    memory_gib: int
    days_up: int
    celsius: float | None = None
    status: SystemStatus = "up"
    failed: int = 0


HOSTS: Final[tuple[Host, ...]] = (
    Host("web-1", ("prod", "web"), 38, 22, 62, 44, 1.6e6, 8, 16, 41, 54),
    Host("web-2", ("prod", "web"), 35, 20, 60, 43, 1.5e6, 8, 16, 41, 53),
    Host("web-3", ("prod", "web"), 41, 24, 66, 47, 1.7e6, 8, 16, 12, 57),
    Host("edge-ams", ("prod", "edge"), 17, 9, 31, 22, 22e6, 4, 8, 203, 47),
    Host("edge-fra", ("prod", "edge"), 21, 11, 34, 24, 31e6, 4, 8, 203, 49),
    Host("edge-sin", ("prod", "edge"), 12, 7, 29, 21, 12e6, 4, 8, 90, 51),
    Host("db-1", ("prod", "db"), 93, 6, 92, 81, 8.9e6, 16, 128, 120, 71, failed=1),
    Host("db-2", ("prod", "db"), 44, 12, 84, 80, 5.1e6, 16, 128, 120, 63),
    Host("db-replica", ("prod", "db"), 26, 9, 78, 80, 4.8e6, 16, 128, 77, 58),
    Host("cache-1", ("prod",), 9, 5, 88, 12, 6.4e6, 4, 64, 64, 44),
    Host("queue-1", ("prod",), 14, 10, 41, 18, 2.2e6, 4, 16, 64, 46),
    Host("search-1", ("prod",), 57, 18, 74, 69, 3.0e6, 16, 64, 33, 66),
    Host("search-2", ("prod",), 52, 17, 71, 67, 2.8e6, 16, 64, 33, 64),
    Host("mail", ("prod",), 6, 4, 48, 58, 1.1e5, 2, 4, 318, 41),
    Host("git", ("tools",), 11, 12, 52, 72, 4.2e5, 4, 16, 145, 48),
    Host("ci-runner-1", ("tools", "ci"), 74, 28, 58, 61, 9.0e6, 32, 64, 9, 78),
    Host("ci-runner-2", ("tools", "ci"), 68, 30, 55, 63, 8.2e6, 32, 64, 9, 76),
    Host("ci-runner-3", ("tools", "ci"), 3, 2, 22, 59, 3.1e4, 32, 64, 9, 45),
    Host("registry", ("tools",), 5, 6, 38, 91, 7.4e5, 4, 8, 145, 43),
    Host("metrics", ("tools",), 16, 6, 64, 55, 3.6e5, 4, 16, 58, 50),
    Host("backup", ("storage",), 2, 3, 24, 94, 5.5e4, 4, 8, 402, 39, failed=2),
    Host("nas", ("storage", "home"), 4, 3, 36, 77, 2.4e5, 4, 16, 0, 42, status="down"),
    Host("nas-cold", ("storage",), 1, 1, 18, 88, 9.0e3, 2, 8, 402, 36),
    Host("gpu-box", ("lab",), 31, 14, 47, 51, 6.0e5, 24, 128, 6, 69),
    Host("staging-1", ("staging",), 13, 9, 45, 39, 1.2e5, 4, 8, 20, 49),
    Host("staging-2", ("staging",), 10, 8, 43, 38, 1.0e5, 4, 8, 20, 48),
    Host("staging-db", ("staging", "db"), 18, 10, 69, 52, 2.0e5, 4, 16, 20, 52),
    Host("dev-ada", ("dev",), 22, 18, 57, 64, 7.7e4, 8, 32, 3, 55),
    Host("dev-grace", ("dev",), 8, 9, 49, 60, 5.2e4, 8, 32, 5, 50),
    Host("dev-linus", ("dev",), 47, 26, 81, 79, 3.3e5, 12, 32, 1, 73),
    Host("vpn", ("infra",), 7, 3, 26, 15, 4.1e6, 2, 2, 187),
    Host("dns-1", ("infra",), 3, 1, 21, 11, 2.3e4, 1, 1, 277),
    Host("dns-2", ("infra",), 3, 1, 20, 11, 2.1e4, 1, 1, 277),
    Host("proxy", ("infra",), 15, 7, 33, 19, 9.8e6, 4, 4, 187, 46),
    Host("bastion", ("infra",), 1, 1, 17, 14, 8.0e3, 1, 2, 365),
    Host("ldap", ("infra",), 2, 1, 30, 16, 1.5e4, 1, 2, 277),
    Host("monitor-pi", ("home",), 19, 6, 55, 48, 2.6e4, 4, 4, 88, 58),
    Host("media", ("home",), 28, 16, 63, 86, 3.9e6, 6, 16, 26, 61),
    Host("router", ("home",), 6, 3, 27, 9, 5.8e6, 2, 1, 240, 52),
    Host("printer-pi", ("home",), 2, 1, 33, 22, 1.2e3, 4, 1, 71, 47),
    Host("lab-pi", ("lab",), 5, 2, 40, 31, 4.0e3, 4, 8, 0, 49, status="paused"),
    Host("build-arm", ("lab", "ci"), 84, 10, 70, 57, 2.0e6, 8, 16, 14, 74),
)
