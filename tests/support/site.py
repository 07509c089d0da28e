"""A whole site on loopback: a hub with its first admin, and agents enrolled at it, all of them installed programs."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.support.databases import provide
from tests.support.programs import Process, clean_environment, free_port, program, run, run_json, running, wait_until

ADMIN = "ada@example.org"
PASSWORD = "correct horse battery"


class Site:
    """Made by `open_site`."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.directory = directory
        self.data_dir = provide(directory / "hub")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = clean_environment(directory)
        self._stack = stack
        self.hub = self.start_hub()

    def start_hub(self) -> Process:
        argv = [program("beszel-hub"), "serve", "--http", f"127.0.0.1:{self.port}", "--dir", str(self.data_dir)]
        self.hub = self._start(argv, "hub.log")
        wait_until("the hub answers", self._is_healthy)
        return self.hub

    def command(self, *arguments: str, stdin: str = "") -> str:
        """What the hub's command line prints, beside the running hub."""
        return run([program("beszel-hub"), *arguments, "--dir", str(self.data_dir)], self.environment, stdin=stdin)

    def create_admin(self) -> None:
        self.command("user", "create", ADMIN, "--role", "admin", "--password-file", "-", stdin=PASSWORD)

    def enrol(self, name: str) -> dict[str, str]:
        enrolled: dict[str, str] = json.loads(self.command("enrol", name, "--user", ADMIN, "--json"))
        return enrolled

    def create_token(self, scope: str = "read") -> str:
        token: str = json.loads(self.command("token", "create", "--user", ADMIN, "--scope", scope, "--json"))["token"]
        return token

    def start_agent(self, enrolled: dict[str, str], name: str = "agent", **settings: str) -> Process:
        environment = clean_environment(
            self.directory,
            KEY=enrolled["key"],
            TOKEN=enrolled["token"],
            HUB_URL=enrolled["hub_url"],
            DATA_DIR=str(self.directory / name),
            **settings,
        )
        return self._start([program("beszel-agent"), "run"], f"{name}.log", environment)

    def status(self, token: str) -> list[dict[str, Any]]:
        """The systems as `beszel-tui status --json` prints them; it ends with 1 while one of them is not up."""
        environment = clean_environment(self.directory, BESZEL_HUB=self.url, BESZEL_TOKEN=token)
        document = run_json([program("beszel-tui"), "status", "--json"], environment, expect=(0, 1))
        systems: list[dict[str, Any]] = document["systems"]
        return systems

    def get(self, path: str, token: str, **query: str | int) -> Any:
        """A JSON answer of the API."""
        url = f"{self.url}{path}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return json.load(response)

    def post(self, path: str, token: str, body: dict[str, Any]) -> Any:
        """The JSON answer of the API to a JSON body."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        content = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data=content, headers=headers)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return json.load(response)

    def list_all(self, collection: str, token: str, **query: str | int) -> list[dict[str, Any]]:
        """Every record of a list, page by page."""
        records: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = self.get(f"/api/collections/{collection}/records", token, page=page, perPage=1000, **query)
            records += answer["items"]
            if page >= answer["totalPages"]:
                return records
            page += 1

    def _start(self, argv: list[str], log: str, environment: dict[str, str] | None = None) -> Process:
        return self._stack.enter_context(running(argv, environment or self.environment, self.directory / log))

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/health", timeout=2) as response:  # noqa: S310
                return bool(json.load(response)["code"] == 200)
        except OSError:
            assert self.hub.is_running, f"the hub ended:\n{self.hub.text()}"
            return False


@contextmanager
def open_site(directory: Path) -> Iterator[Site]:
    """A running hub with its first admin; whatever it started is gone when the block ends."""
    with ExitStack() as stack:
        site = Site(directory, stack)
        site.create_admin()
        yield site
