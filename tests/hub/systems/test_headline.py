from beszel_hub.systems.headline import make_headline, make_info
from beszel_protocol.sample import BatteryMetrics, CpuMetrics, GpuMetrics, Metrics, NetworkMetrics, ServiceMetrics
from beszel_protocol.storage import DiskMetrics
from tests.support.samples import make_metrics


def test_a_headline_reads_the_numbers_of_the_fleet_screen() -> None:
    headline = make_headline(make_metrics(41.2))
    assert (headline.cpu_percent, headline.memory_percent, headline.disk_percent) == (41.2, 25.0, 30.0)
    assert (headline.sent_bytes_per_second, headline.recv_bytes_per_second) == (10.0, 20.0)
    assert (headline.load_average, headline.temperature_celsius) == ([0.8, 0.6, 0.4], 54.0)


def test_what_a_host_cannot_tell_stays_unknown() -> None:
    headline = make_headline(Metrics())
    assert all(getattr(headline, name) is None for name in headline.__struct_fields__)
    assert make_info(Metrics(), agent_version="", threads=None) == {"ct": 2}


def test_info_has_beszels_short_keys() -> None:
    metrics = Metrics(
        cpu=CpuMetrics(usage_percent=12.345, load_average=[1.0, 2.0, 3.0]),
        disk={"/": DiskMetrics(usage_percent=10.0), "/srv": DiskMetrics(usage_percent=20.004)},
        network=NetworkMetrics(sent_bytes_per_second=100.4, recv_bytes_per_second=200.3),
        temperatures={"a": 40.0, "b": 51.5},
        gpus={"0": GpuMetrics(usage_percent=7.0), "1": GpuMetrics(usage_percent=9.0)},
        batteries={"BAT0": BatteryMetrics(charge_percent=87.0, state="discharging")},
        services=ServiceMetrics(total=61, failed=1),
        uptime_seconds=86400.7,
    )
    assert make_info(metrics, agent_version="0.1.0", threads=8) == {
        "t": 8, "u": 86400, "cpu": 12.35, "dp": 10.0, "bb": 301, "v": "0.1.0", "g": 9.0, "dt": 51.5,
        "la": [1.0, 2.0, 3.0], "ct": 2, "efs": {"/srv": 20.0}, "sv": [61, 1], "bat": [87, 4],
    }  # fmt: skip


def test_a_host_without_sensors_shows_its_hottest_gpu() -> None:
    gpus = {"0": GpuMetrics(temperature_celsius=60.0), "1": GpuMetrics(temperature_celsius=71.0)}
    assert make_headline(Metrics(gpus=gpus)).temperature_celsius == 71.0


def test_the_sensor_that_the_owner_chose_stands_for_the_host() -> None:
    metrics = Metrics(temperatures={"disk": 55.0, "package": 48.0}, primary_temperature_celsius=48.0)
    assert make_headline(metrics).temperature_celsius == 48.0


def test_the_only_disk_counts_as_the_root() -> None:
    assert make_headline(Metrics(disk={"C:": DiskMetrics(usage_percent=5.0)})).disk_percent == 5.0
    two = {"C:": DiskMetrics(usage_percent=5.0), "D:": DiskMetrics(usage_percent=6.0)}
    assert make_headline(Metrics(disk=two)).disk_percent is None
