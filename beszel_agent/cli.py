"""The command line: `run` (also without a word), `once`, `collectors`, `config`, `fingerprint`, `health`."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Final, cast

import msgspec

from beszel_agent.checks.board import CheckBoard
from beszel_agent.collectors import COLLECTORS
from beszel_agent.config import DEFAULT_FILE, LATER, Loaded, load_config, settings
from beszel_agent.datadir import DataDir, choose_data_dir, default_dirs, find_data_dir
from beszel_agent.errors import AgentError, ConfigError
from beszel_agent.health import check, status_dirs
from beszel_agent.host import read_boot
from beszel_agent.identity import load_fingerprint, reset_identity
from beszel_agent.lean import postponed
from beszel_agent.log import set_up_log
from beszel_agent.paths import HostPaths
from beszel_agent.report import format_collectors, format_sample, format_settings
from beszel_agent.sampler import BASELINE_SECONDS, start_sampler
from beszel_agent.spool.recovery import SPOOL_DIR, discard_spool
from beszel_protocol.messages import encode
from beszel_protocol.version import VERSION

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130
"""As a shell has it for a command that Ctrl+C ended; `run` ends with 0, as that is how it is meant to end."""

_TRIAL_READINGS: Final = 6
_TRIAL_SECONDS: Final = 0.05
_MAX_TRIAL_READINGS: Final = 100
"""As long as some collector has not ended its first reading, such as of disks."""

log = logging.getLogger(__name__)


def run_command_line(arguments: Sequence[str]) -> int:
    """The exit status."""
    if sys.platform == "win32":
        # Into a file or a pipe it would else write what Windows has made of the local alphabet.
        for stream in (sys.stdout, sys.stderr):
            cast("TextIOWrapper", stream).reconfigure(encoding="utf-8")
    parsed = make_parser().parse_args(arguments)
    try:
        loaded = load_config(_given_flags(parsed), os.environ, _config_file(parsed))
        set_up_log(loaded.config.log_level)
        return _COMMANDS[parsed.command or "run"](parsed, loaded)
    except ConfigError as error:
        _complain(error)
        return EXIT_USAGE
    except AgentError as error:
        _complain(error)
        return EXIT_FAILED
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not try to flush it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def make_parser() -> argparse.ArgumentParser:
    common = _common_flags()
    parser = argparse.ArgumentParser(
        prog="beszel-agent",
        description="Streams what this host knows about itself to a hub.",
        epilog="Every setting can also be an environment variable or stand in the file; docs/agent.md lists them.",
        parents=[common],
        allow_abbrev=False,
    )
    parser.add_argument("-v", "--version", action="version", version=f"beszel-agent {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("run", parents=[common], help="collect and stream; the default")
    once = commands.add_parser("once", parents=[common], help="print one sample")
    once.add_argument("--json", action="store_true", help="as it goes over the link")
    collectors = commands.add_parser("collectors", parents=[common], help="what runs here and its cost, what does not")
    collectors.add_argument("--json", action="store_true", help="as the hub gets it")
    config = commands.add_parser("config", parents=[common], help="the settings in effect, and what is wrong with them")
    config.add_argument("verb", nargs="?", choices=("check",), default="check")
    fingerprint = commands.add_parser("fingerprint", parents=[common], help="which host this is to the hub")
    fingerprint.add_argument("verb", nargs="?", choices=("view", "reset"), default="view")
    commands.add_parser("health", parents=[common], help="exit 0 only if an agent runs here and is connected")
    return parser


def _common_flags() -> argparse.ArgumentParser:
    """They are understood before and after the command."""
    flags = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS, allow_abbrev=False)
    flags.add_argument("--config", metavar="FILE", help=f"settings in TOML; {DEFAULT_FILE} if it is there")
    for name, setting in settings().items():
        if setting.flags:
            flags.add_argument(*setting.flags, dest=name, metavar=name, help=setting.help)
    for later in LATER:
        if later.flags:
            flags.add_argument(
                *later.flags, dest=later.name, metavar=later.name, help=f"{later.help} Not yet effective."
            )
    return flags


def _config_file(parsed: argparse.Namespace) -> Path | None:
    return Path(parsed.config) if "config" in parsed else None


def _given_flags(parsed: argparse.Namespace) -> dict[str, str]:
    return {name: value for name, value in vars(parsed).items() if name.isupper()}


def _run(parsed: argparse.Namespace, loaded: Loaded) -> int:  # noqa: ARG001
    with postponed("importlib.metadata"):
        from beszel_agent.agent import run_agent  # noqa: PLC0415 - the link is for this command only

    for warning in loaded.warnings:
        log.warning(warning)
    run_agent(loaded.config, os.environ)
    return EXIT_OK


def _once(parsed: argparse.Namespace, loaded: Loaded) -> int:
    sampler = start_sampler(COLLECTORS, HostPaths(), loaded.config)
    sampler.read()
    time.sleep(BASELINE_SECONDS)
    reading = sampler.read()
    sys.stdout.write(encode(reading.as_sample(1)).decode() if parsed.json else format_sample(reading.metrics))
    sys.stdout.write("\n")
    sys.stdout.flush()
    return EXIT_OK


def _collectors(parsed: argparse.Namespace, loaded: Loaded) -> int:
    paths = HostPaths()
    sampler = start_sampler(COLLECTORS, paths, loaded.config, (CheckBoard(paths, loaded.config),))
    reports = sampler.reports()
    for count in range(_MAX_TRIAL_READINGS):
        sampler.read()
        reports = sampler.reports()
        if count >= _TRIAL_READINGS and all(report.readings or report.state != "running" for report in reports):
            break
        time.sleep(_TRIAL_SECONDS)
    sys.stdout.write(msgspec.json.encode(reports).decode() if parsed.json else format_collectors(reports))
    sys.stdout.write("\n")
    sys.stdout.flush()
    return EXIT_OK


def _config(parsed: argparse.Namespace, loaded: Loaded) -> int:  # noqa: ARG001 - there is only one verb
    from beszel_agent.agent import missing_settings  # noqa: PLC0415 - the link is for those who need it
    from beszel_agent.endpoint import make_endpoint  # noqa: PLC0415

    config = loaded.config
    problems = missing_settings(config)
    if config.hub_url is not None and config.token is not None:
        try:
            make_endpoint(config.hub_url, config.token, config)
        except ConfigError as error:
            problems.append(str(error))
    sys.stdout.write(format_settings(loaded) + "\n")
    for warning in loaded.warnings:
        sys.stdout.write(f"warning: {warning}\n")
    if not problems and find_data_dir(config.data_dir, default_dirs()) is None:
        sys.stdout.write(
            "warning: there is no data directory yet that this user can write to; `run` tries to make it\n"
        )
    sys.stdout.flush()
    for problem in problems:
        sys.stderr.write(f"beszel-agent: {problem}\n")
    return EXIT_USAGE if problems else EXIT_OK


def _fingerprint(parsed: argparse.Namespace, loaded: Loaded) -> int:
    data_dir = DataDir(choose_data_dir(loaded.config.data_dir, default_dirs()))
    paths = HostPaths()
    if parsed.verb == "view":
        sys.stdout.write(load_fingerprint(data_dir, paths) + "\n")
        return EXIT_OK
    data_dir.claim()  # a running agent would go on with the identity that it has
    discard_spool(data_dir.path / SPOOL_DIR)  # what waits there belongs to the host that this was
    sys.stdout.write(reset_identity(data_dir, paths).fingerprint + "\n")
    sys.stderr.write("New fingerprint and key. The hub takes this for a new host: it needs a new token.\n")
    return EXIT_OK


def _health(parsed: argparse.Namespace, loaded: Loaded) -> int:  # noqa: ARG001
    data_dir = find_data_dir(loaded.config.data_dir, default_dirs())
    directories = () if data_dir is None else status_dirs(data_dir, os.environ)
    verdict = check(directories, read_boot(HostPaths()))
    (sys.stdout if verdict.healthy else sys.stderr).write(verdict.sentence + "\n")
    return EXIT_OK if verdict.healthy else EXIT_FAILED


def _complain(error: AgentError) -> None:
    sys.stderr.write(f"beszel-agent: {error}\n")


_COMMANDS: Final = {
    "run": _run,
    "once": _once,
    "collectors": _collectors,
    "config": _config,
    "fingerprint": _fingerprint,
    "health": _health,
}
