"""Brings up the private hub and its agent, keeps an eye on them, and takes them down.

Everything is in one folder: `hub/` and `agent/` are their data, `hub.log` and `agent.log` what they said,
`credentials.json` how client and agent get in. One client at a time owns it; a second looks at the hub of the first.
"""

import asyncio
import contextlib
import fcntl
import os
import secrets
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import IO, Final

import msgspec

from beszel_protocol.hygiene import clean_text
from beszel_tui.client.session import write_private
from beszel_tui.context import Context, open_hub
from beszel_tui.errors import LocalError
from beszel_tui.local.processes import Child, run_command, start_child

HUB: Final = "beszel_hub"
AGENT: Final = "beszel_agent"
EMAIL: Final = "local@localhost.localdomain"
LISTEN_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.02
_OURS: Final = frozenset({"KEY", "TOKEN", "HUB_URL", "LISTEN", "PORT", "DATA_DIR", "APP_URL", "LOG_LEVEL"})
"""Settings of hub and agent that were meant for others of their kind."""


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """How agent and client get into the private hub."""

    password: str
    key: str
    agent_token: str
    client_token: str


class _Enrolment(msgspec.Struct, frozen=True):
    key: str
    token: str


class _Token(msgspec.Struct, frozen=True):
    token: str


class LocalStack:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hub_folder = folder / "hub"
        self.agent_folder = folder / "agent"
        self._credentials_path = folder / "credentials.json"
        self._address_path = self.hub_folder / "address"

    @contextlib.asynccontextmanager
    async def companions(self, context: Context) -> AsyncIterator[None]:
        """Hub and agent while the client runs. Raises `LocalError` if one does not come up."""
        self._make_folders()
        with self._lock() as is_owner:
            if not is_owner:
                context.use(open_hub(self._address(), self._need_credentials().client_token))
                yield
                return
            async with self._hub(context) as address:
                credentials = await self._provision()
                async with self._agent(context, address, credentials):
                    context.use(open_hub(address, credentials.client_token))
                    yield
                context.stop()

    # Hub and agent

    @contextlib.asynccontextmanager
    async def _hub(self, context: Context) -> AsyncIterator[str]:
        self._address_path.unlink(missing_ok=True)
        if not (self.hub_folder / "data.db").exists():
            self._credentials_path.unlink(missing_ok=True)  # they were of a hub that is no more
        arguments = ["serve", "--http", "127.0.0.1:0", "--dir", str(self.hub_folder)]
        child = await start_child("hub", HUB, arguments, _environment(), self.folder / "hub.log")
        async with _kept(child, context):
            yield await self._listening(child)

    @contextlib.asynccontextmanager
    async def _agent(self, context: Context, address: str, credentials: Credentials) -> AsyncIterator[None]:
        environment = {
            **_environment(),
            "KEY": credentials.key,
            "TOKEN": credentials.agent_token,
            "HUB_URL": address,
            "DATA_DIR": str(self.agent_folder),
        }
        child = await start_child("agent", AGENT, ["run"], environment, self.folder / "agent.log")
        async with _kept(child, context):
            yield

    async def _listening(self, hub: Child) -> str:
        """The address, once the hub has noted it."""
        try:
            async with asyncio.timeout(LISTEN_SECONDS):
                while hub.is_running:
                    if self._address_path.exists() and (address := self._address()):
                        return address
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            raise LocalError(f"the hub does not begin to listen; see {hub.log_path}") from error
        raise LocalError(f"the hub did not start:\n{hub.last_words()}\n(all of it in {hub.log_path})")

    async def _provision(self) -> Credentials:
        """A user, this machine's system and a token for the client: made once, then kept."""
        known = self._credentials()
        if known is not None:
            return known
        environment = _environment()
        place = ["--dir", str(self.hub_folder)]
        password = secrets.token_urlsafe(24)
        user = ["user", "create", EMAIL, "--role", "admin", "--password-file", "-", *place]
        try:
            await run_command(HUB, user, environment, password.encode())
        except LocalError:
            # An attempt that was broken off left the user; then its password is of no more use than a new one.
            users = await run_command(HUB, ["user", "list", *place], environment)
            if EMAIL.encode() not in users:
                raise
        name = clean_text(socket.gethostname()) or "this machine"
        enrolled = await run_command(HUB, ["enrol", name, "--user", EMAIL, "--json", *place], environment)
        made = await run_command(
            HUB, ["token", "create", "--user", EMAIL, "--scope", "write", "--json", *place], environment
        )
        try:
            enrolment = msgspec.json.decode(enrolled, type=_Enrolment)
            token = msgspec.json.decode(made, type=_Token).token
        except msgspec.DecodeError as error:
            raise LocalError(f"the hub's command line answers something else: {error}") from error
        credentials = Credentials(password=password, key=enrolment.key, agent_token=enrolment.token, client_token=token)
        write_private(self._credentials_path, msgspec.json.encode(credentials))
        return credentials

    # Files

    def _make_folders(self) -> None:
        try:
            for folder in (self.folder, self.agent_folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LocalError(f"{error.filename}: {error.strerror}") from error

    @contextlib.contextmanager
    def _lock(self) -> Iterator[bool]:
        """Whether the folder is ours; given back by the kernel however we end."""
        with (self.folder / "lock").open("ab") as file:
            yield _try_lock(file)

    def _address(self) -> str:
        try:
            return self._address_path.read_text(encoding="ascii").strip()
        except FileNotFoundError as error:
            raise LocalError("another `beszel-tui local` is just starting; try again in a moment") from error

    def _credentials(self) -> Credentials | None:
        try:
            return msgspec.json.decode(self._credentials_path.read_bytes(), type=Credentials)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _need_credentials(self) -> Credentials:
        credentials = self._credentials()
        if credentials is None:
            raise LocalError("another `beszel-tui local` is just starting; try again in a moment")
        return credentials


@contextlib.asynccontextmanager
async def _kept(child: Child, context: Context) -> AsyncIterator[None]:
    """Stop `child` at the end; say so if it ends before."""
    watcher = asyncio.create_task(_watch(child, context))
    try:
        yield
    finally:
        watcher.cancel()
        await child.stop()


async def _watch(child: Child, context: Context) -> None:
    status = await child.ended()
    context.notify(f"the {child.name} ended ({status}): {child.last_words().splitlines()[-1:]}; see {child.log_path}")


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _environment() -> Mapping[str, str]:
    """Ours, without settings that were meant for another hub or agent."""
    return {name: value for name, value in os.environ.items() if name not in _OURS and not name.startswith("BESZEL_")}
