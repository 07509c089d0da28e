"""The records API as PocketBase's clients know it: paging, sort, fields, expand, forms of values, complaints."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from beszel_hub.systems.queries import insert_system
from beszel_hub.systems.tables import SystemRow
from tests.support.world import CREATED_MS, SYSTEM_IDS, USER_IDS, Caller, World, open_world

SYSTEMS = "/api/collections/systems/records"
UMA = USER_IDS[Caller.USER]
UMA_WEB = SYSTEM_IDS["uma-web"]
NAMES = [f"box-{number:02d}" for number in range(40)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("world")) as opened:
        opened.running.hub.database.write_now(_insert_boxes)
        opened.running.refresh()
        yield opened


@pytest.fixture(scope="module")
def admin(world: World) -> Iterator[httpx2.Client]:
    with _client(world, Caller.ADMIN) as client:
        yield client


@pytest.fixture(scope="module")
def uma(world: World) -> Iterator[httpx2.Client]:
    with _client(world, Caller.USER) as client:
        yield client


def _client(world: World, caller: Caller) -> httpx2.Client:
    return httpx2.Client(base_url=world.running.url, headers={"Authorization": f"Bearer {world.token(caller)}"})


def _insert_boxes() -> None:
    for number, name in enumerate(NAMES):
        system_id = insert_system(name=name, now_ms=CREATED_MS + number * 1000, members=[])
        SystemRow.update(info={"cpu": number % 7 + 0.5}).where(SystemRow.id == system_id).execute()


def _list(client: httpx2.Client, path: str = SYSTEMS, **parameters: object) -> Any:
    answer = client.get(path, params={name: str(value) for name, value in parameters.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def _names(client: httpx2.Client, **parameters: object) -> list[str]:
    return [item["name"] for item in _list(client, SYSTEMS, **parameters)["items"]]


BOXES = "name ~ 'box-'"


def test_pages_neither_overlap_nor_leave_anything_out(admin: httpx2.Client) -> None:
    for sort in ("", "name", "-info.cpu", "port", "info.nothing", "-created,name"):
        pages = [_list(admin, filter=BOXES, perPage=7, page=page, sort=sort) for page in range(1, 8)]
        assert [len(page["items"]) for page in pages] == [7, 7, 7, 7, 7, 5, 0]
        assert {page["totalItems"] for page in pages} == {40}
        assert {page["totalPages"] for page in pages} == {6}
        assert sorted(item["name"] for page in pages for item in page["items"]) == NAMES


def test_page_sizes_are_kept_in_bounds(admin: httpx2.Client) -> None:
    assert len(_list(admin)["items"]) == 30
    assert _list(admin, perPage=5000)["perPage"] == 1000
    for size in (0, -5):
        assert _list(admin, perPage=size)["perPage"] == 30
    assert _list(admin, page=-3)["page"] == 1
    assert _list(admin, page=10**9)["items"] == []


def test_totals_can_be_skipped(admin: httpx2.Client) -> None:
    page = _list(admin, filter=BOXES, perPage=7, skipTotal=1)
    assert (page["totalItems"], page["totalPages"], len(page["items"])) == (-1, -1, 7)


@pytest.mark.parametrize(
    "parameters",
    [
        {"page": "two"}, {"perPage": "1e3"}, {"sort": "nope"}, {"sort": "users"}, {"sort": "tags"}, {"sort": "-"},
        {"sort": ",".join(["name"] * 9)}, {"filter": "nope=1"}, {"filter": "users.email~'a'"}, {"sort": "name desc"},
        {"fields": ",".join(["id"] * 101)}, {"expand": ",".join(["users"] * 11)},
        {"filter": "name='" + "x" * 3500 + "'"},
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(uma: httpx2.Client, parameters: dict[str, str]) -> None:
    answer = uma.get(SYSTEMS, params=parameters)
    assert answer.status_code == answer.json()["status"] == 400


def test_sorting(admin: httpx2.Client) -> None:
    assert _names(admin, filter=BOXES, sort="-name", perPage=2) == ["box-39", "box-38"]
    assert _names(admin, filter=BOXES, sort="+name", perPage=2) == ["box-00", "box-01"]
    assert _names(admin, filter=BOXES, sort="-info.cpu, -name", perPage=3) == ["box-34", "box-27", "box-20"]
    assert _names(admin, filter=BOXES, perPage=2) == ["box-00", "box-01"], "oldest first"


def test_fields(admin: httpx2.Client) -> None:
    def first(fields: str) -> Any:
        return _list(admin, filter=BOXES, perPage=1, fields=fields)["items"][0]

    assert first("name") == {"name": "box-00"}
    assert first("name, info.cpu,nope") == {"name": "box-00", "info": {"cpu": 0.5}}
    assert first("*").keys() == first("").keys()
    assert first("nope") == {}


def test_values_have_pocketbases_forms(admin: httpx2.Client) -> None:
    record = admin.get(f"{SYSTEMS}/{UMA_WEB}").json()
    assert record["created"] == "2023-11-14 22:13:20.000Z"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z", record["updated"])
    assert (record["collectionId"], record["collectionName"]) == ("2hz5ncl8tizk5nx", "systems")
    assert sorted(record["users"]) == sorted([UMA, USER_IDS[Caller.READONLY]])
    assert record["tags"] == []


@pytest.mark.parametrize("text", ["2023-11-14 22:13:21.000Z", "2023-11-14T22:13:21Z", "2023-11-14 22:13:21"])
def test_dates_are_taken_in_every_form(admin: httpx2.Client, text: str) -> None:
    assert _names(admin, filter=f"{BOXES} && created = '{text}'") == ["box-01"]
    assert len(_names(admin, filter=f"{BOXES} && created >= '2023-11-14'", perPage=100)) == 40


def test_expand_shows_what_the_actor_may_see(uma: httpx2.Client, admin: httpx2.Client) -> None:
    parameters = {"expand": "system.users", "filter": f"system = '{UMA_WEB}'"}
    (mine,) = _list(uma, "/api/collections/system_details/records", **parameters)["items"]
    assert mine["expand"]["system"]["name"] == "uma-web"
    assert [user["email"] for user in mine["expand"]["system"]["expand"]["users"]] == ["uma@example.org"]
    (all_,) = _list(admin, "/api/collections/system_details/records", **parameters)["items"]
    assert len(all_["expand"]["system"]["expand"]["users"]) == 2


def test_expand_and_fields_together(uma: httpx2.Client) -> None:
    record = uma.get(f"{SYSTEMS}/{UMA_WEB}", params={"expand": "users,nope", "fields": "name,expand.users.username"})
    assert record.json() == {"name": "uma-web", "expand": {"users": [{"username": "uma"}]}}


def test_relations_in_filters(uma: httpx2.Client) -> None:
    assert _names(uma, filter=f"users.id ?= '{UMA}'") == ["uma-web"]
    assert _names(uma, filter=f"users = '{UMA}'") == [], "not every user of it is uma"
    details = "/api/collections/system_details/records"
    assert _list(uma, details, filter="system.name ~ 'web'")["totalItems"] == 1
    assert _list(uma, details, filter="system.name ~ 'otto'")["totalItems"] == 0


def _created(world: World, client: httpx2.Client, body: object) -> Any:
    answer = client.post(SYSTEMS, json=body)
    record = answer.json()
    if answer.status_code == 200:
        client.delete(f"{SYSTEMS}/{record['id']}")
    return record


def test_clients_may_choose_an_id(world: World, admin: httpx2.Client) -> None:
    body = {"id": "chosenbyaclient", "name": "x", "host": "h", "users": [UMA]}
    assert _created(world, admin, body)["id"] == "chosenbyaclient"
    taken = admin.post(SYSTEMS, json={**body, "id": UMA_WEB}).json()
    assert taken["data"]["id"]["code"] == "validation_not_unique"
    for bad in ("short", "UPPERCASEUPPERC", "a" * 16, "aaaaaaaaaaaaaa/"):
        assert "id" in admin.post(SYSTEMS, json={**body, "id": bad}).json()["data"]


def test_numbers_become_texts_and_texts_lose_control_characters(world: World, admin: httpx2.Client) -> None:
    body = {"name": " we\x1b[31mb\u202e\n ", "host": "h", "port": 45876, "users": [UMA], "unknown": 1, "created": "x"}
    record = _created(world, admin, body)
    assert (record["name"], record["port"]) == ("we[31mb", "45876")
    assert "unknown" not in record


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"name": ""}, "name", "validation_required"),
        ({"name": None}, "name", "validation_required"),
        ({"name": "x" * 256}, "name", "validation_max_text_constraint"),
        ({"name": ["x"]}, "name", "validation_invalid_value"),
        ({"name": True}, "name", "validation_invalid_value"),
        ({"status": "sleeping"}, "status", "validation_invalid_value"),
        ({"users": ["nobodynobodynob"]}, "users", "validation_missing_rel_records"),
        ({"users": [1]}, "users", "validation_invalid_value"),
        ({"tags": "x " * 3, "users": {"a": 1}}, "users", "validation_invalid_value"),
        ({"tags": [f"tag {number}" for number in range(100)]}, "tags", "validation_too_many_values"),
        ({"interval": 0.5}, "interval", "validation_min_number_constraint"),
        ({"interval": 1e9}, "interval", "validation_max_number_constraint"),
        ({"interval": "soon"}, "interval", "validation_invalid_value"),
    ],
)
def test_complaints_are_by_field(admin: httpx2.Client, values: dict[str, object], field: str, code: str) -> None:
    answer = admin.post(SYSTEMS, json={"name": "x", "host": "h", "users": [UMA], **values})
    assert answer.status_code == 400
    assert answer.json()["message"] == "Failed to create record."
    assert answer.json()["data"][field]["code"] == code
    if field != "name" or values["name"] is not None:
        changed = admin.patch(f"{SYSTEMS}/{UMA_WEB}", json=values)
        assert changed.json()["data"][field]["code"] == code
        assert changed.json()["message"] == "Failed to update record."


def test_several_complaints_come_at_once(admin: httpx2.Client) -> None:
    body = {"name": "", "status": "x", "interval": "y", "users": [UMA]}
    assert admin.post(SYSTEMS, json=body).json()["data"].keys() == {"name", "status", "interval"}


def test_an_update_touches_only_what_it_names(world: World, uma: httpx2.Client) -> None:
    before = uma.get(f"{SYSTEMS}/{UMA_WEB}").json()
    after = uma.patch(
        f"{SYSTEMS}/{UMA_WEB}", json={**before, "tags": ["prod", "prod", " "], "id": "x", "info": 1}
    ).json()
    assert after.pop("tags") == ["prod"]
    before.pop("tags")
    assert {**after, "updated": ""} == {**before, "updated": ""}
    world.reset()


def test_a_collection_is_found_by_its_id_too(uma: httpx2.Client) -> None:
    assert _list(uma, "/api/collections/2hz5ncl8tizk5nx/records")["items"][0]["name"] == "uma-web"


def test_no_number_is_too_large_to_be_refused(uma: httpx2.Client) -> None:
    for digits in (400, 4000):
        answer = uma.patch(
            f"{SYSTEMS}/{UMA_WEB}",
            content=f'{{"interval": {"9" * digits}}}',
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == 400, answer.text
