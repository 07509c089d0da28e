"""Sensors, power and graphics processors of the demonstration."""

from typing import Final

from beszel_protocol.sample import BatteryMetrics, GpuMetrics, GpuProcess, Metrics, UpsMetrics
from beszel_tui.state.demo_hosts import Host
from beszel_tui.state.waves import noise, wave

_GIB: Final = 1 << 30
_STORAGE: Final = "storage"


def demo_temperatures(host: Host, at_ms: int) -> dict[str, float] | None:
    """None where nothing is measured, as on virtual machines."""
    if host.celsius is None:
        return None
    celsius = host.celsius
    readings = {
        "coretemp_package": celsius + 3 * noise(host.name + "t", at_ms, 60),
        "nvme_composite": celsius * 0.8 + 2 * noise(host.name + "n", at_ms, 130),
    }
    if host.cores >= 8:
        readings["acpi_board"] = 31 + noise(host.name + "b", at_ms, 900)
    return readings


def demo_fans(host: Host, at_ms: int) -> dict[str, float] | None:
    if host.celsius is None or host.cores < 8:
        return None
    turns = 400 + host.celsius * 18
    return {
        "nct6775_fan1": round(turns + 60 * noise(host.name + "f1", at_ms, 80)),
        "nct6775_fan2": round(turns * 0.8 + 40 * noise(host.name + "f2", at_ms, 90)),
    }


def demo_power(host: Host, at_ms: int) -> Metrics:
    """Batteries of what people carry about, uninterruptible power of what stores their data."""
    if host.name.startswith("dev-"):
        charge = 15.0 + 70 * wave(host.name + "charge", at_ms, 5400)
        battery = BatteryMetrics(
            charge_percent=round(min(99.0, charge)), state="discharging", health_percent=91.0,
            power_watts=9 + 6 * wave(host.name + "watts", at_ms, 45),
        )  # fmt: skip
        return Metrics(batteries={"BAT0": battery})
    if _STORAGE in host.tags:
        load = 22 + 6 * noise(host.name + "ups", at_ms, 120)
        ups = UpsMetrics(
            charge_percent=100.0, load_percent=load, runtime_seconds=2400 - 12 * load, power_watts=load * 4.2,
            on_battery=0, status="OL",
        )  # fmt: skip
        return Metrics(ups={"rack": ups})
    return Metrics()


def demo_gpus(host: Host, at_ms: int) -> dict[str, GpuMetrics] | None:
    if host.name.startswith("gpu"):
        return {str(number): _accelerator(host, number, at_ms) for number in range(2)}
    if host.name == "media":
        return {"card0": _integrated(host, at_ms)}
    return None


def _accelerator(host: Host, number: int, at_ms: int) -> GpuMetrics:
    seed = f"{host.name}gpu{number}"
    busy = 30 + 55 * wave(seed, at_ms, 70) if number == 0 else 3 + 4 * wave(seed, at_ms, 70)
    used = (0.74 if number == 0 else 0.08) * 24 * _GIB
    return GpuMetrics(
        name="NVIDIA RTX 6000 Ada",
        usage_percent=busy,
        memory_used_bytes=int(used),
        memory_total_bytes=24 * _GIB,
        power_watts=40 + busy * 2.4,
        temperature_celsius=38 + busy * 0.4,
        engines_percent={"encoder": 0.0, "decoder": busy * 0.1},
        processes=[GpuProcess(pid=41200 + number, name="python", memory_bytes=int(used * 0.9))],
    )


def _integrated(host: Host, at_ms: int) -> GpuMetrics:
    busy = 40 * wave(host.name + "gpu", at_ms, 50)
    return GpuMetrics(
        name="Intel UHD 730",
        usage_percent=busy,
        power_watts=2 + busy / 9,
        package_power_watts=12 + busy / 4,
        engines_percent={"video": busy, "render": busy * 0.4, "copy": busy * 0.05},
    )
