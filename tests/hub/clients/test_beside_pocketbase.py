"""The same requests to the hub and to a real PocketBase: answers alike, but where the documentation says not."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import httpx2
import pytest

from beszel_hub.accounts import queries as account_queries
from beszel_hub.accounts.passwords import hash_password
from beszel_hub.records.dates import parse_date
from beszel_hub.systems import queries
from tests.support.pocketbase import PASSWORD, PocketBase, pocketbase
from tests.support.runninghub import FAST_COST, RunningHub, running_hub

pytestmark = pytest.mark.system

RECORDS = "/api/collections/systems/records"
ALERTS = "/api/collections/alerts/records"
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "pocketbase.md"
DOCUMENTED = [
    (match[1], (int(match[2]), int(match[3])))
    for match in re.finditer(r"^\| `(.+?)` \| (\d+) \| (\d+) \| ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
]

ADA, UMA = "adaadaadaadaada", "umaumaumaumauma"
USERS = {ADA: ("ada", "admin"), UMA: ("uma", "user")}
SYSTEMS: list[dict[str, Any]] = [
    {
        "id": "system000000001", "name": "web-1", "host": "192.0.2.1", "port": "45876", "status": "up", "interval": 1,
        "info": {"cpu": 80, "v": "0.1", "la": [1, 2, 3], "deep": {"a": {"b": "x"}}}, "users": [ADA, UMA],
        "tags": ["prod", "web"], "created": "2026-01-01 10:00:00.123Z", "updated": "2026-01-01 10:00:00.123Z",
    },
    {
        "id": "system000000002", "name": "Web-2", "host": "", "port": "", "status": "down", "interval": 60,
        "info": {"cpu": 9.5}, "users": [UMA], "tags": [], "created": "2026-02-01 10:00:00.000Z",
        "updated": "2026-02-01 10:00:00.000Z",
    },
    {
        "id": "system000000003", "name": "db_1%", "host": "db.lan", "port": "1", "status": "paused", "interval": 2.5,
        "info": {}, "users": [], "tags": ["db"], "created": "2026-03-01 00:00:00.000Z",
        "updated": "2026-03-01 00:00:00.000Z",
    },
    {
        "id": "system000000004", "name": "it's \"quoted\" \\ back", "host": "h", "port": "2", "status": "pending",
        "interval": 1, "info": {"cpu": "80", "on": True}, "users": [ADA], "tags": ["prod"],
        "created": "2026-04-01 10:00:00.999Z", "updated": "2026-04-01 10:00:00.999Z",
    },
    {
        "id": "system000000005", "name": "älter", "host": "h", "port": "10", "status": "up", "interval": 1,
        "info": {"cpu": None}, "users": [UMA], "tags": ["a,b"], "created": "2026-05-01 10:00:00.000Z",
        "updated": "2026-05-01 10:00:00.000Z",
    },
]  # fmt: skip

FILTERS = [
    "name = 'web-1'", "name='web-1'", 'name="web-1"', "'web-1' = name", "name != 'web-1'", "name ~ 'web'",
    "name ~ 'WEB'", "name !~ 'web'", "name ~ 'web%'", "name ~ '%1%'", "name ~ 'b_1'", r"name ~ '\%'", "name ~ '1%'",
    r"""name = 'it\'s "quoted" \ back'""", "name ~ 'ÄLTER'", "name ~ 'älter'", "host = ''", "host != ''",
    "host = null", "host != null", "port > '1'", "port > 9", "interval = 1", "interval > 1", "interval >= 2.5",
    "interval = '1'", "interval != 60", "interval > '1'", "status = 'up' || status = 'down'",
    "status = 'up' && interval = 1", "(status = 'up' || status = 'down') && info.cpu > 50",
    "status = 'up' || status = 'down' && info.cpu > 50", "info.cpu > 50", "info.cpu > 9", "info.cpu = 80",
    "info.cpu = '80'", "info.cpu != 80", "info.cpu = null", "info.cpu != null", "info.cpu = ''", "info.v = '0.1'",
    "info.on = true", "info.on != true", "info.nope = null", "info.nope = ''", "info.deep.a.b = 'x'", "info.la.0 = 1",
    "info.la.2 > 2", "info.cpu < 50", "info ~ 'deep'", "info.v ~ '0'", "created > '2026-02-01'",
    "created >= '2026-02-01 10:00:00.000Z'", "created = '2026-01-01 10:00:00.123Z'", "created < '2026-03-01'",
    "created ~ '2026-01'", "created > '2026-02-01T10:00:00Z'", "created > @now", "created < @now",
    "created >= @yearStart", "created < @todayEnd", "users.id ?= 'umaumaumaumauma'", "users.id = 'umaumaumaumauma'",
    "users.email ?= 'uma@example.org'", "users.email ~ 'example'", "users.email ?~ 'ada'",
    "users.email = 'uma@example.org'", "users.email != 'uma@example.org'", "users.username ?= 'uma'", "users.id = ''",
    "users ~ 'uma'", "users ?~ 'uma'", "tags ~ 'prod'", "id = 'system000000001'", "id ~ 'system'", "1 = 1", "1 > 2",
    "true = true", "name = true", "nope = 1", "name =", "name = 'a", "()", "", "name == 'a'",
    "name = 'a' AND name = 'b'", "name ?= 'web-1'", "interval ?> 1", "name ~ ''", "name !~ ''", "name > 'a'",
    "name >= 'web-1'", "name < 'a'", "@year >= 2026", "@nope = 1", "password = 'x'", "name = 'web-1' // a comment",
    "interval = 1.0", "interval = 01", "interval = -1", "created = ''", "updated != created", "created = updated",
    "name = host", "name != host", "host ~ name", "collectionName = 'systems'",
]  # fmt: skip
SORTS = [
    "name", "-name", "+name", "-created", "interval,-name", "-interval,name", "info.cpu", "-info.cpu", "port",
    "status,name", "nope", "-", "name desc", "", "created , -name", "collectionId", "password",
    ",".join(["id"] * 9),
]  # fmt: skip
PAGES = [
    (1, 2), (2, 2), (3, 2), (4, 2), (0, 2), (-1, 2), (1, 0), (1, -1), (1, 1000), (1, 5000), ("x", 2), (1, "x"),
    ("", ""), ("1.5", 2),
]  # fmt: skip
FIELDS = [
    "id", "id,name", "*", "id,info.cpu", "info", "info.deep.a", "info.*", "nope", "id,expand.users.email",
    "*,expand.users.id", "info.la", "info.la.0", " id , name ", "ID",
]  # fmt: skip
EXPANDS = [
    ("users", "id,expand.users.email"), ("users", "*,expand.users.username"), ("nope", "id,expand"),
    ("users.nope", "id,expand.users.id"), (" users ", "id,expand.users.id"), ("name", "id,expand"),
    ("users,users", "id,expand.users.id"), ("users,nope", "id,expand.users.id"),
]  # fmt: skip
OF_ALERTS: list[dict[str, Any]] = [
    {"id": "alert0000000001", "system": "system000000001", "name": "CPU", "value": 80, "min": 10},
    {"id": "alert0000000002", "system": "system000000001", "name": "Disk", "value": 92.5, "min": 1},
    {"id": "alert0000000003", "system": "system000000003", "name": "Bandwidth", "value": 0.5, "min": 60},
]
ALERT_FILTERS = [
    "system = 'system000000001'", "system != 'system000000001'", "system ~ '0001'", "system.name = 'web-1'",
    "system.name ~ 'db'", "system.status = 'paused'", "system.info.cpu > 50", "system.users.id ?= 'umaumaumaumauma'",
    "user = 'adaadaadaadaada'", "user.email = 'ada@example.org'", "value > 80", "value = 92.5", "value = '80'",
    "value < 1 || min = 10", "min > value", "triggered = false", "triggered = true", "triggered != true",
    "created > '2026-01-01'", "created = updated", "created < '2020-01-01 00:00:00.000Z'", "updated >= @yearStart",
    "system.nope = 1", "system.created < '2026-02-01'", "name ?= 'CPU'",
]  # fmt: skip
ALERT_QUESTIONS: list[dict[str, Any]] = [
    *({"filter": text, "sort": "id"} for text in ALERT_FILTERS),
    *({"sort": text} for text in ("value", "-value", "system.name,value", "-min,name", "triggered,id")),
    {"expand": "system,user", "fields": "id,expand.system.name,expand.user.id", "sort": "id"},
    {"expand": "system.users", "fields": "id,expand.system.expand.users.id", "sort": "id"},
    {"fields": "id,value,min,created", "sort": "id", "perPage": 2},
]
ALIKE: list[tuple[str, dict[str, Any]]] = [
    *((RECORDS, {"filter": text}) for text in FILTERS),
    *((RECORDS, {"sort": text}) for text in SORTS),
    *((RECORDS, {"page": page, "perPage": size}) for page, size in PAGES),
    *((ALERTS, question) for question in ALERT_QUESTIONS),
    *((RECORDS, {"perPage": 2, "skipTotal": text}) for text in ("1", "true", "0", "false", "x", "", "T", "yes")),
    *((RECORDS, {"fields": text}) for text in FIELDS),
    *((RECORDS, {"expand": expand, "fields": fields}) for expand, fields in EXPANDS),
    (f"{RECORDS}/system000000001", {}),
    (f"{RECORDS}/system000000001", {"fields": "name,info.v"}),
    (f"{RECORDS}/system000000001", {"expand": "users", "fields": "expand.users.id"}),
    (f"{RECORDS}/system000000001", {"filter": "nope"}),
    (f"{RECORDS}/system000000009", {}),
    (f"{RECORDS}/system000000001/", {}),
    (f"{RECORDS}/", {}),
    ("/api/collections/nope/records", {}),
    ("/api/collections/2hz5ncl8tizk5nx/records", {}),
]


class Pair(NamedTuple):
    ours: httpx2.Client
    theirs: httpx2.Client

    def ask(self, path: str, parameters: dict[str, Any]) -> tuple[Any, Any]:
        """What both answer: the status, and the body unless that only says why not."""
        return _told(self.ours.get(path, params=parameters)), _told(self.theirs.get(path, params=parameters))


def _told(answer: httpx2.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json() if answer.status_code == 200 else None


def _fill(hub: RunningHub) -> None:
    phc = hash_password(PASSWORD, FAST_COST)

    def write() -> None:
        for user_id, (name, role) in USERS.items():
            account_queries.create_user(
                id=user_id, email=f"{name}@example.org", username=name, role="admin" if role == "admin" else "user",
                password_hash=phc, now_ms=0,
            )  # fmt: skip
        for system in SYSTEMS:
            others = {name: system[name] for name in ("port", "status", "info", "tags")}
            others["interval_seconds"] = system["interval"]
            others |= {name: parse_date(system[name]) for name in ("created", "updated")}
            queries.insert_system(
                name=system["name"], host=system["host"], now_ms=0, members=system["users"], system_id=system["id"],
                others=others,
            )  # fmt: skip

    hub.hub.database.write_now(write)
    hub.refresh()


def _make_alerts(hub: RunningHub, theirs: PocketBase) -> None:
    """At the hub as clients do, and then the same, with its instants, at the other."""
    token = hub.create_token(ADA, "write")
    hub.refresh()
    with httpx2.Client(base_url=hub.url, headers={"Authorization": token}, timeout=10) as client:
        for alert in OF_ALERTS:
            made = client.post(ALERTS, json={"user": ADA, **alert})
            assert made.status_code == 200, made.text
            theirs.create("alerts", **made.json())


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    directory = tmp_path_factory.mktemp("pair")
    with pocketbase(directory) as theirs, running_hub(directory / "hub") as hub:
        theirs.create_collections()
        for user_id, (name, role) in USERS.items():
            theirs.create(
                "users", id=user_id, email=f"{name}@example.org", username=name, role=role, verified=True,
                password=PASSWORD, passwordConfirm=PASSWORD,
            )  # fmt: skip
        for system in SYSTEMS:
            theirs.create("systems", retention={}, **system)
        _fill(hub)
        _make_alerts(hub, theirs)
        token = hub.create_token(ADA)
        hub.refresh()
        with httpx2.Client(base_url=hub.url, headers={"Authorization": token}, timeout=10) as ours:
            yield Pair(ours, theirs.client)


def test_answers_are_alike(pair: Pair) -> None:
    different = []
    for path, parameters in ALIKE:
        ours, theirs = pair.ask(path, parameters)
        if ours != theirs:
            different.append(f"{path} {parameters}\n  ours:   {ours}\n  theirs: {theirs}")
    assert not different, "\n".join(different)


@pytest.mark.parametrize(("request_text", "statuses"), DOCUMENTED)
def test_what_the_page_says_of_differences_is_true(pair: Pair, request_text: str, statuses: tuple[int, int]) -> None:
    ours, theirs = pair.ask(RECORDS, dict(parse_qsl(request_text.replace("+", "%2B"))))
    assert (ours[0], theirs[0]) == statuses
    assert ours != theirs


def test_the_page_has_its_table() -> None:
    assert len(DOCUMENTED) >= 15
