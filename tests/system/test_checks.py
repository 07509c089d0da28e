"""A check from its definition by the API to the stored series, with the installed programs."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs import wait_until
from tests.support.site import Site, open_site

pytestmark = pytest.mark.system


class Page(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"all is well")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the base class
        pass


@contextmanager
def served(handler: type[Page]) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(5)


def send(site: Site, token: str, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{site.url}/api/collections/checks/records{path}",
        method=method,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        record: dict[str, Any] = json.load(response)
        return record


def newest(site: Site, token: str, system: str, address: str) -> float | None:
    """The last reading of a series."""
    now_ms = time.time_ns() // 1_000_000
    answer = site.get(
        "/api/beszel/series", token, system=system, metric=address,
        **{"from": now_ms - 120_000, "to": now_ms + 1000, "points": 300},
    )  # fmt: skip
    readings = [value for value in answer["series"][address]["mean"] if value is not None]
    return readings[-1] if readings else None


def test_a_check_becomes_a_series(tmp_path: Path) -> None:
    class Flaky(Page):
        pass

    with open_site(tmp_path) as site, served(Flaky) as port:
        enrolled = site.enrol("web-1")
        system, token = enrolled["system_id"], site.create_token("write")
        agent = site.start_agent(enrolled)
        wait_until("the agent is connected", lambda: "connected as system" in agent.text())
        target = f"http://127.0.0.1:{port}/"
        common = {"system": system, "kind": "http", "target": target, "interval": 5, "keyword": "is well"}
        record = send(site, token, "POST", "", {**common, "name": "web [1]", "allow_private": True})
        send(site, token, "POST", "", {**common, "name": "not allowed"})

        up, latency = r"checks[web [1\]].up", r"checks[web [1\]].latency_ms"
        wait_until("it is up", lambda: newest(site, token, system, up) == 1, timeout_seconds=30)
        assert 0 < (newest(site, token, system, latency) or 0) < 5000
        assert newest(site, token, system, r"checks[web [1\]].status_code") == 200

        # It notices when the page is no longer what it was.
        Flaky.status = 503
        wait_until("it is down", lambda: newest(site, token, system, r"checks[web [1\]].severity") == 2, 30)

        # What may not be made has no numbers, and its words say why.
        def refusal() -> Any:
            rows = site.list_all("metrics", token, filter=f"system = '{system}' && type = 'checks'", sort="timestamp")
            return next((row["value"]["not allowed"] for row in rows if "not allowed" in row["value"]), None)

        refused = wait_until("the other one is told", refusal, timeout_seconds=30)
        assert refused == {"state": "refused: it leads to a private address, which this check is not allowed to"}
        assert newest(site, token, system, "checks[not allowed].up") is None

        send(site, token, "PATCH", f"/{record['id']}", {"enabled": False})
        assert agent.is_running
        assert agent.terminate(timeout_seconds=5) == 0, agent.text()
        assert "Traceback" not in agent.text()
        assert "Traceback" not in site.hub.text()


def test_a_member_is_refused_what_an_administrator_may(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        site.command("user", "create", "uma@example.org", "--role", "user", "--password-file", "-", stdin="x" * 12)
        enrolled = json.loads(site.command("enrol", "hers", "--user", "uma@example.org", "--json"))
        token = json.loads(
            site.command("token", "create", "--user", "uma@example.org", "--scope", "write", "--json")
        )["token"]  # fmt: skip
        check = {"system": enrolled["system_id"], "name": "db", "kind": "tcp", "target": "10.0.0.1:5432"}
        send(site, token, "POST", "", check)  # may be defined; the agent refuses to make it
        with pytest.raises(urllib.error.HTTPError) as refused:
            send(site, token, "POST", "", {**check, "name": "db 2", "allow_private": True})
        assert refused.value.code == 400
        refused.value.close()
