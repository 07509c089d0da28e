"""Samples arrive in real servers: Prometheus by remote-write and by scraping, InfluxDB by line protocol."""

from pathlib import Path

from beszel_hub.metrics.ingest import LiveSample
from beszel_hub.systems.queries import set_status
from beszel_protocol.sample import CpuMetrics, Metrics
from beszel_protocol.storage import DiskMetrics
from tests.support.exports import arrive
from tests.support.programs import wait_until
from tests.support.runninghub import RunningHub, running_hub
from tests.support.samples import make_metrics
from tests.support.timeseries import INFLUX_AUTHORIZATION, running_influx, running_prometheus

HOSTILE = 'a,b =c"d\\e, f\\'


def tell(hub: RunningHub, system_id: str, metrics: Metrics, age_ms: int = 0) -> int:
    """A sample arrives; the instant of it."""
    instant_ms = hub.hub.clock() - age_ms
    arrive(hub, LiveSample(system_id, instant_ms, instant_ms, metrics))
    return instant_ms


def test_prometheus_takes_every_series_by_remote_write(tmp_path: Path) -> None:
    with running_prometheus(tmp_path) as prometheus:
        settings = {"remote_write_url": prometheus.write_url, "push_interval_seconds": 1}
        with running_hub(tmp_path / "hub", **settings) as hub:
            system_id, _ = hub.create_system(HOSTILE)
            tell(hub, system_id, make_metrics(10.0), age_ms=4000)
            tell(hub, system_id, make_metrics(20.0), age_ms=2000)
            instant_ms = tell(hub, system_id, make_metrics(33.5))
            (usage,) = wait_until(
                "three points",
                lambda: [
                    found
                    for found in prometheus.query("beszel_cpu_usage_percent[1m]")
                    if len(found["values"]) == 3
                ] or None,
            )  # fmt: skip
            assert [float(value) for _, value in usage["values"]] == [10.0, 20.0, 33.5]
            assert round(usage["values"][-1][0] * 1000) == instant_ms
            assert usage["metric"] == {
                "__name__": "beszel_cpu_usage_percent", "system": HOSTILE, "system_id": system_id,
            }  # fmt: skip
            disks = prometheus.query("beszel_disk_usage_percent")
            assert {found["metric"]["disk"]: found["value"][1] for found in disks} == {"/": "30", "/mnt/v1.2": "50"}
            assert prometheus.query("beszel_network_sent_bytes_total")[0]["value"][1] == "1000"
            assert hub.hub.push.outboxes[0].dropped == 0


def test_prometheus_scrapes_the_hub(tmp_path: Path) -> None:
    with running_hub(tmp_path / "hub") as hub:
        token_file = tmp_path / "token"
        token_file.write_text(hub.create_token(hub.create_user("ada@example.org", "admin")))
        up, _ = hub.create_system("up")
        hub.create_system("down")
        scrape = f"""
  - job_name: beszel
    metrics_path: /api/beszel/metrics
    authorization: {{credentials_file: {token_file}}}
    static_configs: [{{targets: ["127.0.0.1:{hub.port}"]}}]
"""
        tell(hub, up, make_metrics(33.5))
        hub.hub.database.write_now(lambda: set_status(up, "up", hub.hub.clock()))
        hub.refresh()
        with running_prometheus(tmp_path, scrape) as prometheus:
            (usage,) = wait_until("a scrape", lambda: prometheus.query("beszel_cpu_usage_percent") or None)
            assert (usage["metric"]["system"], usage["value"][1]) == ("up", "33.5")
            (health,) = prometheus.query('up{job="beszel"}')
            assert health["value"][1] == "1"
            states = {found["metric"]["system"]: found["value"][1] for found in prometheus.query("beszel_system_up")}
            assert states == {"up": "1", "down": "0"}


def test_influx_takes_every_series_as_lines(tmp_path: Path) -> None:
    with running_influx(tmp_path) as influx:
        settings = {
            "influx_url": influx.write_url, "influx_authorization": INFLUX_AUTHORIZATION, "push_interval_seconds": 1,
        }  # fmt: skip
        with running_hub(tmp_path / "hub", **settings) as hub:
            system_id, _ = hub.create_system(HOSTILE)
            metrics = Metrics(
                cpu=CpuMetrics(usage_percent=12.5, load_average=[1.5, 2.5, 3.5]),
                disk={HOSTILE: DiskMetrics(total_bytes=100, usage_percent=7.0)},
                temperatures={"core 0": 54.0},
                uptime_seconds=99.0,
            )
            instant_ms = tell(hub, system_id, metrics)
            (cpu,) = wait_until("a line", lambda: influx.query("SELECT * FROM beszel_cpu") or None)
            trimmed = HOSTILE.rstrip("\\")
            assert cpu == {
                "time": instant_ms, "system": trimmed, "system_id": system_id, "usage_percent": 12.5,
            }  # fmt: skip
            (disk,) = influx.query("SELECT * FROM beszel_disk")
            assert (disk["disk"], disk["total_bytes"], disk["usage_percent"]) == (trimmed, 100, 7)
            (temperature,) = influx.query("SELECT * FROM beszel_temperature")
            assert (temperature["sensor"], temperature["value"]) == ("core 0", 54)
            loads = influx.query("SELECT * FROM beszel_cpu_load_average")
            assert {row["minutes"]: row["value"] for row in loads} == {"1": 1.5, "5": 2.5, "15": 3.5}
            assert influx.query("SELECT uptime_seconds FROM beszel_host")[0]["uptime_seconds"] == 99
            assert hub.hub.push.outboxes[0].dropped == 0
