"""What the published Python client of PocketBase does against a hub, told as one JSON document.

Its arguments: the hub's URL, an e-mail address and a password.
"""

import json
import queue
import sys
from collections.abc import Callable
from typing import Any

from pocketbase import Client
from pocketbase.errors import ClientResponseError

URL, EMAIL, PASSWORD = sys.argv[1:4]
told: dict[str, Any] = {}
pb = Client(URL)
systems = pb.collection("systems")


def refusal(call: Callable[[], object]) -> Any:
    try:
        call()
    except ClientResponseError as error:
        return error.status
    return None


def hear(events: "queue.Queue[Any]", seconds: float = 5) -> Any:
    try:
        return events.get(timeout=seconds)
    except queue.Empty:
        return "nothing"


told["health"] = pb.health.check().code
told["wrong"] = refusal(lambda: pb.collection("users").auth_with_password(EMAIL, "wrong password"))
login = pb.collection("users").auth_with_password(EMAIL, PASSWORD)
told["login"] = login.record.email
told["refresh"] = pb.collection("users").auth_refresh().record.email
made = systems.create({"name": "made", "host": "192.0.2.1", "port": 45876, "users": [login.record.id]})
told["made"] = [made.port, made.status, made.users == [login.record.id]]
told["updated"] = systems.update(made.id, {"name": "renamed"}).name
told["all"] = sorted(system.name for system in systems.get_full_list())
query = {"filter": "name ~ 'ren%' && users.id ?= '" + login.record.id + "'", "sort": "-created"}
told["filtered"] = systems.get_list(1, 5, query).total_items
told["first"] = systems.get_first_list_item("name = 'renamed'").name
expanded = systems.get_one(made.id, {"expand": "users"})
told["expanded"] = [user.email for user in expanded.expand["users"]]
told["missing"] = refusal(lambda: systems.get_one("doesnotexist123"))
batch = pb.create_batch()
batch.collection("systems").create({"id": "madeinonebatch1", "name": "one"})
batch.collection("systems").delete("madeinonebatch1")
told["batch"] = [result["status"] for result in batch.send()]

events: "queue.Queue[Any]" = queue.Queue()
systems.subscribe(lambda event: events.put([event.action, event.record.name]))
# The client has no way to say that it is connected.
for _ in range(40):
    systems.update(made.id, {"name": "heard"})
    told["heard"] = hear(events, 0.25)
    if told["heard"] != "nothing":
        break
systems.unsubscribe()
while hear(events, 0.2) != "nothing":
    pass
told["deleted"] = systems.delete(made.id)
told["after_unsubscribe"] = hear(events, 0.2)
pb.auth_store.clear()
told["logged_out"] = len(systems.get_full_list())
print(json.dumps(told))  # noqa: T201  # what the test reads
