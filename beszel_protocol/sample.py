"""The sample: everything an agent reads at one instant, each metric declared on its field, here or in `storage`.

What a host cannot tell is absent (`None` here, missing on the wire), never 0. Units stand in the names; every
`cpu_percent` is a share of the whole host, 0-100. A counter and its rate stand side by side.
"""

from functools import cache
from typing import Annotated

from beszel_protocol import kinds
from beszel_protocol.metrics import Keyed, Metric, Rollup, Unit, read_catalogue
from beszel_protocol.part import Part
from beszel_protocol.storage import ArrayMetrics, DiskMetrics, PoolMetrics, SmartMetrics


class CpuMetrics(Part, frozen=True, kw_only=True):
    """Shares of all processors together; idle is what is left of 100 after usage and iowait."""

    usage_percent: Annotated[float, kinds.percent("CPU")] | None = None
    user_percent: Annotated[float, kinds.share("CPU user")] | None = None
    system_percent: Annotated[float, kinds.share("CPU system")] | None = None
    iowait_percent: Annotated[float, kinds.share("CPU waiting for I/O")] | None = None
    steal_percent: Annotated[float, kinds.share("CPU stolen by the hypervisor")] | None = None
    cores_percent: list[Annotated[float, kinds.share("CPU core")]] | None = None
    load_average: list[Annotated[float, kinds.load("Load average")]] | None = None
    """Over 1, 5 and 15 minutes, in this order."""
    pressure_percent: Annotated[float, kinds.percent("CPU pressure")] | None = None
    """PSI `some avg10`: share of time in which a task waited for a processor."""
    pressure_full_percent: Annotated[float, kinds.percent("CPU pressure on all")] | None = None
    """PSI `full avg10`; of a whole host the kernel does not tell it for processors."""
    context_switches_per_second: Annotated[float, kinds.events("Context switches")] | None = None
    interrupts_per_second: Annotated[float, kinds.events("Interrupts")] | None = None


class MemoryMetrics(Part, frozen=True, kw_only=True):
    total_bytes: Annotated[int, kinds.total("Memory size")] | None = None
    used_bytes: Annotated[int, kinds.level_bytes("Memory used")] | None = None
    usage_percent: Annotated[float, kinds.percent("Memory")] | None = None
    cache_bytes: Annotated[int, kinds.level_bytes("Memory cache and buffers")] | None = None
    zfs_arc_bytes: Annotated[int, kinds.level_bytes("ZFS ARC")] | None = None
    """What ZFS keeps cached, which is neither in `used_bytes` nor in `cache_bytes`."""
    swap_total_bytes: Annotated[int, kinds.total("Swap size")] | None = None
    swap_used_bytes: Annotated[int, kinds.level_bytes("Swap used")] | None = None
    pressure_percent: Annotated[float, kinds.percent("Memory pressure")] | None = None
    pressure_full_percent: Annotated[float, kinds.percent("Memory pressure on all")] | None = None
    """PSI `full avg10`: share of time in which no task could go on for want of memory."""


class IoMetrics(Part, frozen=True, kw_only=True):
    """Of all block devices together."""

    pressure_percent: Annotated[float, kinds.percent("I/O pressure")] | None = None
    pressure_full_percent: Annotated[float, kinds.percent("I/O pressure on all")] | None = None


class InterfaceMetrics(Part, frozen=True, kw_only=True):
    bytes_sent: Annotated[int, kinds.total("Interface bytes sent")] | None = None
    bytes_recv: Annotated[int, kinds.total("Interface bytes received")] | None = None
    sent_bytes_per_second: Annotated[float, kinds.rate("Interface sent")] | None = None
    recv_bytes_per_second: Annotated[float, kinds.rate("Interface received")] | None = None
    link_bytes_per_second: Annotated[float, kinds.capacity("Interface speed")] | None = None
    """What the link can carry each way, by its own account; absent while it is down."""
    errors: Annotated[int, kinds.count("Interface errors")] | None = None
    drops: Annotated[int, kinds.count("Interface drops")] | None = None


class NetworkMetrics(Part, frozen=True, kw_only=True):
    """The interfaces that count, together.

    The totals hold what every one of them carried since it came up, also of those that are gone or were reset since the
    agent started. They fall at a reboot, and where the agent starts anew after an interface has gone.
    """

    bytes_sent: Annotated[int, kinds.total("Network bytes sent")] | None = None
    bytes_recv: Annotated[int, kinds.total("Network bytes received")] | None = None
    sent_bytes_per_second: Annotated[float, kinds.rate("Network sent")] | None = None
    recv_bytes_per_second: Annotated[float, kinds.rate("Network received")] | None = None
    interfaces: dict[str, InterfaceMetrics] | None = None


class BatteryMetrics(Part, frozen=True, kw_only=True):
    charge_percent: Annotated[float, Metric(label="Battery", unit=Unit.PERCENT, alarm=True)] | None = None
    state: str | None = None
    """`charging`, `discharging`, `full`, `idle` (on mains, neither) or `empty`."""
    power_watts: Annotated[float, kinds.power("Battery power")] | None = None
    """Into it or out of it, as the state says."""
    health_percent: Annotated[float, Metric(label="Battery health", unit=Unit.PERCENT, rollup=Rollup.LAST)] | None = (
        None
    )
    """What it holds when full, of what it was made to hold."""


class UpsMetrics(Part, frozen=True, kw_only=True):
    charge_percent: Annotated[float, Metric(label="UPS charge", unit=Unit.PERCENT, alarm=True)] | None = None
    load_percent: Annotated[float, kinds.percent("UPS load")] | None = None
    runtime_seconds: Annotated[float, Metric(label="UPS runtime left", unit=Unit.SECONDS, alarm=True)] | None = None
    power_watts: Annotated[float, kinds.power("UPS power")] | None = None
    on_battery: Annotated[int, kinds.failures("UPS on battery")] | None = None
    """1 while it feeds the load from its battery, else 0."""
    status: str | None = None
    """The words of NUT's `ups.status`, such as `OL CHRG` or `OB LB`."""


class GpuProcess(Part, frozen=True, kw_only=True):
    """One that holds memory of a GPU; too short-lived to be a series."""

    pid: int
    name: str | None = None
    memory_bytes: int | None = None


class GpuMetrics(Part, frozen=True, kw_only=True):
    name: str | None = None
    state: str | None = None
    """`suspended` while it sleeps, `idle` while it is left alone so that it can fall asleep; reading more would keep it
    awake."""
    usage_percent: Annotated[float, kinds.percent("GPU")] | None = None
    memory_used_bytes: Annotated[int, kinds.level_bytes("GPU memory used")] | None = None
    memory_total_bytes: Annotated[int, kinds.total("GPU memory size")] | None = None
    power_watts: Annotated[float, kinds.power("GPU power")] | None = None
    package_power_watts: Annotated[float, kinds.power("Power of the GPU's package")] | None = None
    """Of the whole chip or board, where the GPU shares it with others or is told apart from it."""
    temperature_celsius: (
        Annotated[float, Metric(label="GPU temperature", unit=Unit.CELSIUS, peak=True, alarm=True)] | None
    ) = None
    engines_percent: dict[str, Annotated[float, kinds.percent("GPU engine")]] | None = None
    """Parts of the GPU that work side by side: `render`, `video`, `encoder` …; `usage_percent` is not their sum."""
    processes: list[GpuProcess] | None = None
    """Those that hold the most memory, largest first."""


class ContainerMetrics(Part, frozen=True, kw_only=True):
    id: str
    name: str
    cpu_percent: Annotated[float, kinds.percent("Container CPU")] | None = None
    """A share of the whole host."""
    memory_bytes: Annotated[int, kinds.level_bytes("Container memory")] | None = None
    """Without the file cache that the kernel can take back at once."""
    memory_percent: Annotated[float, kinds.percent("Container memory of its limit")] | None = None
    """Absent where it has no limit."""
    pids: Annotated[int, kinds.count("Container processes and threads")] | None = None
    throttled_percent: Annotated[float, kinds.percent("Container CPU throttled")] | None = None
    """Share of the periods in which its CPU limit held it back; absent where it has none."""
    oom_kills: Annotated[int, kinds.failures("Container processes killed for want of memory")] | None = None
    """Since it was started."""
    restarts: Annotated[int, kinds.failures("Container restarts")] | None = None
    """Made by the engine's restart policy, as the engine counts them."""
    network_rx: Annotated[int, kinds.total("Container bytes received")] | None = None
    network_tx: Annotated[int, kinds.total("Container bytes sent")] | None = None
    rx_bytes_per_second: Annotated[float, kinds.rate("Container received")] | None = None
    tx_bytes_per_second: Annotated[float, kinds.rate("Container sent")] | None = None
    read_bytes_per_second: Annotated[float, kinds.rate("Container disk read")] | None = None
    write_bytes_per_second: Annotated[float, kinds.rate("Container disk write")] | None = None
    health: str | None = None
    """`starting`, `healthy` or `unhealthy`; absent where nobody checks."""
    status: str | None = None
    """The engine's words without a running clock: `Up`, `Up (Paused)`. What else seldom changes is told by
    `ContainerFacts`."""


class ProcessMetrics(Part, frozen=True, kw_only=True):
    """One of the busiest processes; too short-lived to be a series. Kernel threads stand in brackets."""

    pid: int
    name: str
    user: str | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    read_bytes_per_second: float | None = None
    """From and to disks. Absent where the agent may not know, as of other users' processes."""
    write_bytes_per_second: float | None = None
    container: str | None = None
    """The first 12 digits of its id, or its name where the engine has names only."""
    unit: str | None = None
    """The systemd unit, `nginx.service`."""
    parent: int | None = None
    """The pid of what started it, or took it over. Only in answers to the action `processes`; absent for the first."""


class ProcessCounts(Part, frozen=True, kw_only=True):
    """All processes together; totals come as often as the agent looks at each of them."""

    running: Annotated[int, kinds.level("Processes running")] | None = None
    blocked: Annotated[int, kinds.level("Processes blocked by I/O")] | None = None
    forks_per_second: Annotated[float, kinds.events("Processes started")] | None = None
    total: Annotated[int, kinds.level("Processes")] | None = None
    """Without kernel threads."""
    threads: Annotated[int, kinds.level("Threads of processes")] | None = None
    kernel_threads: Annotated[int, kinds.level("Kernel threads")] | None = None
    zombies: Annotated[int, kinds.level("Zombie processes")] | None = None
    by_name: dict[str, Annotated[int, kinds.level("Processes by name")]] | None = None
    """How many there are of each pattern of names that the hub asks for; zombies are none."""


class ServiceUnitMetrics(Part, frozen=True, kw_only=True):
    """One service that its manager has started; read less often than every sample."""

    state: str | None = None
    """As the manager calls it: `active`, `failed` …"""
    sub_state: str | None = None
    cpu_percent: Annotated[float, kinds.percent("Service CPU")] | None = None
    memory_bytes: Annotated[int, kinds.level_bytes("Service memory")] | None = None
    memory_peak_bytes: Annotated[int, kinds.total("Service memory peak")] | None = None
    restarts: Annotated[int, kinds.count("Service restarts")] | None = None


class CheckMetrics(Part, frozen=True, kw_only=True):
    """What came of checking another service from here. Not in every sample: only in the next after it was checked.

    Where the check could not be made at all there are no numbers, and `state` says why.
    """

    severity: Annotated[int, kinds.severity("Check health")] | None = None
    """2 if it is down, 1 if it is up on a certificate that ends soon."""
    state: str | None = None
    """Why it is of this severity, in words."""
    up: Annotated[int, Metric(label="Check up", unit=Unit.COUNT, alarm=True)] | None = None
    """1 if it did what was asked of it, else 0; its mean is the share of checks that went well."""
    latency_ms: (
        Annotated[float, Metric(label="Check latency", unit=Unit.MILLISECONDS, peak=True, alarm=True)] | None
    ) = None
    """From the first packet to the answer: the connection, the echo, the head of the last page. Looking up the name is
    not part of it."""
    status_code: Annotated[int, kinds.count("Check HTTP status")] | None = None
    certificate_expires_seconds: (
        Annotated[float, Metric(label="Certificate valid for", unit=Unit.SECONDS, rollup=Rollup.LAST, alarm=True)]
        | None
    ) = None
    """Of the certificate that ends first, where redirects lead to several; 0 from then on."""


class ServiceMetrics(Part, frozen=True, kw_only=True):
    total: Annotated[int, kinds.count("Services")] | None = None
    failed: Annotated[int, kinds.failures("Failed services")] | None = None
    units: dict[str, ServiceUnitMetrics] | None = None


class KernelMetrics(Part, frozen=True, kw_only=True):
    file_handles: Annotated[int, kinds.level("File handles open")] | None = None
    file_handles_limit: Annotated[int, kinds.count("File handles possible")] | None = None
    """Absent where there is no limit."""
    entropy_bits: Annotated[int, kinds.count("Entropy")] | None = None


class ClockMetrics(Part, frozen=True, kw_only=True):
    """What the kernel was told about its clock by whoever disciplines it."""

    unsynchronized: Annotated[int, kinds.flag("Clock not synchronized")] | None = None
    offset_ms: Annotated[float, Metric(label="Clock offset", unit=Unit.MILLISECONDS, peak=True, alarm=True)] | None = (
        None
    )
    """How much the clock is off, to either side, and still to be corrected."""
    max_error_ms: Annotated[float, Metric(label="Clock error at most", unit=Unit.MILLISECONDS, peak=True)] | None = None


class LoginMetrics(Part, frozen=True, kw_only=True):
    sessions: Annotated[int, kinds.level("Login sessions")] | None = None
    users: Annotated[int, kinds.level("Users logged in")] | None = None
    names: list[str] | None = None


class UpdateMetrics(Part, frozen=True, kw_only=True):
    """Packages of the distribution, as of the last time that its own tools asked for news."""

    pending: Annotated[int, kinds.level("Package updates")] | None = None
    security: Annotated[int, kinds.level("Security updates")] | None = None
    reboot_required: Annotated[int, kinds.flag("Reboot required")] | None = None


class Metrics(Part, frozen=True, kw_only=True):
    """Everything read at one instant, by what it is about."""

    cpu: CpuMetrics | None = None
    memory: MemoryMetrics | None = None
    io: IoMetrics | None = None
    disk: dict[str, DiskMetrics] | None = None
    arrays: dict[str, ArrayMetrics] | None = None
    """By kernel name: `md0`."""
    pools: dict[str, PoolMetrics] | None = None
    """By name; a btrfs without a label by its UUID."""
    smart: dict[str, SmartMetrics] | None = None
    """By serial number, or by kernel name where a disk tells none. Not in every sample."""
    network: NetworkMetrics | None = None
    temperatures: (
        dict[str, Annotated[float, Metric(label="Temperature", unit=Unit.CELSIUS, peak=True, alarm=True)]] | None
    ) = None
    primary_temperature_celsius: (
        Annotated[float, Metric(label="Host temperature", unit=Unit.CELSIUS, peak=True, alarm=True)] | None
    ) = None
    """Of the sensor that the host's owner chose to stand for it."""
    fans: dict[str, Annotated[float, Metric(label="Fan", unit=Unit.RPM, alarm=True)]] | None = None
    batteries: dict[str, BatteryMetrics] | None = None
    """The one that stands for the host comes first."""
    ups: dict[str, UpsMetrics] | None = None
    gpus: dict[str, GpuMetrics] | None = None
    containers: Annotated[list[ContainerMetrics], Keyed("name")] | None = None
    top_processes: list[ProcessMetrics] | None = None
    processes: ProcessCounts | None = None
    services: ServiceMetrics | None = None
    checks: dict[str, CheckMetrics] | None = None
    """By the name that the hub has given the check. Not in every sample."""
    kernel: KernelMetrics | None = None
    clock: ClockMetrics | None = None
    logins: LoginMetrics | None = None
    updates: UpdateMetrics | None = None
    custom: dict[str, Annotated[float, Metric(label="Custom", unit=Unit.NUMBER, peak=True, alarm=True)]] | None = None
    """What scripts of the host's owner wrote, by name and labels as Prometheus writes them: `backup_size{job="db"}`."""
    custom_age_seconds: (
        dict[str, Annotated[float, Metric(label="Custom metrics last written", unit=Unit.SECONDS, alarm=True)]] | None
    ) = None
    """By file."""
    uptime_seconds: Annotated[float, Metric(label="Uptime", unit=Unit.SECONDS, rollup=Rollup.LAST)] | None = None


@cache
def catalogue() -> dict[str, Metric]:
    """Every metric of a sample by its pattern (`cpu.usage_percent`, `disk[].usage_percent`)."""
    return read_catalogue(Metrics)
