"""A Beszel's data, written by a real PocketBase, comes over by `beszel-hub import-beszel`, and its users log in."""

import asyncio
import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any, Final, Self

import httpx2
import pytest

from beszel_hub.accounts import passwords
from beszel_hub.accounts.queries import find_identity
from beszel_hub.agents.keys import load_hub_key
from beszel_hub.alerts.queries import find_preset, load_silences, to_rule, visible_history
from beszel_hub.alerts.tables import HistoryRow
from beszel_hub.audit.queries import newest
from beszel_hub.cli.commands import run_command_line
from beszel_hub.metrics import upkeep
from beszel_hub.metrics.series import read_entries
from beszel_hub.metrics.series_tiers import read_summaries
from beszel_hub.metrics.tiers import DAY_MS, MINUTE, Retention
from beszel_hub.metrics.upkeep import Upkeep
from beszel_hub.permissions import Actor
from beszel_hub.records.dates import format_date
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import load_secret
from beszel_hub.systems.queries import load_entries
from beszel_hub.systems.tokens import find_token, read_system_token
from beszel_protocol.handshake import token_id
from tests.support.beszelserver import BeszelServer, beszel_server
from tests.support.databases import place_at, provide
from tests.support.pocketbase import PASSWORD
from tests.support.runninghub import FAST_COST, running_hub

NOW_MS: Final = time.time_ns() // 60_000_000_000 * 60_000
MINUTE_MS: Final = 60_000
TEN_DAYS: Final = 10 * 24 * 60
TOKEN: Final = "3f0c0a2e-7f3e-4b0e-9d40-3c1f5a7c9b21"
UNIVERSAL_TOKEN: Final = "b1c2d3e4-7f3e-4b0e-9d40-3c1f5a7c9b22"
LOGIN: Final = "/api/collections/users/auth-with-password"

STATS: Final = {
    "cpu": 12.5, "cpum": 99, "cpub": [5, 4, 1, 0, 87.5], "cpus": [10, 15], "la": [0.5, 0.4, 0.3], "m": 8, "mu": 2.5,
    "mp": 31.25, "mb": 1, "mz": 0.5, "s": 2, "su": 0.5, "d": 100, "du": 40, "dp": 42.1, "dio": [1000, 2000],
    "dios": [1, 2, 3, 0.5, 0.6, 150], "b": [300, 400], "ni": {"eth0": [300, 400, 9000, 8000]}, "t": {"cpu": 55},
    "f": {"fan1": 1200}, "bat": [80, 3], "bats": {"BAT0": 80},
    "efs": {"data": {"d": 200, "du": 50, "r": 1, "w": 2}},
    "g": {"0": {"n": "RTX", "mu": 1024, "mt": 2048, "u": 7, "p": 30, "e": {"render": 4}}},
}  # fmt: skip
SETTINGS: Final = {"chartTime": "12h", "emails": ["rea@example.org"], "unitTemp": 1}
CONTAINERS: Final = [{"n": "nginx", "c": 1.5, "m": 64, "b": [10, 20]}]


class Ids:
    """Of the records that every test knows."""

    def __init__(self, server: BeszelServer) -> None:
        self.ada = server.create_user("ada@example.org", "admin", username="ada")
        self.rea = server.create_user("rea@example.org", "readonly", username="rea")
        self.plain = server.create_user("plain@example.org", "", username="has a space")
        self.web = server.create(
            "systems", name="web", host="10.0.0.1", port="45876", status="up", info={"v": "0.18.8"},
            users=[self.ada, self.rea],
        )  # fmt: skip
        self.idle = server.create("systems", name="idle", host="/run/x.sock", port="", status="paused", users=[])


def fill(server: BeszelServer) -> Ids:
    ids = Ids(server)
    server.create(
        "system_details", system=ids.web, hostname="web-1", os=0, os_name="Debian 12", kernel="6.1", cores=4, threads=8,
        cpu="EPYC", arch="amd64", memory=8 << 30, podman=True,
    )  # fmt: skip
    server.create("fingerprints", system=ids.web, token=TOKEN, fingerprint="ab" * 24)
    server.create("fingerprints", system=ids.idle, token="too-short", fingerprint="")
    server.create("universal_tokens", user=ids.ada, token=UNIVERSAL_TOKEN)
    server.create("user_settings", user=ids.rea, settings=SETTINGS)
    server.create("alerts", user=ids.ada, system=ids.web, name="CPU", value=80, min=5)
    server.create("alerts", user=ids.rea, system=ids.idle, name="Status", value=0, min=1)
    server.create("alerts", user=ids.ada, system=ids.web, name="Tea", value=1)
    past = {"user": ids.ada, "system": ids.web, "created": format_date(NOW_MS - 30 * MINUTE_MS)}
    over = {"resolved": format_date(NOW_MS - 20 * MINUTE_MS)}
    server.create("alerts_history", name="Bandwidth", value=3, alert_id="abcdefghij12345", **past, **over)
    server.create("alerts_history", name="CPU", value=91.5, **past, **over)
    server.create("alerts_history", name="Status", **past)
    server.create("alerts_history", name="Tea", **past, **over)
    night = {"start": "2026-01-01 22:00:00.000Z", "end": "2026-01-01 06:00:00.000Z"}
    server.create("quiet_hours", user=ids.rea, system="", type="daily", **night)
    server.create("quiet_hours", user=ids.ada, system=ids.web, type="one-time", **night)
    for minute in range(1, 11):
        add_statistics(server, ids.web, "1m", minute)
    for minutes in (5, 20, 30):
        add_statistics(server, ids.web, "10m", minutes)
    add_statistics(server, ids.web, "480m", TEN_DAYS)
    created = format_date(NOW_MS - MINUTE_MS)
    server.create("container_stats", system=ids.web, type="1m", stats=CONTAINERS, created=created)
    return ids


def add_statistics(server: BeszelServer, system_id: str, kind: str, minutes_ago: int) -> None:
    created = format_date(NOW_MS - minutes_ago * MINUTE_MS)
    server.create("system_stats", system=system_id, type=kind, stats=STATS, created=created)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ids]:
    """The data directory of a Beszel that was killed, so that most of it is in the write-ahead log."""
    with beszel_server(tmp_path_factory.mktemp("pocketbase")) as server:
        ids = fill(server)
    assert (server.data_dir / "data.db-wal").stat().st_size > 0
    return server.data_dir, ids


@pytest.fixture
def beszel(filled: tuple[Path, Ids]) -> Path:
    return filled[0]


@pytest.fixture
def ids(filled: tuple[Path, Ids]) -> Ids:
    return filled[1]


def take(capsys: pytest.CaptureFixture[str], source: Path, data_dir: Path, *options: str) -> Any:
    capsys.readouterr()
    status = run_command_line(["import-beszel", str(source), "--dir", str(provide(data_dir)), "--json", *options])
    printed = capsys.readouterr()
    assert status == 0, printed.err
    return json.loads(printed.out)


def tables(report: Any) -> dict[str, tuple[int, int, int]]:
    """Taken, present and left out by table."""
    return {
        table["table"]: (table["taken"], table["present"], sum(table["left_out"].values()))
        for table in report["tables"]
    }


class Taken:
    """The database of a hub, opened for a look."""

    def __init__(self, data_dir: Path) -> None:
        self.database = Database(place_at(data_dir / "data.db"))
        self.secret = load_secret(data_dir / "secret.key")

    def __enter__(self) -> Self:
        self.database.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()


def test_everything_that_has_a_home_comes_over(
    beszel: Path, ids: Ids, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = take(capsys, beszel, tmp_path)
    assert tables(report) == {
        "users": (3, 0, 0), "systems": (2, 0, 0), "system_details": (1, 0, 0), "fingerprints": (1, 0, 1),
        "universal_tokens": (1, 0, 0), "user_settings": (1, 0, 0),
        "id_ed25519": (1, 0, 0), "system_stats": (13, 0, 1),
        "container_stats": (1, 0, 0), "_superusers": (0, 0, 1), "alerts": (1, 0, 2), "quiet_hours": (1, 0, 1),
        "alerts_history": (2, 0, 2),
    }  # fmt: skip
    assert load_hub_key(tmp_path / "id_ed25519").public_line == load_hub_key(beszel / "id_ed25519").public_line
    with Taken(tmp_path) as taken:
        entries = {entry.name: entry for entry in taken.database.read_now(load_entries)}
        token = taken.database.read_now(lambda: read_system_token(taken.secret, ids.web))
        universal = taken.database.read_now(lambda: find_token(taken.secret, token_id(UNIVERSAL_TOKEN), NOW_MS))
        plain = taken.database.read_now(lambda: find_identity("plain@example.org"))
    web, idle = entries["web"], entries["idle"]
    assert (web.id, web.host, web.status) == (ids.web, "10.0.0.1", "pending")
    assert web.members == {ids.ada, ids.rea}
    assert (web.cores, web.threads, idle.status, idle.members) == (4, 8, "paused", frozenset())
    assert token == TOKEN
    assert universal is not None
    assert universal.owner_id == ids.ada
    assert plain is not None
    assert (plain.role, plain.username) == ("user", "plain")


def test_alerts_and_quiet_hours_go_on_once_however_often_it_is_run(
    beszel: Path, ids: Ids, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take(capsys, beszel, tmp_path)
    assert {name: tables(take(capsys, beszel, tmp_path))[name] for name in ("alerts", "quiet_hours")} == {
        "alerts": (0, 1, 2), "quiet_hours": (0, 1, 1),
    }  # fmt: skip
    with Taken(tmp_path) as taken:
        alert = taken.database.read_now(lambda: find_preset(ids.ada, ids.web, "CPU"))
        night = taken.database.read_now(load_silences)
    assert alert is not None
    rule = to_rule(alert)
    assert (rule.name, rule.user_id, rule.system_id) == ("CPU", ids.ada, ids.web)
    assert (rule.conditions[0].target, rule.conditions[0].value, rule.conditions[0].window_seconds) == (
        "cpu.usage_percent", 80, 300,
    )  # fmt: skip
    assert [(silence.user_id, silence.type, silence.system_id) for silence in night] == [(ids.rea, "daily", None)]


def test_what_has_fired_stands_in_the_history_of_alerts_once(
    beszel: Path, ids: Ids, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take(capsys, beszel, tmp_path)
    assert tables(take(capsys, beszel, tmp_path))["alerts_history"] == (0, 2, 2)
    ada = Actor(user_id=ids.ada, role="user", scope="full")
    with Taken(tmp_path) as taken:
        told = taken.database.read_now(lambda: list(HistoryRow.select().where(visible_history(ada))))
        cpu = taken.database.read_now(lambda: find_preset(ids.ada, ids.web, "CPU"))
    assert cpu is not None
    found = {row.name: row for row in told}
    assert (found["CPU"].value, found["CPU"].target, found["CPU"].rule_id) == (91.5, "cpu.usage_percent", cpu.id)
    assert (found["Bandwidth"].value, found["Bandwidth"].rule_id) == (3 << 20, "abcdefghij12345")
    assert {(row.user_id, row.system_id, row.resolved - row.created, row.outcome) for row in told} == {
        (ids.ada, ids.web, 10 * MINUTE_MS, "recovered")
    }


def test_statistics_stand_in_history_in_our_units(
    beszel: Path, ids: Ids, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take(capsys, beszel, tmp_path)
    with Taken(tmp_path) as taken:
        entries = taken.database.read_now(lambda: list(read_entries(ids.web, 0, NOW_MS + 1)))
    instants = sorted({entry.instant_ms for entry in entries})
    assert instants == [NOW_MS - minute * MINUTE_MS for minute in (TEN_DAYS, 30, 20, *range(10, 0, -1))]
    document: dict[str, Any] = {}
    for entry in entries:
        if entry.instant_ms == NOW_MS - MINUTE_MS:
            document |= entry.document
    assert document["cpu"] == {
        "usage_percent": 12.5, "user_percent": 5, "system_percent": 4, "iowait_percent": 1, "steal_percent": 0,
        "cores_percent": [10, 15], "load_average": [0.5, 0.4, 0.3],
    }  # fmt: skip
    assert document["memory"]["used_bytes"] == 5 << 29
    assert (document["memory"]["cache_bytes"], document["memory"]["zfs_arc_bytes"]) == (1 << 30, 1 << 29)
    assert document["disk"]["/"] == {
        "total_bytes": 100 << 30, "used_bytes": 40 << 30, "usage_percent": 42.1, "read_bytes_per_second": 1000,
        "write_bytes_per_second": 2000, "read_time_percent": 1, "write_time_percent": 2, "utilization_percent": 3,
        "read_await_ms": 0.5, "write_await_ms": 0.6, "queue_depth": 1.5,
    }  # fmt: skip
    assert document["disk"]["data"] == {
        "total_bytes": 200 << 30, "used_bytes": 50 << 30, "usage_percent": 25.0, "read_bytes_per_second": 1 << 20,
        "write_bytes_per_second": 2 << 20,
    }  # fmt: skip
    assert document["network"]["interfaces"]["eth0"]["bytes_sent"] == 9000
    assert document["network"]["recv_bytes_per_second"] == 400
    assert document["temperatures"] == {"cpu": 55}
    assert document["fans"] == {"fan1": 1200}
    assert document["batteries"] == {"BAT0": {"charge_percent": 80, "state": "charging"}}
    assert document["gpus"]["0"]["memory_total_bytes"] == 2 << 30
    assert document["containers"] == [
        {
            "id": "", "name": "nginx", "cpu_percent": 1.5, "memory_bytes": 64 << 20, "tx_bytes_per_second": 10,
            "rx_bytes_per_second": 20,
        }
    ]  # fmt: skip


def test_users_log_in_with_their_passwords_which_become_argon2(
    beszel: Path, ids: Ids, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take(capsys, beszel, tmp_path)
    with running_hub(tmp_path) as running:
        running.hub.accounts.hasher.cost = FAST_COST

        def stored_hash() -> str:
            account = running.hub.database.read_now(lambda: find_identity("rea"))
            assert account is not None
            return account.password_hash

        def log_in(password: str) -> httpx2.Response:
            return httpx2.post(running.url + LOGIN, json={"identity": "rea@example.org", "password": password})

        assert passwords.is_bcrypt(stored_hash())
        assert log_in("wrong horse battery").status_code == 400
        assert passwords.is_bcrypt(stored_hash())
        first = log_in(PASSWORD)
        assert (first.status_code, first.json()["record"]["id"]) == (200, ids.rea)
        assert stored_hash().startswith("$argon2id$")
        renewed = stored_hash()
        assert log_in(PASSWORD).status_code == 200
        assert log_in("wrong horse battery").status_code == 400
        assert stored_hash() == renewed
        systems = httpx2.get(
            f"{running.url}/api/collections/systems/records", headers={"Authorization": first.json()["token"]}
        )
        assert [item["name"] for item in systems.json()["items"]] == ["web"]
        kept = httpx2.get(
            f"{running.url}/api/collections/user_settings/records", headers={"Authorization": first.json()["token"]}
        )
        assert [(item["user"], item["settings"]) for item in kept.json()["items"]] == [(ids.rea, SETTINGS)]


def test_the_audit_log_tells_of_it(beszel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    take(capsys, beszel, tmp_path, "--dry-run")
    take(capsys, beszel, tmp_path)
    take(capsys, beszel, tmp_path)
    with Taken(tmp_path) as taken:
        entries = taken.database.read_now(lambda: newest(10))
    assert [entry.action for entry in entries] == ["command_line.import_beszel"], "neither dry runs nor empty ones"
    assert (entries[0].changes["users"], entries[0].changes["systems"]) == (3, 2)


def test_a_second_run_changes_nothing(beszel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = tables(take(capsys, beszel, tmp_path))
    second = tables(take(capsys, beszel, tmp_path))
    assert second == {table: (0, taken, left_out) for table, (taken, _, left_out) in first.items()}


def test_a_dry_run_says_the_same_and_writes_nothing(
    beszel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dry = take(capsys, beszel, tmp_path, "--dry-run")
    with Taken(tmp_path) as taken:
        assert taken.database.read_now(load_entries) == []
    assert not (tmp_path / "id_ed25519").exists()
    wet = take(capsys, beszel, tmp_path)
    assert (dry.pop("dry_run"), wet.pop("dry_run")) == (True, False)
    assert dry == wet


def test_the_source_is_left_as_it_was(beszel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = fingerprint(beszel)
    take(capsys, beszel, tmp_path)
    assert fingerprint(beszel) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".takeover")] == []


def test_a_running_beszel_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with beszel_server(tmp_path) as server:
        server.create_user("ada@example.org", "admin", username="ada")
        assert tables(take(capsys, server.data_dir, tmp_path / "hub"))["users"] == (1, 0, 0)


def test_somebody_with_the_same_address_is_that_somebody(
    beszel: Path, ids: Ids, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords.hash_password, "__defaults__", (FAST_COST,))
    password_file = tmp_path / "password"
    password_file.write_text("another password")
    data_dir = tmp_path / "hub"
    create = ["user", "create", "ADA@example.org", "--role", "admin", "--password-file", str(password_file), "--dir"]
    assert run_command_line([*create, str(provide(data_dir))]) == 0
    assert tables(take(capsys, beszel, data_dir))["users"] == (2, 1, 0)
    with Taken(data_dir) as taken:
        ada = taken.database.read_now(lambda: find_identity("ada@example.org"))
        entries = {entry.id: entry for entry in taken.database.read_now(load_entries)}
    assert ada is not None
    assert ada.id != ids.ada
    assert entries[ids.web].members == {ada.id, ids.rea}


def test_people_get_a_table_and_notes(beszel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["import-beszel", str(beszel), "--dir", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "a finer interval covers the same time" in printed
    assert "restart a hub that is running" in printed
    assert PASSWORD not in printed
    assert TOKEN not in printed


def test_a_key_that_agents_know_is_not_replaced(
    beszel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = load_hub_key(tmp_path / "id_ed25519").public_line
    report = take(capsys, beszel, tmp_path)
    assert tables(report)["id_ed25519"] == (1, 0, 0)
    assert load_hub_key(tmp_path / "id_ed25519.before").public_line == own


def fingerprint(directory: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() + str(path.stat().st_mtime_ns)
        for path in sorted(directory.iterdir())
        if path.is_file()
    }


def test_a_copy_of_the_file_alone_is_enough(beszel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("data.db", "data.db-wal"):
        shutil.copyfile(beszel / name, copy / name)
    assert tables(take(capsys, copy / "data.db", tmp_path / "hub"))["systems"] == (2, 0, 0)


def test_statistics_outlive_single_samples_and_come_over_once(
    beszel: Path, ids: Ids, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "PAUSE_SECONDS", 0.0)
    first = tables(take(capsys, beszel, tmp_path))
    with Taken(tmp_path) as taken:
        keep(taken.database, NOW_MS + 4 * DAY_MS)
        assert taken.database.read_now(lambda: list(read_entries(ids.web, 0, NOW_MS + 1))) == []
        rolled = taken.database.read_now(lambda: read_summaries(ids.web, MINUTE, 0, NOW_MS + MINUTE_MS))
    usage = rolled["cpu.usage_percent"]
    assert sum(bucket.readings for bucket in usage.buckets) == first["system_stats"][0]
    second = tables(take(capsys, beszel, tmp_path))
    for table in ("system_stats", "container_stats"):
        assert second[table] == (0, first[table][0], first[table][2])


def keep(database: Database, now_ms: int) -> None:
    """What a hub does with history by and by, done as of an instant."""
    kept = Upkeep(database, lambda: now_ms, Retention(), read_overrides=dict)

    async def run() -> None:
        await kept.seal()
        await kept.roll_up()
        await kept.retain()

    asyncio.run(run())
