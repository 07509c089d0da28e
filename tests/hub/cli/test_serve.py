"""The server as a process: what it notes and holds, how it ends, and that it sees what commands write beside it."""

import json
import os
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
import websockets
from websockets.sync.client import ClientConnection, connect

from tests.support.programs import Process, clean_environment, program, run, running, wait_until

pytestmark = pytest.mark.system

EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"


class Server:
    """A hub on a free port, and commands beside it."""

    def __init__(self, directory: Path, process: Process) -> None:
        self.directory = directory
        self.process = process
        self.environment = clean_environment(directory.parent)
        self.url = wait_until("the address is noted", self._read_address)

    def _read_address(self) -> str | None:
        assert self.process.is_running, self.process.text()
        path = self.directory / "address"
        return path.read_text().strip() if path.exists() else None

    def command(self, *arguments: str, stdin: str = "") -> Any:
        argv = [program("beszel-hub"), *arguments, "--dir", str(self.directory), "--json"]
        return json.loads(run(argv, self.environment, stdin=stdin))

    def create_admin(self) -> None:
        self.command("user", "create", EMAIL, "--role", "admin", "--password-file", "-", stdin=PASSWORD)


def _start(directory: Path, **environment: str) -> Any:
    argv = [program("beszel-hub"), "serve", "--http", "127.0.0.1:0", "--dir", str(directory)]
    return running(argv, clean_environment(directory.parent, **environment), directory.parent / "hub.log")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("site") / "data"
    before = os.umask(0)
    try:
        with _start(directory) as process:
            os.umask(before)
            opened = Server(directory, process)
            opened.create_admin()
            yield opened
    finally:
        os.umask(before)


def test_everything_it_writes_is_private(server: Server) -> None:
    assert stat.S_IMODE(server.directory.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in server.directory.iterdir()}
    assert modes.keys() >= {"address", "data.db", "data.db-wal", "data.db-shm", "id_ed25519", "secret.key"}
    assert set(modes.values()) == {0o600}, modes


def test_commands_and_health_find_it(server: Server) -> None:
    enrolled = server.command("enrol", "web-1", "--user", EMAIL)
    assert enrolled["hub_url"] == server.url
    said = run([program("beszel-hub"), "health", "--dir", str(server.directory)], server.environment)
    assert said == "The hub is well.\n"
    assert run([program("beszel-hub"), "health", "--url", f"{server.url}/"], server.environment) == said


def test_a_second_server_on_the_directory_is_refused(server: Server) -> None:
    argv = [program("beszel-hub"), "serve", "--http", "127.0.0.1:0", "--dir", str(server.directory)]
    ended = subprocess.run(argv, env=server.environment, capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.endswith(f"beszel-hub: another hub serves {server.directory} already\n")
    assert server.url == (server.directory / "address").read_text().strip()


def test_a_taken_port_is_said(server: Server, tmp_path: Path) -> None:
    address = server.url.removeprefix("http://")
    argv = [program("beszel-hub"), "serve", "--http", address, "--dir", str(tmp_path / "other")]
    ended = subprocess.run(argv, env=server.environment, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert "cannot serve on 127.0.0.1 port" in ended.stderr
    assert "in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_commands_write_counts_at_once(server: Server) -> None:
    token = server.command("token", "create", "--user", EMAIL, "--scope", "read")["token"]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=server.url, headers=headers) as client:
        assert client.get("/api/collections/users/records").json()["totalItems"] == 1
        enrolled = server.command("enrol", "new-1", "--user", EMAIL)
        found = client.get(f"/api/collections/systems/records/{enrolled['system_id']}")
        assert found.json()["name"] == "new-1"


def test_a_revoked_token_ends_at_once_and_so_does_its_feed(server: Server) -> None:
    made = server.command("token", "create", "--user", EMAIL, "--scope", "read")
    headers = {"Authorization": made["token"]}
    feed = server.url.replace("http", "ws", 1) + "/api/beszel/feed"
    with connect(feed, additional_headers=headers, open_timeout=10) as connection:
        connection.send('{"type":"subscribe","topics":["fleet"]}')
        assert json.loads(connection.recv(timeout=5))["type"] == "fleet"
        run([program("beszel-hub"), "token", "revoke", made["id"], "--dir", str(server.directory)], server.environment)
        assert httpx2.get(f"{server.url}/api/beszel/info", headers=headers).status_code == 401
        assert _read_to_the_end(connection) == 4401


def test_answers_on_a_kept_connection_are_not_delayed(server: Server) -> None:
    """With Nagle's algorithm on, each would wait for a delayed acknowledgement of 40 ms."""
    with httpx2.Client(base_url=server.url) as client:
        client.get("/api/health")
        started = time.monotonic()
        for _ in range(50):
            client.get("/api/health")
        assert time.monotonic() - started < 50 * 0.035


def test_it_serves_ipv6(tmp_path: Path) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    argv = [program("beszel-hub"), "serve", "--http", "[::1]:0", "--dir", str(tmp_path / "data")]
    with running(argv, clean_environment(tmp_path), tmp_path / "hub.log") as process:
        server = Server(tmp_path / "data", process)
        assert server.url.startswith("http://[::1]:")
        assert httpx2.get(f"{server.url}/api/health").status_code == 200


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_it_ends_within_two_seconds_with_open_connections(tmp_path: Path, number: str) -> None:
    with _start(tmp_path / "data") as process:
        server = Server(tmp_path / "data", process)
        server.create_admin()
        token = server.command("token", "create", "--user", EMAIL, "--scope", "read")["token"]
        port = int(server.url.rpartition(":")[2])
        feed = server.url.replace("http", "ws", 1) + "/api/beszel/feed"
        with (
            connect(feed, additional_headers={"Authorization": token}) as connection,
            socket.create_connection(("127.0.0.1", port)) as idle,
            socket.create_connection(("127.0.0.1", port)) as half,
            httpx2.Client(base_url=server.url) as kept,
            httpx2.stream("GET", f"{server.url}/api/realtime", headers={"Authorization": token}) as events,
        ):
            half.sendall(
                b"POST /api/collections/users/auth-with-password HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
            )
            kept.get("/api/health")
            started = time.monotonic()
            run(["kill", f"-{number}", str(process.pid)], server.environment)
            status = _wait(process)
            assert time.monotonic() - started < 2
            assert status == 0, process.text()
            assert _read_to_the_end(connection) == 1012
            assert idle.recv(10) == b""
            assert "PB_CONNECT" in "".join(events.iter_text())
        assert not (tmp_path / "data" / "address").exists()
        assert not (tmp_path / "data" / "data.db-wal").exists(), "the log is folded into the file"
        assert "Traceback" not in process.text()


def test_after_a_kill_it_starts_again(tmp_path: Path) -> None:
    with _start(tmp_path / "data") as process:
        server = Server(tmp_path / "data", process)
        server.create_admin()
        process.kill()
    (tmp_path / "data" / "address").unlink()
    with _start(tmp_path / "data") as process:
        server = Server(tmp_path / "data", process)
        body = {"identity": EMAIL, "password": PASSWORD}
        answer = httpx2.post(f"{server.url}/api/collections/users/auth-with-password", json=body)
        assert answer.status_code == 200


def test_settings_without_effect_are_named_in_the_log(tmp_path: Path) -> None:
    with _start(tmp_path / "data", OAUTH_DISABLE_POPUP="true") as process:
        Server(tmp_path / "data", process)
        wait_until("the warning", lambda: "OAUTH_DISABLE_POPUP has no effect yet" in process.text())


@pytest.mark.parametrize(
    ("proxies", "believed"), [("", "127.0.0.1"), ("192.0.2.0/24", "127.0.0.1"), ("127.0.0.0/8", "203.0.113.9")]
)
def test_forwarded_addresses_are_believed_from_trusted_proxies_only(
    tmp_path: Path, proxies: str, believed: str
) -> None:
    with _start(tmp_path / "data", TRUSTED_PROXIES=proxies) as process:
        server = Server(tmp_path / "data", process)
        headers = {"X-Forwarded-For": "203.0.113.9"}
        body = {"identity": "nobody", "password": PASSWORD}
        httpx2.post(f"{server.url}/api/collections/users/auth-with-password", json=body, headers=headers)
        wait_until("the log says who", lambda: f"failed login from {believed}\n" in process.text())


def _read_to_the_end(connection: ClientConnection) -> int | None:
    """The code it is closed with."""
    with suppress(websockets.ConnectionClosed):
        while True:
            connection.recv(timeout=5)
    return connection.close_code


def _wait(process: Process) -> int:
    wait_until("the server ends", lambda: not process.is_running, timeout_seconds=5)
    status = process._popen.returncode
    assert status is not None
    return int(status)
