"""Batches: one transaction, PocketBase's shapes of request and answer, as JSON and as a form."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from beszel_hub.records.batch import MAX_REQUESTS
from tests.support.world import SYSTEM_IDS, Caller, World, open_world

SYSTEMS = "/api/collections/systems/records"
UMA_WEB = SYSTEM_IDS["uma-web"]
CHOSEN = "chosenbyaclient"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("world")) as opened:
        yield opened


@pytest.fixture
def uma(world: World) -> Iterator[httpx2.Client]:
    headers = {"Authorization": str(world.token(Caller.USER))}
    with httpx2.Client(base_url=world.running.url, headers=headers) as client:
        yield client
    world.reset()


def request(method: str, path: str = "", **body: object) -> dict[str, Any]:
    return {"method": method, "url": f"{SYSTEMS}{path}", "headers": {"X-Ignored": "1"}, "body": body or None}


def send(client: httpx2.Client, *requests: dict[str, Any]) -> Any:
    return client.post("/api/batch", json={"requests": list(requests)}).json()


def names(client: httpx2.Client) -> list[str]:
    return [item["name"] for item in client.get(SYSTEMS, params={"sort": "name"}).json()["items"]]


def test_requests_build_on_each_other(uma: httpx2.Client) -> None:
    results = send(
        uma,
        request("POST", id=CHOSEN, name="nas"),
        request("PATCH", f"/{CHOSEN}?fields=name,tags", tags=["home"]),
        request("PUT", id=CHOSEN, name="nas2"),
        request("PUT", id="anotherchosenid", name="tv"),
        request("DELETE", "/anotherchosenid"),
    )
    assert [result["status"] for result in results] == [200, 200, 200, 200, 204]
    assert results[1]["body"] == {"name": "nas", "tags": ["home"]}
    assert (results[2]["body"]["id"], results[2]["body"]["name"], results[4]["body"]) == (CHOSEN, "nas2", None)
    assert names(uma) == ["nas2", "uma-web"]


def test_one_that_fails_undoes_all(uma: httpx2.Client) -> None:
    answer = send(uma, request("PATCH", f"/{UMA_WEB}", name="renamed"), request("POST", name="nas"), request("POST"))
    assert (answer["status"], answer["message"]) == (400, "Batch transaction failed.")
    assert answer["data"]["requests"].keys() == {"2"}
    failure = answer["data"]["requests"]["2"]
    assert (failure["code"], failure["message"]) == ("batch_request_failed", "Batch request failed.")
    assert failure["response"]["message"] == "Failed to create record."
    assert failure["response"]["data"]["name"]["code"] == "validation_required"
    assert names(uma) == ["uma-web"]


def test_what_fails_in_the_transaction_only_undoes_all_too(uma: httpx2.Client) -> None:
    answer = send(uma, request("POST", id=CHOSEN, name="one"), request("POST", id=CHOSEN, name="two"))
    assert answer["data"]["requests"]["1"]["response"]["data"]["id"]["code"] == "validation_not_unique"
    answer = send(uma, request("DELETE", f"/{UMA_WEB}"), request("PATCH", f"/{UMA_WEB}", name="x"))
    assert answer["data"]["requests"]["1"]["response"]["status"] == 404
    assert names(uma) == ["uma-web"]


@pytest.mark.parametrize(
    "bad",
    [
        {"method": "GET", "url": SYSTEMS}, {"method": "POST", "url": "/api/collections/nope/records"},
        {"method": "POST", "url": "/api/beszel/info"}, {"method": "POST", "url": f"https://evil.example{SYSTEMS}"},
        {"method": "DELETE", "url": SYSTEMS}, {"method": "POST", "url": f"{SYSTEMS}/{CHOSEN}"},
        {"method": "DELETE", "url": f"{SYSTEMS}/../../x"}, {"method": "POST", "url": "//[::1"},
        {"method": "POST", "url": SYSTEMS + "?" + "a=1&" * 30}, {"method": "POST", "url": SYSTEMS + "?" + "a" * 9000},
    ],
)  # fmt: skip
def test_only_writes_of_records_are_taken(uma: httpx2.Client, bad: dict[str, Any]) -> None:
    answer = send(uma, bad)
    assert answer["status"] == 400
    assert "0" in answer["data"]["requests"]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"requests": []}, {"requests": "x"}, {"requests": [1]}, {"requests": [{"method": "POST"}]},
        {"requests": {"0": {}}}, {"requests": [{"method": 1, "url": SYSTEMS}]},
        {"requests": [{"method": "POST", "url": SYSTEMS, "body": []}]},
        {"requests": [{"method": "POST", "url": SYSTEMS}] * (MAX_REQUESTS + 1)},
    ],
)  # fmt: skip
def test_what_is_no_batch_is_refused(uma: httpx2.Client, body: dict[str, Any]) -> None:
    answer = uma.post("/api/batch", json=body).json()
    assert (answer["status"], answer["message"]) == (400, "Invalid batch request data.")
    assert "code" in answer["data"]["requests"]


def test_a_batch_comes_as_a_form_too(uma: httpx2.Client) -> None:
    payload = json.dumps({"requests": [request("POST", name="nas")]})
    answer = uma.post("/api/batch", files={"@jsonPayload": (None, payload)})
    assert answer.json()[0]["body"]["name"] == "nas"
    assert uma.post("/api/batch", json={"@jsonPayload": payload}).json()[0]["status"] == 200


def test_a_form_has_the_fields_of_a_record(uma: httpx2.Client) -> None:
    fields = [("name", (None, "nas")), ("tags", (None, "a")), ("tags", (None, "b")), ("port", (None, "45876"))]
    record = uma.post(SYSTEMS, files=fields).json()
    assert (record["name"], record["tags"], record["port"]) == ("nas", ["a", "b"], "45876")


@pytest.mark.parametrize(
    ("content", "boundary"),
    [
        (b"--x\r\nnonsense", "x"), (b"", "x"), (b"--x--\r\n", "y"), (b"", ""), (b"\xff" * 100, "x"),
        (b'--x\r\nContent-Disposition: form-data; name="@jsonPayload"\r\n\r\n[1]\r\n--x--\r\n', "x"),
        (b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nbytes\r\n--x--\r\n', "x"),
    ],
)  # fmt: skip
def test_a_form_that_is_none_is_refused(uma: httpx2.Client, content: bytes, boundary: str) -> None:
    kind = f"multipart/form-data; boundary={boundary}" if boundary else "multipart/form-data"
    answer = uma.post("/api/batch", content=content, headers={"Content-Type": kind})
    assert answer.status_code == answer.json()["status"] == 400
