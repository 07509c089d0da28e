"""What the process that runs Apprise cannot do any more; each try in an interpreter of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import clean_environment

PREPARED = """
import os, socket, subprocess, sys
from beszel_hub.notifications.egress import Policy
from beszel_hub.notifications.sandbox import Sandbox
sandbox = Sandbox(Policy(allows_private={allows}))
sandbox.enter()
"""


def attempt(tmp_path: Path, code: str, *, allows: bool = False) -> str:
    script = PREPARED.format(allows=allows) + code
    environment = {**clean_environment(tmp_path), "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=20, check=False
    )
    return done.stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize(
    "code",
    [
        "open('/etc/passwd')", "open('/etc/ssl/../passwd')", "open(sys.prefix + '/x', 'w')",
        "os.open('/etc/hostname', os.O_RDONLY)", "os.open('/tmp/x', os.O_WRONLY | os.O_CREAT)",
        "subprocess.run(['true'])", "os.system('true')", "os.fork()", "os.execv('/bin/true', ['true'])",
        "socket.create_connection(('127.0.0.1', 9))", "socket.create_connection(('169.254.169.254', 80))",
        "socket.socket(socket.AF_UNIX).connect('/run/docker.sock')", "socket.socket().bind(('127.0.0.1', 0))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('10.0.0.1', 514))",
        "socket.socket().connect_ex(('localhost', 9)) and sys.exit('Blocked')",
    ],
)  # fmt: skip
def test_what_is_not_for_notifications(tmp_path: Path, code: str) -> None:
    assert "Blocked" in attempt(tmp_path, code)


@pytest.mark.parametrize(
    "code",
    [
        "open('/dev/null', 'w')", "import ssl; ssl.create_default_context()", "import email.mime.text, http.client",
        "socket.getaddrinfo('localhost', 80)", "import requests; requests.Session()",
    ],
)  # fmt: skip
def test_what_sending_takes(tmp_path: Path, code: str) -> None:
    assert attempt(tmp_path, code) == ""


def test_private_addresses_are_open_to_those_who_may(tmp_path: Path) -> None:
    assert "Refused" in attempt(tmp_path, "socket.create_connection(('127.0.0.1', 9))", allows=True)
    assert "Blocked" in attempt(tmp_path, "socket.create_connection(('169.254.169.254', 9))", allows=True)


def test_the_hub_itself_never_loads_apprise(tmp_path: Path) -> None:
    code = "import sys, beszel_hub.app; assert not {'apprise', 'requests', 'urllib3'} & set(sys.modules)"
    environment = {**clean_environment(tmp_path), "PYTHONPATH": str(Path.cwd())}
    subprocess.run([sys.executable, "-c", code], env=environment, timeout=20, check=True)
