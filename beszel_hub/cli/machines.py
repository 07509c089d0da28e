"""Commands on systems: what their agents need to enrol."""

from typing import Final
from urllib.parse import urlsplit

import msgspec

from beszel_hub.agents.keys import load_hub_key
from beszel_hub.cli.opening import note, open_database, prepare_directory, require_account
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.errors import InvalidSetting
from beszel_hub.store.secrets import Secret, load_secret
from beszel_hub.systems import queries, tokens
from beszel_hub.systems.tables import AgentBinding, Membership, SystemRow
from beszel_protocol.hygiene import clean_text
from beszel_protocol.installing import WAYS, Credentials, command_lines

_THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent needs to become a system."""

    system_id: str
    key: str
    token: str
    hub_url: str


def enrol(config: HubConfig, name: str, email: str, *, rotate: bool = False, forget: bool = False) -> Enrolment:
    """Make a system of a user, or find the one of that name.

    `rotate` replaces its token, `forget` lets another agent take the place of the one that enrolled.
    """
    cleaned = clean_text(name).strip()
    if not cleaned:
        raise InvalidSetting("a system needs a name")
    with open_database(config) as database:
        secret = load_secret(config.secret_path)
        key = load_hub_key(config.key_path, config.key_source).public_line
        system_id, token = database.write_now(lambda: _enrol(secret, cleaned, email, rotate=rotate, forget=forget))
    return Enrolment(system_id=system_id, key=key, token=token, hub_url=config.app_url or config.local_url())


def describe(enrolment: Enrolment) -> str:
    """For people: the values, and the command to copy."""
    credentials = Credentials(enrolment.key, enrolment.token, enrolment.hub_url)
    ways: list[str] = []
    for way in WAYS:
        ways += ["", f"{way.title} ({way.note}):", *(f"  {line}" for line in command_lines(way, credentials))]
    return "\n".join((
        f"system   {enrolment.system_id}",
        f"key      {enrolment.key}",
        f"token    {enrolment.token}",
        f"hub      {enrolment.hub_url}",
        *_warn(enrolment.hub_url),
        "",
        "On the machine to watch, one of these:",
        *ways,
    ))  # fmt: skip


def _warn(hub_url: str) -> list[str]:
    if urlsplit(hub_url).hostname not in _THIS_MACHINE:
        return []
    return ["         Other machines cannot reach this: give APP_URL to this command, or put an address into HUB_URL."]


def public_key(config: HubConfig) -> str:
    """The hub's public key as an OpenSSH line; the key is made if there is none yet."""
    prepare_directory(config.data_dir)
    return load_hub_key(config.key_path, config.key_source).public_line


def _enrol(secret: Secret, name: str, email: str, *, rotate: bool, forget: bool) -> tuple[str, str]:
    now_ms = system_clock()
    account = require_account(email)
    system_id = _find_system(name, account.id)
    if system_id is None:
        system_id = queries.insert_system(name=name, now_ms=now_ms, members=[account.id])
        note("enrol", "systems", system_id, name=name)
    if forget:
        AgentBinding.delete().where(AgentBinding.system_id == system_id).execute()
        note("enrol.forget_agent", "fingerprints", system_id)
    token = None if rotate else tokens.read_system_token(secret, system_id)
    if token is None:
        token = tokens.issue_system_token(secret, system_id, now_ms)
        note("enrol.new_token", "fingerprints", system_id)
    return system_id, token


def _find_system(name: str, user_id: str) -> str | None:
    theirs = Membership.select(Membership.system_id).where(Membership.user_id == user_id)
    row = SystemRow.select(SystemRow.id).where((SystemRow.name == name) & SystemRow.id.in_(theirs)).first()
    return None if row is None else row.id
