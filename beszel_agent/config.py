"""The agent's settings: flags, then `BESZEL_AGENT_<NAME>`, then `<NAME>`, then one TOML file, then defaults.

A value that does not parse, an unknown `BESZEL_AGENT_*` variable and an unknown key of the file are errors; nothing is
guessed. Names that belong to a later version are known and only named in a warning.
"""

import functools
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, get_type_hints

import msgspec

from beszel_agent.errors import ConfigError
from beszel_agent.log import LEVELS
from beszel_agent.settings import (
    CHECKS_CHOICES,
    EngineHost,
    HubUrl,
    LaterSetting,
    NamedDisk,
    Setting,
    SmartDevice,
    SpoolLimit,
    parse_checks,
    parse_choice,
    parse_engine_hosts,
    parse_flag,
    parse_hub_keys,
    parse_hub_url,
    parse_interval,
    parse_known_names,
    parse_named_disk,
    parse_named_disks,
    parse_names,
    parse_seconds,
    parse_smart_device,
    parse_smart_interval,
    parse_spool_limit,
    parse_text,
    parse_timeout,
)
from beszel_agent.system import host_system, settings_file

PREFIX: Final = "BESZEL_AGENT_"
DEFAULT_FILE: Final = settings_file(host_system())
FILE_SUFFIX: Final = "_FILE"
_MAX_FILE_BYTES: Final = 1 << 20
_OTHERS_MAY_READ: Final = 0o004
GPU_READERS: Final = ("nvml", "amd_sysfs", "intel_sysfs", "jetson")
GPU_TOOLS: Final[Mapping[str, str]] = {
    "nvidia-smi": "nvml", "rocm-smi": "amd_sysfs", "intel_gpu_top": "intel_sysfs", "tegrastats": "jetson",
    "nvtop": "", "macmon": "", "powermetrics": "",
}  # fmt: skip
"""Programs that Beszel's agent starts to read GPUs, and the reader here that tells the same, if there is one."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting that has an effect. The name of a setting is its field in capitals."""

    key: Annotated[
        tuple[bytes, ...],
        Setting(parse_hub_keys, "public keys", "Public keys of the hub, one a line; any of them may prove it.",
                ("-k", "-key", "--key"), secret=True),
    ] = ()  # fmt: skip
    token: Annotated[
        str | None, Setting(parse_text, "text", "What this host enrols with.", ("-t", "-token", "--token"), secret=True)
    ] = None
    hub_url: Annotated[
        HubUrl | None,
        Setting(
            parse_hub_url, "URL", "Where the hub is; a path is kept, for a hub behind a proxy.", ("-u", "-url", "--url")
        ),
    ] = None
    ca_file: Annotated[
        str | None, Setting(parse_text, "path", "A certificate authority to trust beside the system's own.")
    ] = None
    require_tls: Annotated[bool, Setting(parse_flag, "true or false", "Refuse to talk to a hub over http://.")] = False
    system_name: Annotated[
        str | None, Setting(parse_text, "text", "The name of a new system; the host's own name if unset.")
    ] = None
    data_dir: Annotated[
        str | None,
        Setting(parse_text, "path", "Fingerprint and key of this agent. Unset: `/var/lib/beszel-agent`, then "
                "`~/.config/beszel`; the first that is there and writable, else the first that can be made.",
                ("--data-dir",)),
    ] = None  # fmt: skip
    log_level: Annotated[str, Setting(parse_choice(*LEVELS), " ".join(f"`{level}`" for level in LEVELS),
                                      "What is logged.", ("--log-level",))] = "info"  # fmt: skip
    update_interval: Annotated[
        float | None,
        Setting(parse_interval, "seconds", "The shortest time between two samples; wins over what the hub asks for."),
    ] = None
    mem_calc: Annotated[
        str | None,
        Setting(parse_choice("htop"), "`htop`", "Used memory as htop counts it, without what is merely available."),
    ] = None
    nics: Annotated[
        tuple[str, ...] | None,
        Setting(parse_names, "names", "The interfaces to count, with `*`; a leading `-` makes them those to leave out.",
                may_be_empty=True),
    ] = None  # fmt: skip
    spool_limit: Annotated[
        SpoolLimit,
        Setting(parse_spool_limit, "time, size or both", "How much waits for a hub that is away, such as `24h,64MiB`; "
                "beyond that the oldest goes, and a gap says so."),
    ] = SpoolLimit()  # fmt: skip
    sensors: Annotated[
        tuple[str, ...] | None,
        Setting(parse_names, "names", "The temperature sensors to read, with `*`; a leading `-` makes them those to "
                "leave out. Set but empty: none.", may_be_empty=True),
    ] = None  # fmt: skip
    primary_sensor: Annotated[
        str | None,
        Setting(parse_text, "name", "The sensor whose temperature stands for the host; the hottest if unset."),
    ] = None
    sys_sensors: Annotated[
        str | None, Setting(parse_text, "path", "Where the `/sys` is that tells temperatures and fans.")
    ] = None
    sensors_timeout: Annotated[
        float, Setting(parse_timeout, "seconds", "How long a sensor may take before the others go on without it.")
    ] = 2.0
    ups: Annotated[
        tuple[str, ...] | None,
        Setting(parse_names, "names", "UPSes to ask `upsc` for, such as `ups@nas`; those of this host's own server if "
                "unset. Set but empty: none.", may_be_empty=True),
    ] = None  # fmt: skip
    skip_gpu: Annotated[bool, Setting(parse_flag, "true or false", "Read no GPU.")] = False
    gpu_collector: Annotated[
        tuple[str, ...] | None,
        Setting(parse_known_names(*GPU_READERS, *GPU_TOOLS), " ".join(f"`{name}`" for name in GPU_READERS),
                "How GPUs are read; every way that finds one if unset."),
    ] = None  # fmt: skip
    filesystem: Annotated[
        NamedDisk | None,
        Setting(parse_named_disk, "mount point or device", "What stands for the root disk: a mounted filesystem, or "
                "the device whose I/O is meant where the root lies on a pool."),
    ] = None  # fmt: skip
    extra_filesystems: Annotated[
        tuple[NamedDisk, ...],
        Setting(parse_named_disks, "names", "Mount points and devices to show that would not count by themselves, or "
                "by another name: `/srv__Media,sdb1,/mnt/nas`."),
    ] = ()  # fmt: skip
    disk_usage_cache: Annotated[
        float,
        Setting(parse_seconds, "seconds", "How long the usage of all but the root filesystem is kept before it is "
                "asked again, so that disks may sleep."),
    ] = 0.0  # fmt: skip
    smart_devices: Annotated[
        str | None,
        Setting(parse_text, "devices", "The disks to read SMART of, each with its type if need be: "
                "`/dev/sda:sat,/dev/nvme0`. Unset: what smartctl finds; empty: none.", may_be_empty=True),
    ] = None  # fmt: skip
    smart_devices_separator: Annotated[
        str, Setting(parse_text, "text", "What stands between two of them, as some types hold commas.")
    ] = ","
    exclude_smart: Annotated[
        tuple[str, ...], Setting(parse_names, "names", "Disks of which no SMART is read: `/dev/sdc,sdd`.")
    ] = ()
    smart_interval: Annotated[
        float, Setting(parse_smart_interval, "seconds", "How often SMART is read of a disk that is awake.")
    ] = 3600.0
    checks: Annotated[
        str,
        Setting(parse_checks, " ".join(f"`{choice}`" for choice in CHECKS_CHOICES), "Whether the hub may have this "
                "host check other services; `public`: only at public addresses, whatever it allows."),
    ] = "on"  # fmt: skip
    service_patterns: Annotated[
        tuple[str, ...],
        Setting(parse_names, "names", "The services to tell of, with `*`; without a kind of unit, `.service` is meant. "
                "Unset: all services."),
    ] = ()  # fmt: skip
    skip_systemd: Annotated[bool, Setting(parse_flag, "true or false", "Do not read systemd's units.")] = False
    textfile_dir: Annotated[
        str | None,
        Setting(parse_text, "path", "A directory whose `*.prom` files become series of their own: what scripts write "
                "there in Prometheus' text format."),
    ] = None  # fmt: skip
    docker_host: Annotated[
        tuple[EngineHost, ...] | None,
        Setting(parse_engine_hosts, "sockets", "The container engines: `unix:///run/docker.sock`, `tcp://host:2375`, "
                "`https://host:2376`, several with commas. Unset: Docker and Podman at their usual sockets; "
                "empty: none.",
                may_be_empty=True),
    ] = None  # fmt: skip
    docker_cert_path: Annotated[
        str | None,
        Setting(parse_text, "path", "The directory with `ca.pem`, `cert.pem` and `key.pem` for engines over TLS."),
    ] = None
    docker_timeout: Annotated[
        float, Setting(parse_timeout, "seconds", "How long a container engine may take to answer.")
    ] = 5.0
    exclude_containers: Annotated[
        tuple[str, ...], Setting(parse_names, "names", "Containers to leave out, with `*`: `*-sidecar,tmp-??`.")
    ] = ()
    container_details: Annotated[
        bool,
        Setting(parse_flag, "true or false", "Whether the hub may ask for logs and configuration of containers."),
    ] = True
    actions: Annotated[
        bool, Setting(parse_flag, "true or false", "Whether the hub may ask for details such as `collectors`.")
    ] = True

    def smart_device_list(self) -> tuple[SmartDevice, ...] | None:
        """None if smartctl is to find them."""
        if self.smart_devices is None:
            return None
        parts = self.smart_devices.split(self.smart_devices_separator)
        return tuple(parse_smart_device(part) for part in parts if part.strip())


LATER: Final[tuple[LaterSetting, ...]] = (
    LaterSetting("ALL_PROXY", "SOCKS proxy for the link."),
    LaterSetting("AMD_SYSFS", "Read AMD GPUs from sysfs."),
    LaterSetting("DISABLE_SSH", "Do not listen for hubs."),
    LaterSetting("EXIT_ON_DNS_ERROR", "End when the hub's name does not resolve."),
    LaterSetting("INTEL_GPU_DEVICE", "The device for intel_gpu_top."),
    LaterSetting("LHM", "Sensors on Windows."),
    LaterSetting("LISTEN", "Address on which to wait for a hub.", ("-l", "-listen", "--listen")),
    LaterSetting("NETWORK", "Kind of the address in LISTEN."),
    LaterSetting("NVML", "Read NVIDIA GPUs by NVML."),
    LaterSetting("PORT", "Port on which to wait for a hub."),
)


class Loaded(NamedTuple):
    config: Config
    warnings: tuple[str, ...]
    """Sentences for the log."""
    origins: Mapping[str, str]
    """Where each setting that was set comes from, by its name in capitals."""


@functools.cache
def settings() -> Mapping[str, Setting]:
    """Every effective setting by its name in capitals, in the order of `Config`."""
    hints = get_type_hints(Config, include_extras=True)
    return {field.upper(): hints[field].__metadata__[0] for field in Config.__struct_fields__}


def load_config(flags: Mapping[str, str], environment: Mapping[str, str], file: Path | None) -> Loaded:
    """Raise `ConfigError`. `flags` are by name in capitals; without `file` the default one is read if it is there."""
    warnings: list[str] = []
    layers = (
        flags,
        _prefixed(environment),
        {name: environment[name] for name in _known_names() if name in environment},
        _read_config_file(file, warnings),
    )
    values = {name.lower(): value for name, value in _parse_all(layers)}
    later = sorted({item.name for item in LATER if any(item.name in layer for layer in layers)})
    if later:
        warnings.append(f"set, but without effect in this version: {', '.join(later)}")
    config = Config(**values)
    try:
        config.smart_device_list()
    except ValueError as error:
        raise ConfigError(f"SMART_DEVICES: {error}") from error
    return Loaded(config, tuple(warnings), _origins(layers, str(file or DEFAULT_FILE)))


def _origins(layers: tuple[Mapping[str, str], ...], file: str) -> dict[str, str]:
    """Layers are those of `load_config`."""
    labels = ("command line", "{prefix}{name}", "{name}", file)
    found: dict[str, str] = {}
    for name, setting in settings().items():
        for layer, label in zip(layers, labels, strict=True):
            given = next((key for key in (name, name + FILE_SUFFIX) if key in layer), None)
            if given is not None and (given == name or setting.secret):
                found[name] = label.format(prefix=PREFIX, name=given)
                break
    return found


def _parse_all(layers: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, Any]]:
    layers = tuple(layers)
    for name, setting in settings().items():
        found = _find(name, setting, layers)
        if found is None:
            continue
        text, source = found
        try:
            yield name, setting.parse(text)
        except ValueError as error:
            shown = "" if setting.secret else f" ({text!r})"
            raise ConfigError(f"{source}{shown}: {error}") from error


def _find(name: str, setting: Setting, layers: Iterable[Mapping[str, str]]) -> tuple[str, str] | None:
    """The text of a setting and where it came from. Within a layer the value itself wins over the file with it."""
    for layer in layers:
        if name in layer:
            return (layer[name], name) if layer[name].strip() or setting.may_be_empty else None
        if setting.secret and name + FILE_SUFFIX in layer:
            return _read_secret(name + FILE_SUFFIX, Path(layer[name + FILE_SUFFIX])), name + FILE_SUFFIX
    return None


@functools.cache
def _known_names() -> frozenset[str]:
    secrets = {name + FILE_SUFFIX for name, setting in settings().items() if setting.secret}
    return frozenset({*settings(), *secrets, *(later.name for later in LATER)})


def _prefixed(environment: Mapping[str, str]) -> dict[str, str]:
    ours = {name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)}
    unknown = sorted(PREFIX + name for name in ours.keys() - _known_names())
    if unknown:
        raise ConfigError(f"unknown in the environment: {', '.join(unknown)}")
    return ours


def _read_secret(source: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source}: cannot read {path}: {error}") from error


def _read_config_file(file: Path | None, warnings: list[str]) -> dict[str, str]:
    path = file or DEFAULT_FILE
    try:
        with path.open("rb") as opened:
            mode = path.stat().st_mode
            raw = opened.read(_MAX_FILE_BYTES)
    except FileNotFoundError:
        if file is None:
            return {}
        raise ConfigError(f"there is no {path}") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    values = _parse_config_file(path, raw)
    if sys.platform != "win32" and mode & _OTHERS_MAY_READ and "TOKEN" in values:
        warnings.append(f"{path} holds the token and everybody on this host may read it; chmod 600 it")
    return values


def _parse_config_file(path: Path, raw: bytes) -> dict[str, str]:
    import tomllib  # noqa: PLC0415 - most agents have no file

    try:
        table = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    unknown = sorted(key for key in table if key.upper() not in _known_names() or key != key.lower())
    if unknown:
        raise ConfigError(f"{path}: unknown key {', '.join(unknown)}")
    return {key.upper(): _to_text(path, key, value) for key, value in table.items()}


def _to_text(path: Path, key: str, value: object) -> str:
    """The same text that an environment variable would hold: one syntax for a value, wherever it stands."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ("\n" if key == "key" else ",").join(value)
    raise ConfigError(f"{path}: {key}: write a text, a number, true or false, or a list of texts")
