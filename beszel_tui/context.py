"""What the app is given by whoever starts it: settings, the source of data, and how to open another one."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from beszel_tui.client.session import (
    Session,
    forget_session,
    known_sessions,
    load_session,
    replace_token,
    save_session,
)
from beszel_tui.client.source import Source
from beszel_tui.config import Settings, normalize_hub, profile_settings
from beszel_tui.state.hubs import hub_names
from beszel_tui.state.settings import HubLine

if TYPE_CHECKING:
    from beszel_tui.client.http import HubHttp

ALL_HUBS = "all"


def clock_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class CodeProof(NamedTuple):
    """A code by e-mail, and for which attempt to log in it is."""

    code_id: str
    code: str
    mfa_id: str


def hub_lines(settings: Settings, session_hub: str | None) -> list[HubLine]:
    """The hubs of the config file, then those that somebody once logged in to."""
    current = session_hub or settings.hub
    sessions = {session.hub: session.identity for session in known_sessions(settings.paths.sessions_file)}
    lines: list[HubLine] = []
    for name, profile in sorted(settings.profiles.items()):
        address = normalize_hub(profile.hub)
        note = "an API token" if profile.token_file else sessions.get(address, "log in first")
        lines.append(HubLine(name, address, address == current and not settings.all_hubs, note))
    there = {line.address for line in lines}
    if len(lines) > 1:
        lines.insert(0, HubLine(ALL_HUBS, "", settings.all_hubs, "all of these at once"))
    lines += [HubLine(hub, hub, hub == current, who) for hub, who in sorted(sessions.items()) if hub not in there]
    return lines


class Context:
    """Lives as long as the program; owns the task that runs the source."""

    def __init__(
        self,
        settings: Settings,
        group: asyncio.TaskGroup,
        *,
        source: Source | None = None,
        session_hub: str | None = None,
        clock: Callable[[], int] = clock_ms,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.notices: list[str] = []
        """What went wrong before there was a screen to say it on."""
        self.on_notice: Callable[[str], None] = self.notices.append
        self.source: Source | None = None
        self.session_hub = session_hub
        """The hub whose stored session is in use; None if the token came from outside."""
        self._group = group
        self._task: asyncio.Task[None] | None = None
        if source is not None:
            self.use(source)

    def use(self, source: Source) -> None:
        """Take data from `source` from now on."""
        self.stop()
        self.source = source
        self._task = self._group.create_task(source.run(), name="source")

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def known_hubs(self) -> list[HubLine]:
        return hub_lines(self.settings, self.session_hub)

    def switch(self, name: str) -> bool:
        """Go over to a hub of `known_hubs`; False if one has to log in there first. Raises `ConfigError`."""
        if name == ALL_HUBS:
            self.settings = msgspec.structs.replace(self.settings, all_hubs=True, hub=None, token=None)
        elif name in self.settings.profiles:
            self.settings = profile_settings(self.settings, name)
        else:
            self.settings = msgspec.structs.replace(self.settings, hub=normalize_hub(name), token=None, all_hubs=False)
        self.stop()
        self.source, self.session_hub = None, None
        return self.open_known()

    def open_known(self) -> bool:
        """Take data from the hub of the settings, with its token or the session kept for it; False without either."""
        hub, token = self.settings.hub, self.settings.token
        if self.settings.all_hubs:
            return self._open_all()
        if hub is not None and token is not None:
            self.use(open_hub(hub, token))
        elif token is None and (session := load_session(self.settings.paths.sessions_file, hub)) is not None:
            self.session_hub = session.hub
            self.use(self._open_session(session))
        return self.source is not None

    def _open_all(self) -> bool:
        from beszel_tui.client.several import SeveralHubs  # noqa: PLC0415 (only for several)

        hubs: dict[str, Source] = {}
        for name, called in hub_names(sorted(self.settings.profiles)).items():
            settings = profile_settings(self.settings, name)
            session = load_session(self.settings.paths.sessions_file, settings.hub)
            if settings.token is not None and settings.hub is not None:
                hubs[called] = open_hub(settings.hub, settings.token)
            elif settings.token is None and session is not None:
                hubs[called] = self._open_session(session)
            else:
                self.notify(f"{name} is left out: log in there once, with `beszel-tui --hub {name}`")
        if hubs:
            self.use(SeveralHubs(hubs))
        return bool(hubs)

    def _open_session(self, session: Session) -> Source:
        """Its token is renewed, and kept, as long as the source runs; one from outside is somebody else's to renew."""

        def keep(before: str, token: str) -> None:
            try:
                replace_token(self.settings.paths.sessions_file, session.hub, before, token)
            except OSError as error:
                self.notify(f"the session was renewed, and cannot be kept for the next start: {error.strerror}")

        return open_hub(session.hub, session.token, keep)

    def notify(self, text: str) -> None:
        """Tell the user, on the screen as soon as there is one."""
        self.on_notice(text)

    async def login(self, hub: str, identity: str, password: str) -> None:
        """Get a session of `hub`, keep it, and take data from there.

        Raises `CodeNeeded` if the password is right and not enough, `ClientError`, or OSError for the file.
        """
        from beszel_tui.client.login import log_in  # noqa: PLC0415 (only for the login)

        async with _talking(hub) as http:
            token = await log_in(http, identity, password)
        self._begin(hub, identity, token)

    async def request_code(self, hub: str, email: str) -> str:
        """Have the hub mail a code; returns the id to show with it. Raises `ClientError`."""
        from beszel_tui.client.login import request_code  # noqa: PLC0415 (only for the login)

        async with _talking(hub) as http:
            return await request_code(http, email)

    async def login_with_code(self, hub: str, email: str, proof: CodeProof) -> None:
        """As `login`, with a code instead."""
        from beszel_tui.client.login import log_in_with_code  # noqa: PLC0415 (only for the login)

        async with _talking(hub) as http:
            token = await log_in_with_code(http, proof.code_id, proof.code, proof.mfa_id)
        self._begin(hub, email, token)

    async def is_first_run(self, hub: str) -> bool:
        """Whether `hub` has no user yet. Raises `ClientError`."""
        from beszel_tui.client.login import is_first_run  # noqa: PLC0415 (only for the login)

        async with _talking(hub) as http:
            return await is_first_run(http)

    async def create_first_user(self, hub: str, email: str, password: str) -> None:
        """Make the first administrator of `hub`. Raises `ClientError`."""
        from beszel_tui.client.login import create_first_user  # noqa: PLC0415 (only for the login)

        async with _talking(hub) as http:
            await create_first_user(http, email, password)

    def _begin(self, hub: str, identity: str, token: str) -> None:
        session = Session(hub=hub, token=token, identity=identity)
        save_session(self.settings.paths.sessions_file, session)
        self.session_hub = hub
        self.use(self._open_session(session))

    def forget(self, hub: str) -> None:
        """Drop the stored session that the hub no longer accepts."""
        forget_session(self.settings.paths.sessions_file, hub)


def open_hub(hub: str, token: str, keep: Callable[[str, str], None] | None = None) -> Source:
    """With `keep`, a session that is renewed; see `HubSource`."""
    from beszel_tui.client.hub import HubSource  # noqa: PLC0415 (not needed for the demonstration)

    return HubSource(hub, token, keep)


@contextlib.asynccontextmanager
async def _talking(hub: str) -> "AsyncIterator[HubHttp]":
    from beszel_tui.client.http import HubHttp  # noqa: PLC0415 (only for the login)

    http = HubHttp(hub)
    try:
        yield http
    finally:
        await http.close()
