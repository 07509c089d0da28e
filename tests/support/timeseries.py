"""Real databases for time series, started for a test: Prometheus and InfluxDB 1 as Debian packages them."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2

from tests.support.programs import clean_environment, free_port, running, wait_until
from tests.support.services import need_program

INFLUX_USER: Final = "writer"
INFLUX_PASSWORD: Final = "long and secret"
INFLUX_AUTHORIZATION: Final = "Basic " + base64.b64encode(f"{INFLUX_USER}:{INFLUX_PASSWORD}".encode()).decode()
START_SECONDS: Final = 30


class Prometheus:
    def __init__(self, url: str) -> None:
        self.url = url
        self.write_url = f"{url}/api/v1/write"

    def query(self, expression: str) -> list[dict[str, Any]]:
        answer = httpx2.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=10)
        found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
        return found


@contextmanager
def running_prometheus(directory: Path, scrape: str = "") -> Iterator[Prometheus]:
    """One that takes remote-write; `scrape` is a list item of `scrape_configs` in YAML."""
    program = need_program("prometheus")
    config = directory / "prometheus.yml"
    config.write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs:\n{scrape}\n" if scrape else "global: {}\n")
    url = f"http://127.0.0.1:{free_port()}"
    argv = [
        program, f"--config.file={config}", f"--storage.tsdb.path={directory / 'tsdb'}",
        f"--web.listen-address={url.removeprefix('http://')}", "--web.enable-remote-write-receiver",
    ]  # fmt: skip
    with running(argv, clean_environment(directory), directory / "prometheus.log"):
        wait_until("Prometheus is ready", lambda: _answers(f"{url}/-/ready"), START_SECONDS)
        yield Prometheus(url)


class Influx:
    def __init__(self, url: str) -> None:
        self.url = url
        self.write_url = f"{url}/write?db=beszel"

    def query(self, text: str) -> list[dict[str, Any]]:
        """Rows of the only series of the answer, as dictionaries."""
        answer = httpx2.get(
            f"{self.url}/query", params={"db": "beszel", "q": text, "epoch": "ms"},
            headers={"Authorization": INFLUX_AUTHORIZATION}, timeout=10,
        ).raise_for_status().json()  # fmt: skip
        series = answer["results"][0].get("series", [])
        return [dict(zip(one["columns"], row, strict=True)) for one in series for row in one["values"]]


@contextmanager
def running_influx(directory: Path) -> Iterator[Influx]:
    """One with the database `beszel`, which wants to be written to with `INFLUX_AUTHORIZATION`."""
    program = need_program("influxd")
    url, other_port = f"http://127.0.0.1:{free_port()}", free_port()
    config = directory / "influxdb.conf"
    config.write_text(
        f"""
        reporting-disabled = true
        bind-address = "127.0.0.1:{other_port}"
        [meta]
          dir = "{directory}/meta"
        [data]
          dir = "{directory}/data"
          wal-dir = "{directory}/wal"
        [monitor]
          store-enabled = false
        [http]
          bind-address = "{url.removeprefix("http://")}"
          auth-enabled = true
        """
    )
    with running([program, "run", "-config", str(config)], clean_environment(directory), directory / "influxdb.log"):
        wait_until("InfluxDB is ready", lambda: _answers(f"{url}/ping"), START_SECONDS)
        create = f"CREATE USER {INFLUX_USER} WITH PASSWORD '{INFLUX_PASSWORD}' WITH ALL PRIVILEGES"
        httpx2.post(f"{url}/query", data={"q": create}, timeout=10).raise_for_status()
        httpx2.post(
            f"{url}/query", data={"q": "CREATE DATABASE beszel"}, headers={"Authorization": INFLUX_AUTHORIZATION},
            timeout=10,
        ).raise_for_status()  # fmt: skip
        yield Influx(url)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=2).is_success
    except httpx2.TransportError:
        return False
