"""The commands as users run them: what they print and how they end."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from beszel_agent import cli
from beszel_agent.cli import run_command_line
from beszel_agent.collectors import COLLECTORS
from beszel_protocol.messages import Sample, decode_from_agent
from beszel_protocol.version import VERSION
from tests.support.linkhub import openssh_key
from tests.support.programs import clean_environment

KEY = openssh_key(bytes(range(32)))


def agent(
    home: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    settings = clean_environment(home, DATA_DIR=str(home / "data"), **(environment or {}))
    argv = [sys.executable, "-m", "beszel_agent", *arguments]
    return subprocess.run(argv, env=settings, capture_output=True, text=True, timeout=30, check=False)


def test_once_is_a_sample_with_rates(tmp_path: Path) -> None:
    finished = agent(tmp_path, "once", "--json")
    assert (finished.returncode, finished.stderr) == (0, "")
    sample = decode_from_agent(finished.stdout)
    assert isinstance(sample, Sample)
    metrics = sample.metrics
    assert metrics.cpu is not None
    assert metrics.cpu.usage_percent is not None
    assert metrics.disk is not None
    assert metrics.disk["/"].usage_percent is not None
    assert not (tmp_path / "data").exists()  # it needs no identity


def test_once_for_people(tmp_path: Path) -> None:
    finished = agent(tmp_path, "once")
    assert finished.returncode == 0
    lines = dict(line.split(maxsplit=1) for line in finished.stdout.splitlines())
    assert lines["cpu.usage_percent"].endswith("%")
    assert "disk[/].usage_percent" in lines


def test_collectors_says_what_runs_what_it_costs_and_why_the_others_do_not(tmp_path: Path) -> None:
    finished = agent(tmp_path, "collectors")
    assert finished.returncode == 0
    rows = {line.split()[0]: line for line in finished.stdout.splitlines()[1:]}
    assert list(rows) == [*(collector.name for collector in COLLECTORS), "checks"]
    assert "the hub defines them" in rows["checks"]
    assert " ms" in rows["cpu"]
    reports = json.loads(agent(tmp_path, "collectors", "--json").stdout)
    assert {report["name"] for report in reports} == set(rows)


def test_fingerprint_is_kept_and_can_be_reset(tmp_path: Path) -> None:
    first = agent(tmp_path, "fingerprint")
    assert first.returncode == 0
    assert len(bytes.fromhex(first.stdout.strip())) == 24
    assert agent(tmp_path, "fingerprint", "view").stdout == first.stdout
    (tmp_path / "data" / "fingerprint").write_text("copied from another machine\n")
    reset = agent(tmp_path, "fingerprint", "reset")
    assert reset.stdout == first.stdout
    assert "new token" in reset.stderr


def test_health_without_an_agent(tmp_path: Path) -> None:
    finished = agent(tmp_path, "health")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "no agent has run here" in finished.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("flag", ["-v", "--version"])
def test_version(flag: str, tmp_path: Path) -> None:
    assert agent(tmp_path, flag).stdout == f"beszel-agent {VERSION}\n"


ENOUGH = {"KEY": KEY, "TOKEN": "a token", "HUB_URL": "http://127.0.0.1:1"}


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (("run",), {"LISTEN": ":45876", "KEY": KEY}, "does not listen for one"),
        (("run",), {**ENOUGH, "KEY": ""}, "KEY is not set"),
        (("run",), {**ENOUGH, "TOKEN": ""}, "TOKEN is not set"),
        (("run",), {**ENOUGH, "REQUIRE_TLS": "true"}, "REQUIRE_TLS is set and http://127.0.0.1:1 is not https://"),
        (("run", "-u", "hub"), ENOUGH, "HUB_URL ('hub')"),
        (("run", "-k", "nonsense"), ENOUGH, "KEY:"),
        (("run", "--log-level", "loud"), ENOUGH, "LOG_LEVEL"),
        (("--log-level", "loud", "run"), ENOUGH, "LOG_LEVEL"),
        (("run",), {**ENOUGH, "BESZEL_AGENT_TYPO": "1"}, "BESZEL_AGENT_TYPO"),
        (("run", "--config", "/nowhere.toml"), ENOUGH, "/nowhere.toml"),
        (("once", "--url"), {}, "expected one argument"),
        (("jump",), {}, "invalid choice"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said_and_the_status_is_2(
    arguments: tuple[str, ...],
    environment: dict[str, str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process, as a new one each would take as long as all other tests of the agent."""
    monkeypatch.setattr(os, "environ", clean_environment(tmp_path, DATA_DIR=str(tmp_path / "data"), **environment))
    monkeypatch.setattr(cli, "set_up_log", lambda _: None)
    try:
        status = run_command_line(arguments)
    except SystemExit as ended:  # argparse
        status = int(str(ended.code))
    complaint = capsys.readouterr().err
    assert status == 2
    assert said in complaint
    assert "nonsense" not in complaint


def check_config(home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return agent(home, "config", "check", environment=settings)


def test_config_check_shows_what_is_in_effect_and_where_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("top secret\n")
    finished = check_config(
        tmp_path, KEY=KEY, TOKEN_FILE=str(tmp_path / "token"), HUB_URL="http://127.0.0.1:1",
        BESZEL_AGENT_SPOOL_LIMIT="2h", SMART_INTERVAL="1h",
    )  # fmt: skip
    assert (finished.returncode, finished.stderr) == (0, "")
    rows = {line.split()[0]: line.split()[1:] for line in finished.stdout.splitlines()}
    assert rows["TOKEN"] == ["(secret)", "TOKEN_FILE"]
    assert rows["SPOOL_LIMIT"] == ["2h,64MiB", "BESZEL_AGENT_SPOOL_LIMIT"]
    assert rows["LOG_LEVEL"] == ["info", "default"]
    assert rows["warning:"]
    assert "secret\n" not in finished.stdout
    assert not (tmp_path / "data").exists()  # it changes nothing


def test_config_check_names_everything_that_is_missing(tmp_path: Path) -> None:
    finished = check_config(tmp_path, HUB_URL="http://hub", REQUIRE_TLS="true")
    assert finished.returncode == 2
    assert [part in finished.stderr for part in ("KEY is not", "TOKEN is not", "REQUIRE_TLS is")] == [True] * 3


def test_config_check_reads_the_certificate_authority(tmp_path: Path) -> None:
    finished = check_config(tmp_path, **{**ENOUGH, "HUB_URL": "https://hub", "CA_FILE": "/nowhere.pem"})
    assert finished.returncode == 2
    assert "CA_FILE: cannot use /nowhere.pem" in finished.stderr


def test_a_new_identity_takes_no_records_of_the_old_one_along(tmp_path: Path) -> None:
    spool = tmp_path / "data" / "spool"
    spool.mkdir(parents=True)
    (spool / "0000000000000001.segment").write_bytes(b"of the machine that this was cloned from")
    assert agent(tmp_path, "fingerprint", "reset").returncode == 0
    assert not spool.exists()


def test_without_anything_the_status_is_2_too(tmp_path: Path) -> None:
    finished = agent(tmp_path)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "HUB_URL is not set" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_directory_that_cannot_be_used_is_no_usage_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    finished = agent(tmp_path, "run", environment=ENOUGH)
    assert finished.returncode == 1
    assert "DATA_DIR" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("flags", [("-u", "-k", "-t", "-l"), ("-url", "-key", "-token", "-listen")])
def test_beszels_flags_are_understood(flags: tuple[str, ...], tmp_path: Path) -> None:
    values = ("http://127.0.0.1:1", KEY, "a token", ":45876")
    arguments = [part for pair in zip(flags, values, strict=True) for part in pair]
    finished = agent(tmp_path, "once", "--json", *arguments)
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("missing", ["msgspec", "websockets"])
def test_without_its_extra_it_says_what_to_install(missing: str, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv[1:] = ['run']\n"
        "from beszel_agent.__main__ import main; main()"
    )
    environment = clean_environment(tmp_path, DATA_DIR=str(tmp_path / "data"), **ENOUGH)
    finished = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert finished.returncode == 2
    assert finished.stderr == f"beszel-agent: {missing} is not installed: pip install 'beszel-suite[agent]'\n"


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as broken:
        finished = subprocess.run(
            [sys.executable, "-m", "beszel_agent", "once"],
            env=clean_environment(tmp_path),
            stdout=broken,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )
    assert (finished.returncode, finished.stderr) == (0, "")


def test_a_running_agent_holds_nothing_heavy() -> None:
    """What a command line loads is one thing, what stays in memory for months another."""
    heavy = {
        "starlette",
        "peewee",
        "textual",
        "docker",
        "pynvml",
        "cryptography",
        "psutil",
        "tomllib",
        "jeepney",
        "tarfile",
    }
    heavy |= {"h11", *(f"beszel_agent.checks.{name}" for name in ("probing", "network", "http", "dns", "ping", "tls"))}
    code = f"import sys, beszel_agent.agent; print(sorted({heavy!r} & set(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"
