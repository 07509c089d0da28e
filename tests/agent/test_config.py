"""Where settings come from, which wins, and that nothing wrong is passed over."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from beszel_agent.config import LATER, Config, load_config, settings
from beszel_agent.errors import ConfigError
from tests.support.linkhub import openssh_key

KEY = bytes(range(32))
NO_FILE = Path("/dev/null")

BESZELS_NAMES = {
    "KEY", "TOKEN", "HUB_URL", "LISTEN", "PORT", "NETWORK", "DISABLE_SSH", "EXIT_ON_DNS_ERROR", "SYSTEM_NAME",
    "DATA_DIR", "LOG_LEVEL", "MEM_CALC", "FILESYSTEM", "EXTRA_FILESYSTEMS", "DISK_USAGE_CACHE", "NICS", "SENSORS",
    "PRIMARY_SENSOR", "SYS_SENSORS", "SENSORS_TIMEOUT", "DOCKER_HOST", "DOCKER_TIMEOUT", "EXCLUDE_CONTAINERS",
    "SERVICE_PATTERNS", "SKIP_SYSTEMD", "SMART_DEVICES", "SMART_DEVICES_SEPARATOR", "EXCLUDE_SMART", "SMART_INTERVAL",
    "SKIP_GPU", "GPU_COLLECTOR", "NVML", "AMD_SYSFS", "INTEL_GPU_DEVICE", "LHM", "ALL_PROXY",
}  # fmt: skip


def load(
    environment: Mapping[str, str] | None = None, flags: Mapping[str, str] | None = None, file: Path = NO_FILE
) -> Config:
    return load_config(flags or {}, environment or {}, file).config


def test_every_name_of_beszels_agent_is_known() -> None:
    assert not BESZELS_NAMES - {*settings(), *(later.name for later in LATER)}


def test_no_name_is_declared_twice() -> None:
    names = [*settings(), *(later.name for later in LATER)]
    assert len(names) == len(set(names))
    assert [later.name for later in LATER] == sorted(later.name for later in LATER)


def test_without_anything_there_are_the_defaults() -> None:
    assert load() == Config()


def test_the_nearer_source_wins(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('system_name = "file"\n')
    assert load(file=file).system_name == "file"
    plain = {"SYSTEM_NAME": "plain"}
    assert load(plain, file=file).system_name == "plain"
    prefixed = {**plain, "BESZEL_AGENT_SYSTEM_NAME": "prefixed"}
    assert load(prefixed, file=file).system_name == "prefixed"
    assert load(prefixed, {"SYSTEM_NAME": "flag"}, file).system_name == "flag"


def test_every_setting_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(
        f"""
        key = ["{openssh_key(KEY)}", "# a comment"]
        token = "secret"
        hub_url = "https://hub.example.org/below"
        require_tls = true
        update_interval = 10
        nics = ["eth*", "-eth9"]
        log_level = "debug"
        service_patterns = ["nginx", "backup.timer"]
        skip_systemd = true
        textfile_dir = "/var/lib/beszel-agent/custom"
        """
    )
    file.chmod(0o600)
    loaded = load_config({}, {}, file)
    config = loaded.config
    assert (config.key, config.token, str(config.hub_url)) == ((KEY,), "secret", "https://hub.example.org:443/below")
    assert (config.require_tls, config.update_interval, config.nics) == (True, 10.0, ("eth*", "-eth9"))
    assert (config.service_patterns, config.skip_systemd) == (("nginx", "backup.timer"), True)
    assert config.textfile_dir == "/var/lib/beszel-agent/custom"
    assert loaded.warnings == ()


def test_a_token_that_everybody_may_read_is_worth_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('token = "secret"\n')
    file.chmod(0o644)
    (warning,) = load_config({}, {}, file).warnings
    assert "chmod 600" in warning
    assert "secret" not in warning


def test_secrets_come_from_files_too(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from a file\n")
    (tmp_path / "key").write_text(openssh_key(KEY) + "\n")
    environment = {"TOKEN_FILE": str(tmp_path / "token"), "KEY_FILE": str(tmp_path / "key")}
    config = load(environment)
    assert (config.token, config.key) == ("from a file", (KEY,))
    assert load({**environment, "TOKEN": "itself"}).token == "itself"
    assert load({"TOKEN": "plain", "BESZEL_AGENT_TOKEN_FILE": str(tmp_path / "token")}).token == "from a file"


def test_an_empty_value_is_an_unset_one() -> None:
    assert load({"SYSTEM_NAME": "", "LOG_LEVEL": " ", "HUB_URL": ""}) == Config()
    assert load({"NICS": ""}).nics == ()  # but this one says: none
    assert load({"SENSORS": ""}).sensors == ()
    assert load({"UPS": ""}).ups == ()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"HUB_URL": "hub.example.org"}, "HUB_URL"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL ('loud'): write debug or info"),
        ({"UPDATE_INTERVAL": "0.1"}, "UPDATE_INTERVAL"),
        ({"REQUIRE_TLS": "maybe"}, "true or false"),
        ({"SENSORS_TIMEOUT": "0"}, "SENSORS_TIMEOUT"),
        ({"GPU_COLLECTOR": "nvml,cuda"}, "cuda is none of nvml, amd_sysfs"),
        ({"MEM_CALC": "top"}, "MEM_CALC"),
        ({"BESZEL_AGENT_HUBURL": "http://x"}, "unknown in the environment: BESZEL_AGENT_HUBURL"),
        ({"TOKEN_FILE": "/nowhere/at/all"}, "TOKEN_FILE: cannot read /nowhere/at/all"),
        ({"HUB_URL_FILE": "x", "BESZEL_AGENT_HUB_URL_FILE": "x"}, "BESZEL_AGENT_HUB_URL_FILE"),  # is no secret
    ],
)
def test_what_is_wrong_is_said(environment: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(environment)
    assert said in str(caught.value)


def test_a_secret_is_never_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        load({"KEY": "verysecret but malformed"})
    assert "verysecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hub = 'http://x'", "unknown key hub"),
        ("HUB_URL = 'http://x'", "unknown key HUB_URL"),
        ("[hub_url]\nhost = 'x'", "hub_url: write a text"),
        ("token = ", "agent.toml"),
        ("hub_url = 'x'", "scheme and host"),
        ("update_interval = nan", "UPDATE_INTERVAL"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file=file)
    assert said in str(caught.value)


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no"):
        load(file=tmp_path / "none.toml")


def test_names_of_later_versions_are_told() -> None:
    loaded = load_config({"LISTEN": ":1"}, {"PORT": "1", "BESZEL_AGENT_ALL_PROXY": "x"}, NO_FILE)
    assert loaded.warnings == ("set, but without effect in this version: ALL_PROXY, LISTEN, PORT",)
    assert loaded.config == Config()
