"""Sets of rules: the hub's own over the API and in the file, and those of the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from beszel_hub.alerts.rule import Rule
from beszel_hub.alerts.rulefile import parse
from beszel_hub.alerts.templates import TEMPLATES
from beszel_hub.errors import BadRequest
from tests.support.runninghub import RunningHub, running_hub

TEMPLATES_PATH = "/api/beszel/alerts/templates"
RULES = "/api/collections/alert_rules/records"
TEST = "/api/beszel/alerts/test"
OWN = """
templates:
  web:
    - {name: nginx gone, target: "processes.by_name[nginx]", below: 1, window: 0s}
    - {name: busy, target: cpu.usage_percent, above: 80}
apply:
  - {template: web, tag: web}
  - {template: web, system: shop}
  - {template: checks, enabled: false}
rules:
  - {name: busy, target: cpu.usage_percent, above: 99}
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def ada(hub: RunningHub) -> Iterator[httpx2.Client]:
    token = hub.create_token(hub.create_user("ada@example.org", "admin"), "write")
    with httpx2.Client(base_url=hub.url, timeout=10, headers={"Authorization": token}) as opened:
        yield opened


def test_templates_of_a_file_and_of_the_hub() -> None:
    rules = parse(OWN.encode(), {"shop": ["systemofshop001"]})
    assert [(rule.name, rule.tag, rule.system_id, rule.is_enabled) for rule in rules] == [
        ("busy", None, None, True),
        ("nginx gone", "web", None, True),
        ("busy", "web", None, True),
        ("nginx gone", None, "systemofshop001", True),
        ("busy", None, "systemofshop001", True),
        ("Check failed", None, None, False),
        ("Certificate ends", None, None, False),
    ]
    assert len({rule.id for rule in rules}) == len(rules)
    assert parse(OWN.encode(), {"shop": ["systemofshop001"]}) == rules


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("apply: [{template: none}]", "There is no template 'none'"),
        ("apply: [{template: host}, {template: host}]", "twice"),
        ("{templates: {a: [{name: x, target: status, tag: b}]}, apply: [{template: a}]}", "says for what it is"),
        ("{templates: {a: [{name: x, target: cpu.none, above: 1}]}, apply: [{template: a}]}", "no metric"),
        ("apply: [{template: host, system: nowhere}]", "no system 'nowhere'"),
        ("apply: [{template: host, system: a, tag: b}]", "not both"),
    ],
)
def test_mistakes(content: str, complaint: str) -> None:
    with pytest.raises(BadRequest, match=complaint):
        parse(content.encode(), {"a": ["systemofshop001"]})


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_hubs_own_make_sense(name: str) -> None:
    rules: list[Rule] = parse(f"apply: [{{template: {name}}}]".encode(), {})
    assert [rule.name for rule in rules] == [declared.name for declared in TEMPLATES[name].rules]


def test_applied_once_however_often_it_is_asked_for(hub: RunningHub, ada: httpx2.Client) -> None:
    system_id, _ = hub.create_system("web1")
    body = {"template": "hardware", "system": system_id, "user": ""}
    assert ada.post(TEMPLATES_PATH, json=body).json()["count"] == len(TEMPLATES["hardware"].rules)
    assert ada.post(TEMPLATES_PATH, json=body).json()["count"] == 0
    found: list[dict[str, Any]] = ada.get(RULES, params={"filter": f"system='{system_id}'"}).json()["items"]
    assert {rule["name"] for rule in found} == {rule.name for rule in TEMPLATES["hardware"].rules}
    assert {rule["user"] for rule in found} == {""}
    (hot,) = [rule for rule in found if rule["name"] == "Hot"]
    assert (hot["escalate_value"], hot["conditions"][0]["recover_value"]) == (95, 80)


def test_for_all_systems_it_watches_those_that_come_later(hub: RunningHub, ada: httpx2.Client) -> None:
    assert ada.post(TEMPLATES_PATH, json={"template": "containers"}).json()["count"] == 4
    found = ada.get(RULES, params={"filter": "name='Container failed'"}).json()["items"]
    assert [(rule["system"], rule["tag"]) for rule in found] == [("", "")]
    assert ada.post(TEMPLATES_PATH, json={"template": "none"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"draft": {"conditions": [{"target": "container_down"}]}}, 200),
        ({"draft": {"conditions": [{"target": "none.of_these"}]}}, 400),
        ({"draft": {}}, 400),
        ({"rule": "nosuchrule00000"}, 404),
        ({"draft": {"conditions": [{"target": "status"}]}, "since_seconds": 59}, 400),
        ({"draft": {"conditions": [{"target": "status"}]}, "since_seconds": 8 * 86_400}, 400),
        ({"draft": {"conditions": [{"target": "status"}], "severity": "critical", "for_seconds": 60}}, 200),
    ],
)
def test_trials(hub: RunningHub, ada: httpx2.Client, body: dict[str, Any], status: int, tmp_path: Path) -> None:
    system_id, _ = hub.create_system(f"tried {tmp_path.name}")
    answer = ada.post(TEST, json={"system": system_id, **body})
    assert answer.status_code == status, answer.text
