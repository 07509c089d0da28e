"""The account of the demonstration: all to be seen, nothing to be changed."""

from typing import Final

from beszel_protocol.version import VERSION
from beszel_tui.errors import HubRefused
from beszel_tui.state.account import (
    AccountFacts,
    ApiToken,
    Backup,
    HubFacts,
    Job,
    Login,
    Methods,
    Order,
    Person,
    Store,
    SystemUsage,
    Usage,
)

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_ADA: Final = "demo00000000ada"
_GRACE: Final = "demo00000grace0"
_STORE: Final = Store(
    file_bytes=623 << 20,
    free_bytes=9 << 20,
    max_bytes=2 << 30,
    disk_free_bytes=81 << 30,
    bytes=571 << 20,
    values=1_650_000_000,
    tiers={
        "hot": Usage(bytes=3 << 20, oldest="2026-03-01T11:54:00.000Z"),
        "raw": Usage(bytes=98 << 20, values=480_000_000, bytes_per_value=0.21, oldest="2026-02-26T12:00:00.000Z"),
        "1m": Usage(bytes=311 << 20, values=870_000_000, bytes_per_value=0.37, oldest="2025-12-01T12:00:00.000Z"),
        "10m": Usage(bytes=155 << 20, values=290_000_000, bytes_per_value=0.56, oldest="2025-01-24T00:00:00.000Z"),
        "8h": Usage(bytes=4 << 20, values=10_000_000, bytes_per_value=0.42, oldest="2025-01-24T00:00:00.000Z"),
    },
    systems=[
        SystemUsage(id="demo000000ci001", name="ci-runner-1", bytes=183 << 20),
        SystemUsage(id="demo00000web001", name="web-1", bytes=61 << 20),
        SystemUsage(id="demo000000db001", name="db-primary", bytes=58 << 20),
        SystemUsage(id="demo000000nas01", name="nas", bytes=42 << 20),
    ],
)


class DemoAccount:
    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    async def read(self) -> AccountFacts:
        now_ms = self._now_ms
        ada = Person(
            id=_ADA, email="ada@example.net", username="ada", role="admin", verified=True,
            created_ms=now_ms - 400 * _DAY_MS,
        )  # fmt: skip
        return AccountFacts(
            person=ada,
            is_login=True,
            methods=Methods(codes=True, two=True),
            sessions=(
                _login("s1", _ADA, "192.0.2.17", "beszel-tui/1", now_ms, 0, is_current=True),
                _login("s2", _ADA, "2001:db8::1f", "Mozilla/5.0 (X11; Linux x86_64)", now_ms, 26),
                _login("s3", _GRACE, "198.51.100.4", "beszel-tui/1", now_ms, 3),
            ),
            tokens=(
                ApiToken(
                    id="t1", name="nightly report", used_ms=now_ms - 9 * _HOUR_MS, expires_ms=now_ms + 300 * _DAY_MS
                ),
                ApiToken(id="t2", name="terraform", scope="write", systems=6, expires_ms=now_ms + 6 * _DAY_MS),
            ),
            users=(
                ada,
                Person(
                    id=_GRACE, email="grace@example.net", username="grace", role="user", verified=True,
                    created_ms=now_ms - 90 * _DAY_MS,
                ),
                Person(
                    id="demo00000000noc", email="noc-screen@example.net", username="noc", role="readonly",
                    verified=True, created_ms=now_ms - 12 * _DAY_MS,
                ),
            ),
            hub=HubFacts(version=VERSION, key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDemoDemoDemoDemoDemoDemoDemo"),
            jobs=(
                Job(name="alerts.evaluate", interval_seconds=10, runs=8640, last_seconds=0.004),
                Job(name="history.roll-up", interval_seconds=60, runs=1440, last_seconds=0.021),
                Job(
                    name="heartbeat", interval_seconds=60, runs=1440, failures_in_row=3, last_seconds=5.0,
                    last_error="DeliveryFailed",
                ),
            ),
            backups=(
                _backup("@auto_beszel_backup_20260301030000.zip", 655, now_ms - 9 * _HOUR_MS),
                _backup("@auto_beszel_backup_20260228030000.zip", 649, now_ms - 33 * _HOUR_MS),
                _backup("before-upgrade.zip", 612, now_ms - 6 * _DAY_MS),
            ),
            store=_STORE,
        )  # fmt: skip

    async def carry_out(self, order: Order) -> str:
        raise HubRefused(403, f"the demonstration has no account for this ({type(order).__name__})")


def _login(
    session_id: str, user: str, address: str, agent: str, now_ms: int, hours_ago: int, *, is_current: bool = False
) -> Login:
    return Login(
        id=session_id, user=user, method="password", address=address, agent=agent, is_current=is_current,
        used_ms=now_ms - hours_ago * _HOUR_MS, expires_ms=now_ms + 6 * _DAY_MS,
    )  # fmt: skip


def _backup(key: str, mebibytes: int, modified_ms: int) -> Backup:
    return Backup(key=key, size=mebibytes << 20, modified_ms=modified_ms)
