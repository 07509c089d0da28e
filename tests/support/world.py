"""A running hub with users of every role, each with systems and tokens, that can be put back as it was."""

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from beszel_hub.accounts import tokens
from beszel_hub.accounts.mailthrottle import MailThrottle
from beszel_hub.accounts.passwords import hash_password
from beszel_hub.accounts.tables import ApiToken, Identity, Session, User
from beszel_hub.accounts.throttle import LoginThrottle
from beszel_hub.alerts.presets import expand_preset
from beszel_hub.alerts.queries import insert_quiet, insert_rule
from beszel_hub.alerts.rule import Rule
from beszel_hub.alerts.tables import HistoryRow, StateRow
from beszel_hub.audit.tables import AuditEntry
from beszel_hub.backups.making import make_backup
from beszel_hub.backups.restoring import request_restore
from beszel_hub.checks.queries import insert_check
from beszel_hub.clock import system_clock
from beszel_hub.components.queries import save_disks, save_services
from beszel_hub.components.rows import component_id, disk_columns, service_columns
from beszel_hub.metrics.series import NewSample, insert_samples
from beszel_hub.metrics.tables import Happening, HistoryRemoval, HotSample
from beszel_hub.notifications.collections import DEFAULTS
from beszel_hub.notifications.queries import insert_channel
from beszel_hub.notifications.sealing import purpose_of
from beszel_hub.notifications.tables import DeliveryRow
from beszel_hub.preferences.tables import UserSettings
from beszel_hub.store.secrets import Secret
from beszel_hub.systems.queries import insert_system, save_details
from beszel_hub.systems.tables import AgentToken, SystemRow, Team, TeamMember
from beszel_hub.systems.tokens import issue_system_token, issue_universal_token
from beszel_protocol.checks import CheckDefinition
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.details import HostDetails
from beszel_protocol.handshake import token_id as token_id_of
from beszel_protocol.messages import Event, encode
from beszel_protocol.sample import ServiceUnitMetrics
from beszel_protocol.storage import SmartMetrics
from tests.support.databases import IS_POSTGRESQL
from tests.support.runninghub import FAST_COST, FOREVER_MS, PASSWORD, RunningHub, running_hub
from tests.support.samples import make_metrics

CREATED_MS: Final = 1_700_000_000_000
_PASSWORD_HASH: Final = hash_password(PASSWORD, FAST_COST)


class Caller(enum.StrEnum):
    """Who asks. `uma` and `rea` see the system uma-web, `otto` sees otto-db."""

    ANONYMOUS = "anonymous"
    GARBAGE = "garbage"
    """A token that is none."""
    EXPIRED = "expired"
    """A login of uma's that has expired."""
    READONLY = "rea"
    USER = "uma"
    OTHER = "otto"
    ADMIN = "ada"
    SUPERUSER = "ada as superuser"
    """The same person, logged in at `_superusers`."""
    READ_TOKEN = "uma's read token"
    WRITE_TOKEN = "uma's write token"
    LIMITED_TOKEN = "ada's write token for uma-web"


USER_IDS: Final = {
    Caller.ADMIN: "adaadaadaadaada",
    Caller.USER: "umaumaumaumauma",
    Caller.OTHER: "ottoottoottoott",
    Caller.READONLY: "rearearearearea",
}
SESSION_IDS: Final = {
    Caller.ADMIN: "sessionofada001",
    Caller.SUPERUSER: "sessionofada002",
    Caller.USER: "sessionofuma001",
    Caller.OTHER: "sessionofotto01",
    Caller.READONLY: "sessionofrea001",
}
IDENTITY_ID: Final = "identityofuma01"
_ROLES: Final = {Caller.ADMIN: "admin", Caller.USER: "user", Caller.OTHER: "user", Caller.READONLY: "readonly"}
SYSTEM_IDS: Final = {"uma-web": "umaweb000000001", "otto-db": "ottodb000000001"}
CHECK_IDS: Final = {
    "uma-check": "umacheck0000001", "private-check": "umacheck0000002", "otto-check": "ottocheck000001",
}  # fmt: skip
"""The first two belong to uma-web; the second goes to private addresses."""
CHANNEL_IDS: Final = {"uma-channel": "umachannel00001", "otto-channel": "ottochannel0001"}
DELIVERY_IDS: Final = {"uma-channel": "umadelivery0001", "otto-channel": "ottodelivery001"}
CPU_PERCENT: Final = {"uma-web": 11.25, "otto-db": 99.75}
"""In the only sample of each system."""
CONTAINER_ID: Final = "c0ffee0ff1ce"
READ_TOKEN_ID: Final = "readtokenofuma1"
WRITE_TOKEN_ID: Final = "writetokenofum1"
LIMITED_TOKEN_ID: Final = "limitedtokenad1"
ALERT_IDS: Final = {Caller.USER: "alertofuma00001", Caller.OTHER: "alertofotto0001"}
HISTORY_IDS: Final = {Caller.USER: "firedforuma0001", Caller.OTHER: "firedforotto001"}
QUIET_IDS: Final = {Caller.USER: "quietofuma00001", Caller.OTHER: "quietofotto0001"}
SETTINGS_ID: Final = "settingsofuma01"
TEAM_ID: Final = "teamoftheweb001"
BACKUP_KEY: Final = "nightly.zip"
AUDIT_ID: Final = "auditentry00001"
UMA_UNIVERSAL_ID: Final = "universaluma001"
AGENT_TOKENS: Final = {name: f"agent-token-of-{name}-0123456789" for name in SYSTEM_IDS}
UNIVERSAL_TOKENS: Final = {
    Caller.USER: "universal-token-of-uma-0123456789",
    Caller.OTHER: "universal-token-of-otto-0123456789",
}

NAMES: Final = {
    "ada": USER_IDS[Caller.ADMIN], "uma": USER_IDS[Caller.USER], "otto": USER_IDS[Caller.OTHER],
    "rea": USER_IDS[Caller.READONLY], "uma_web": SYSTEM_IDS["uma-web"], "otto_db": SYSTEM_IDS["otto-db"],
    "uma_check": CHECK_IDS["uma-check"], "otto_check": CHECK_IDS["otto-check"],
    "private_check": CHECK_IDS["private-check"],
    "uma_channel": CHANNEL_IDS["uma-channel"], "otto_channel": CHANNEL_IDS["otto-channel"],
    "uma_delivery": DELIVERY_IDS["uma-channel"], "otto_delivery": DELIVERY_IDS["otto-channel"],
    "read_token": READ_TOKEN_ID, "write_token": WRITE_TOKEN_ID, "limited_token": LIMITED_TOKEN_ID,
    "settings": SETTINGS_ID,
    "uma_disk": component_id(SYSTEM_IDS["uma-web"], "disk", "serial-of-uma-web"),
    "otto_disk": component_id(SYSTEM_IDS["otto-db"], "disk", "serial-of-otto-db"),
    "uma_service": component_id(SYSTEM_IDS["uma-web"], "service", "service-of-uma-web"),
    "uma_agent": AGENT_TOKENS["uma-web"], "otto_agent": AGENT_TOKENS["otto-db"], "team": TEAM_ID,
    "uma_universal": UNIVERSAL_TOKENS[Caller.USER], "otto_universal": UNIVERSAL_TOKENS[Caller.OTHER],
    "uma_universal_id": UMA_UNIVERSAL_ID, "audit_entry": AUDIT_ID, "identity": IDENTITY_ID,
    "uma_session": SESSION_IDS[Caller.USER], "otto_session": SESSION_IDS[Caller.OTHER],
    "ada_session": SESSION_IDS[Caller.ADMIN],
}  # fmt: skip
"""What `{uma_web}` and the like stand for in the paths, bodies and texts of scenarios."""

SECRETS_OF: Final = {
    AGENT_TOKENS["uma-web"]: {Caller.USER, Caller.WRITE_TOKEN, Caller.LIMITED_TOKEN, Caller.ADMIN, Caller.SUPERUSER},
    AGENT_TOKENS["otto-db"]: {Caller.OTHER, Caller.ADMIN, Caller.SUPERUSER},
    UNIVERSAL_TOKENS[Caller.USER]: {Caller.USER, Caller.WRITE_TOKEN},
    UNIVERSAL_TOKENS[Caller.OTHER]: {Caller.OTHER},
}
"""Texts that only these callers may ever be answered."""


class World:
    """Made by `open_world`."""

    def __init__(self, running: RunningHub) -> None:
        self.running = running
        self._backup = _make_backup(running)

    def reset(self) -> None:
        """Put everything back as it was at first."""
        self._shelve()
        self.running.hub.database.write_now(self._fill)
        self.running.refresh()
        self.running.call(self._fill_inventory())

    def _shelve(self) -> None:
        """One backup there is, and no restore that was asked for."""
        config = self.running.hub.config
        request_restore(config, "")
        for path in config.backups_path.glob("*.zip"):
            path.unlink()
        config.backups_path.mkdir(exist_ok=True)
        (config.backups_path / BACKUP_KEY).write_bytes(self._backup)

    def touch_systems(self) -> None:
        """Change every system a little, as its agent does."""
        systems = self.running.hub.systems
        self.running.call(systems.save_info([(system_id, {"cpu": 1}) for system_id in SYSTEM_IDS.values()]))

    def forget_attempts(self) -> None:
        """Nobody has guessed at passwords yet."""
        self.running.hub.accounts.throttle = LoginThrottle()
        self.running.hub.desk.mailroom.throttle = MailThrottle()

    def token(self, caller: Caller) -> str | None:
        """What the caller has in the Authorization header."""
        if caller is Caller.ANONYMOUS:
            return None
        if caller is Caller.GARBAGE:
            return "eyJhbGciOiJub25lIn0.eyJpZCI6InVtYXVtYXVtYXVtYXVtYSJ9."
        if caller is Caller.EXPIRED:
            return self._sign(tokens.login_claims(USER_IDS[Caller.USER], SESSION_IDS[Caller.USER], 0), Caller.USER)
        api_tokens = {
            Caller.READ_TOKEN: (READ_TOKEN_ID, Caller.USER),
            Caller.WRITE_TOKEN: (WRITE_TOKEN_ID, Caller.USER),
            Caller.LIMITED_TOKEN: (LIMITED_TOKEN_ID, Caller.ADMIN),
        }
        if caller in api_tokens:
            token_id, owner = api_tokens[caller]
            return self._sign(tokens.api_token_claims(USER_IDS[owner], token_id, FOREVER_MS), owner)
        collection = "_superusers" if caller is Caller.SUPERUSER else "users"
        owner = Caller.ADMIN if caller is Caller.SUPERUSER else caller
        now_ms = self.running.hub.clock()
        return self._sign(tokens.login_claims(USER_IDS[owner], SESSION_IDS[caller], now_ms, collection), owner)

    def _sign(self, claims: tokens.Claims, owner: Caller) -> str:
        return tokens.sign(claims, self.running.hub.secret.token_key, _token_key(owner))

    async def _fill_inventory(self) -> None:
        """One container of the same id on each system, as their agents would tell them."""
        for name, system_id in SYSTEM_IDS.items():
            facts = ContainerFacts(
                id=CONTAINER_ID, name=f"container-of-{name}", engine="docker", state="running", image="nginx:1"
            )
            self.running.hub.inventory.put(system_id, [facts])

    def _fill(self) -> None:
        for table in (
            SystemRow,
            ApiToken,
            User,
            HistoryRemoval,
            HotSample,
            Happening,
            Team,
            AuditEntry,
            HistoryRow,
            StateRow,
        ):
            table.delete().execute()
        for caller, user_id in USER_IDS.items():
            User.insert(
                id=user_id, email=f"{caller.value}@example.org", username=caller.value, role=_ROLES[caller],
                verified=True, email_visibility=False, password_hash=_PASSWORD_HASH, token_key=_token_key(caller),
                created=CREATED_MS, updated=CREATED_MS,
            ).execute()  # fmt: skip
        for caller, session_id in SESSION_IDS.items():
            owner_id = USER_IDS[Caller.ADMIN if caller is Caller.SUPERUSER else caller]
            _insert_session(session_id, owner_id, self.running.hub.clock())
        Identity.insert(
            id=IDENTITY_ID, user_id=USER_IDS[Caller.USER], provider="oidc", issuer="https://id.example.org",
            subject="uma-at-the-provider", created=CREATED_MS, updated=CREATED_MS,
        ).execute()  # fmt: skip
        _insert_system("uma-web", [USER_IDS[Caller.USER], USER_IDS[Caller.READONLY]])
        _insert_system("otto-db", [USER_IDS[Caller.OTHER]])
        for name, system_id in SYSTEM_IDS.items():
            issue_system_token(self.running.hub.secret, system_id, CREATED_MS, AGENT_TOKENS[name])
            document = msgspec.json.encode(make_metrics(CPU_PERCENT[name]))
            _insert_components(name)
            insert_samples([NewSample(system_id, self.running.hub.clock() - 5000, 0, document)])
            Happening.insert(
                system_id=system_id, instant=self.running.hub.clock() - 5000, body=_event_of(name).decode()
            ).execute()
        for caller, name in ((Caller.USER, "uma-web"), (Caller.OTHER, "otto-db")):
            _insert_alert(caller, name)
        UserSettings.insert(
            id=SETTINGS_ID, user_id=USER_IDS[Caller.USER], settings={"chartTime": "settings of uma"},
            created=CREATED_MS, updated=CREATED_MS,
        ).execute()  # fmt: skip
        for caller, text in UNIVERSAL_TOKENS.items():
            issue_universal_token(self.running.hub.secret, USER_IDS[caller], CREATED_MS, token=text)
        of_uma = AgentToken.token_id == token_id_of(UNIVERSAL_TOKENS[Caller.USER])
        AgentToken.update(id=UMA_UNIVERSAL_ID).where(of_uma).execute()
        Team.insert(id=TEAM_ID, name="web", tags=["web"], created=CREATED_MS, updated=CREATED_MS).execute()
        TeamMember.insert(team_id=TEAM_ID, user_id=USER_IDS[Caller.OTHER]).execute()
        _insert_audit_entry()
        _insert_check("uma-check", "uma-web", kind="http", target="https://uma.example.org/")
        _insert_check("private-check", "uma-web", kind="tcp", target="10.0.0.1:22", allow_private=True)
        _insert_check("otto-check", "otto-db", kind="tcp", target="otto.example.org:22")
        _insert_channel(self.running.hub.secret, "uma-channel", Caller.USER)
        _insert_channel(self.running.hub.secret, "otto-channel", Caller.OTHER)
        _insert_token(READ_TOKEN_ID, Caller.USER, "read", None)
        _insert_token(WRITE_TOKEN_ID, Caller.USER, "write", None)
        _insert_token(LIMITED_TOKEN_ID, Caller.ADMIN, "write", [SYSTEM_IDS["uma-web"]])


@contextmanager
def open_world(directory: Path) -> Iterator[World]:
    """A hub on a loopback port, filled."""
    with running_hub(directory) as running:
        running.hub.accounts.hasher.cost = FAST_COST
        world = World(running)
        world.reset()
        yield world


def _event_of(name: str) -> bytes:
    return encode(
        Event(
            sequence=1, timestamp="2026-11-22T12:00:00.000Z", boot_ms=1, kind="container_died",
            subject=f"container-of-{name}", attributes={"exit_code": 137},
        )
    )  # fmt: skip


def _make_backup(running: RunningHub) -> bytes:
    """A sound one; of a hub on PostgreSQL there is none."""
    if IS_POSTGRESQL:
        return b"PK"
    config = running.hub.config
    path = config.backups_path / BACKUP_KEY
    if not path.exists():
        make_backup(config, BACKUP_KEY, system_clock)
    return path.read_bytes()


def _token_key(owner: Caller) -> str:
    return f"token key of {owner.value}"


def _insert_system(name: str, members: list[str]) -> None:
    insert_system(name=name, now_ms=CREATED_MS, members=members, host="192.0.2.1", system_id=SYSTEM_IDS[name])
    save_details(SYSTEM_IDS[name], HostDetails(hostname=f"host-of-{name}", os="linux"), "1.2.3", CREATED_MS)


def _insert_alert(owner: Caller, name: str) -> None:
    """A user's CPU alert on their system, which has fired once, and quiet hours of theirs."""
    user_id, system_id = USER_IDS[owner], SYSTEM_IDS[name]
    expanded = expand_preset("CPU", 80.0, 10)
    rule = Rule(id=ALERT_IDS[owner], name="CPU", conditions=expanded.conditions, user_id=user_id, system_id=system_id)
    insert_rule(rule, CREATED_MS, preset="CPU", preset_value=80.0, preset_minutes=10)
    HistoryRow.insert(
        id=HISTORY_IDS[owner], rule_id=rule.id, user_id=user_id, system_id=system_id, name="CPU",
        target=f"cpu of {name}", severity="warning", value=93.5, peak=97.5, threshold=80.0, outcome="recovered",
        reason="", created=CREATED_MS, resolved=CREATED_MS + 60_000,
    ).execute()  # fmt: skip
    insert_quiet(
        {
            "id": QUIET_IDS[owner], "user_id": user_id, "system_id": system_id, "rule_id": None, "tag": None,
            "type": "daily", "start": CREATED_MS, "end": CREATED_MS + 3_600_000, "timezone": "Europe/Berlin",
            "days": [], "note": f"nights of {name}", "created": CREATED_MS, "updated": CREATED_MS,
        }
    )  # fmt: skip


def _insert_components(name: str) -> None:
    disk = SmartMetrics(severity=0, device="sda", model=f"disk-of-{name}")
    save_disks(SYSTEM_IDS[name], [disk_columns(SYSTEM_IDS[name], f"serial-of-{name}", disk, CREATED_MS)], CREATED_MS)
    units = {f"service-of-{name}": ServiceUnitMetrics(state="failed", sub_state="failed")}
    save_services(SYSTEM_IDS[name], service_columns(SYSTEM_IDS[name], units, CREATED_MS))


def _insert_check(name: str, system: str, **fields: Any) -> None:
    insert_check(
        SYSTEM_IDS[system], CheckDefinition(name=name, **fields), is_enabled=True, now_ms=CREATED_MS,
        check_id=CHECK_IDS[name],
    )  # fmt: skip


def _insert_channel(secret: Secret, name: str, owner: Caller) -> None:
    channel_id, url = CHANNEL_IDS[name], f"https://hooks-of-{name}.example.org/secret-path-of-{name}"
    insert_channel({
        "id": channel_id, "user_id": USER_IDS[owner], "name": name, "kind": "webhook", "hint": f"hint-of-{name}",
        "target": secret.seal(url.encode(), purpose_of(channel_id)), "is_from_settings": False, "last_sent": None,
        "last_error": "", "created": CREATED_MS, "updated": CREATED_MS, **DEFAULTS, "is_enabled": False,
    })  # fmt: skip
    DeliveryRow.insert(
        id=DELIVERY_IDS[name], channel_id=channel_id, position=1, transition_id=f"step-of-{name}", alert_id="alert",
        system_id="", status="dead", step={}, message="", attempts=3, due=CREATED_MS, reason=f"reason-of-{name}",
        created=CREATED_MS, updated=CREATED_MS,
    ).execute()  # fmt: skip


def _insert_token(token_id: str, owner: Caller, scope: str, system_ids: list[str] | None) -> None:
    ApiToken.insert(
        id=token_id, user_id=USER_IDS[owner], name=f"{scope} token", scope=scope, system_ids=system_ids,
        expires=FOREVER_MS, created=CREATED_MS, updated=CREATED_MS,
    ).execute()  # fmt: skip


def _insert_session(session_id: str, user_id: str, now_ms: int) -> None:
    Session.insert(
        id=session_id, user_id=user_id, method="password", address="192.0.2.7", agent="a test", expires=FOREVER_MS,
        last_used=now_ms, created=CREATED_MS, updated=CREATED_MS,
    ).execute()  # fmt: skip


def _insert_audit_entry() -> None:
    AuditEntry.insert(
        id=AUDIT_ID, user_id=USER_IDS[Caller.USER], user_name="uma@example.org", session_id="", token_id="",
        address="", action="systems.update", collection="systems", record_id=SYSTEM_IDS["uma-web"],
        changes={"name": ["web", "uma-web"]}, created=CREATED_MS,
    ).execute()  # fmt: skip
