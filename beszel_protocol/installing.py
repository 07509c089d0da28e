"""The ways to install an agent that exist: one table, for whoever shows command lines. Pure."""

import shlex
from typing import Final, NamedTuple


class Credentials(NamedTuple):
    """What an agent needs to find its hub and to be let in."""

    key: str
    """The hub's public key, as an OpenSSH line."""
    token: str
    hub_url: str


class Way(NamedTuple):
    name: str
    title: str
    note: str
    """What has to be there already."""
    templates: tuple[str, ...]
    """Lines for a POSIX shell, with `{key}`, `{token}` and `{hub}` where the quoted values go."""
    files: tuple[str, ...] = ()
    """Of the project, that the lines use."""


WAYS: Final[tuple[Way, ...]] = (
    Way(
        "service",
        "systemd service",
        "Linux with systemd and Python 3.11 or newer, in a checkout of beszel-suite",
        (
            "sudo python3 -m venv /opt/beszel-agent",
            "sudo /opt/beszel-agent/bin/pip install '.[agent]'",
            "sudo ln -sf /opt/beszel-agent/bin/beszel-agent /usr/local/bin/beszel-agent",
            (
                r"printf 'KEY=%s\nTOKEN=%s\nHUB_URL=%s\n' {key} {token} {hub}"
                " | sudo install -m 600 /dev/stdin /etc/beszel-agent.env"
            ),
            "sudo cp deploy/systemd/beszel-agent.service /etc/systemd/system/",
            "sudo systemctl enable --now beszel-agent",
        ),
        ("deploy/systemd/beszel-agent.service",),
    ),
    Way(
        "package",
        "package, no root",
        "Python 3.11 or newer; the agent runs until this shell ends",
        (
            "python3 -m venv ~/.beszel-agent",
            "~/.beszel-agent/bin/pip install 'beszel-suite[agent]'",
            "KEY={key} TOKEN={token} HUB_URL={hub} ~/.beszel-agent/bin/beszel-agent run",
        ),
    ),
    Way(
        "checkout",
        "checkout, no root",
        "Python 3.11 or newer, in a checkout of beszel-suite; the agent runs until this shell ends",
        (
            "python3 -m venv .venv",
            ".venv/bin/pip install '.[agent]'",
            "KEY={key} TOKEN={token} HUB_URL={hub} .venv/bin/beszel-agent run",
        ),
        ("pyproject.toml",),
    ),
)


def command_lines(way: Way, credentials: Credentials) -> list[str]:
    """What to paste into a shell of the machine that is to be watched; values are quoted whatever they hold."""
    values = {
        "key": shlex.quote(credentials.key),
        "token": shlex.quote(credentials.token),
        "hub": shlex.quote(credentials.hub_url),
    }
    return [template.format(**values) for template in way.templates]
