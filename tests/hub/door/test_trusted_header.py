"""The header in which a proxy names the user: believed from trusted proxies, from nobody else."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.types import Message, Receive, Scope, Send

from beszel_hub.accounts.tables import User
from beszel_hub.config import HubConfig
from beszel_hub.door.proxies import behind_proxies, is_within
from beszel_hub.export import routes
from beszel_hub.live import guard
from beszel_hub.permissions import Actor
from tests.support.eventstream import event_stream
from tests.support.exports import EXPORT, read_csv, store
from tests.support.people import start_over
from tests.support.runninghub import RunningHub, running_hub
from tests.support.samples import NOON_MS, make_metrics

REFRESH = "/api/collections/users/auth-refresh"
UMA = {"Remote-Email": "UMA@example.org"}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    directory = tmp_path_factory.mktemp("hub")
    settings = {"trusted_auth_header": "remote-email", "trusted_proxies": ("127.0.0.1/32",)}
    with running_hub(directory, **settings) as running:
        start_over(running)
        yield running


def ask(hub: RunningHub, headers: dict[str, str] | list[tuple[str, str]]) -> httpx2.Response:
    return httpx2.post(hub.url + REFRESH, headers=headers, timeout=10)


def test_a_trusted_proxy_names_the_user(hub: RunningHub) -> None:
    answer = ask(hub, {**UMA, "X-Forwarded-For": "203.0.113.9"})
    assert answer.status_code == 200
    token = answer.json()["token"]
    headers = {"Authorization": token}
    (session,) = httpx2.get(f"{hub.url}/api/collections/sessions/records", headers=headers).json()["items"]
    assert (session["method"], session["address"], session["current"]) == ("header", "203.0.113.9", True)


def test_a_long_answer_goes_on_for_who_is_named(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "ASK_AGAIN_SECONDS", 0.0)
    uma = hub.hub.database.read_now(lambda: User.get(User.email == "uma@example.org").id)
    system_id, _ = hub.create_system("long", uma)
    store(hub, system_id, [(NOON_MS + 60_000 * minute, make_metrics()) for minute in range(30)])
    span: dict[str, str | int] = {
        "from": NOON_MS,
        "to": NOON_MS + 1_800_000,
        "system": system_id,
        "metric": "cpu.usage_percent",
    }
    answer = httpx2.get(hub.url + EXPORT, params=span, headers=UMA, timeout=10)
    assert len(read_csv(answer.content)) == 30


def test_an_event_stream_goes_on_for_who_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "CHECK_SECONDS", 0.02)
    looks: list[str] = []
    settings = {"trusted_auth_header": "remote-email", "trusted_proxies": ("127.0.0.1/32",)}
    with running_hub(tmp_path, **settings) as running:
        start_over(running)
        real = running.hub.accounts.authenticate_address

        async def counted(email: str) -> Actor:
            looks.append(email)
            return await real(email)

        monkeypatch.setattr(running.hub.accounts, "authenticate_address", counted)

        async def follow() -> None:
            async with event_stream(running.url, None, "systems/*", always=UMA) as stream:
                asked = len(looks)
                while len(looks) < asked + 3:  # noqa: ASYNC110 - another thread looks
                    await asyncio.sleep(0.01)
                assert (await stream.subscribe("systems/*")).status_code == 204
                assert await stream.is_quiet(0.1)  # it goes on

        asyncio.run(asyncio.wait_for(follow(), 20))


def test_auth_headers_believed_from_anyone(tmp_path: Path) -> None:
    """Neither from who is no proxy, nor from whoever claims to have come through one."""
    settings = {"trusted_auth_header": "remote-email", "trusted_proxies": ("10.0.0.0/8",)}
    with running_hub(tmp_path, **settings) as running:
        start_over(running)
        for more in ({}, {"X-Forwarded-For": "10.0.0.1"}, {"X-Real-IP": "10.0.0.1"}, {"Forwarded": "for=10.0.0.1"}):
            assert ask(running, {**UMA, **more}).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Remote-Email": "nobody@example.org"},
        {"Remote-Email": "uma"},
        {"Remote-Email": ""},
        {"X-Remote-Email": "uma@example.org"},
        {**UMA, "Authorization": "no token"},
    ],
)
def test_who_is_not_named_is_nobody(hub: RunningHub, headers: dict[str, str]) -> None:
    assert ask(hub, headers).status_code == 401


def test_two_names_are_none(hub: RunningHub) -> None:
    """A proxy that adds its header to the one a client sent would let clients choose."""
    pairs = [("Remote-Email", "ada@example.org"), ("Remote-Email", "uma@example.org")]
    assert ask(hub, pairs).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 401),
        ({"Origin": "null"}, 401),
        ({"Sec-Fetch-Site": "cross-site"}, 401),
        ({"Sec-Fetch-Site": "same-site"}, 401),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
    ],
)
def test_pages_of_other_sites_get_nothing(hub: RunningHub, headers: dict[str, str], status: int) -> None:
    assert ask(hub, {**UMA, **headers}).status_code == status


def test_what_a_get_changes_needs_a_token(hub: RunningHub) -> None:
    """A link on any page makes a browser follow it with the proxy's cookie."""
    url = f"{hub.url}/api/beszel/universal-token"
    assert httpx2.get(url, headers=UMA).json()["active"] is False
    for enable in ("0", "1"):
        assert httpx2.get(url, headers=UMA, params={"enable": enable, "token": "x" * 20}).status_code == 403


def test_a_blocked_user_is_nobody(hub: RunningHub) -> None:
    hub.hub.database.write_now(lambda: User.update(verified=False).where(User.username == "uma").execute())
    assert ask(hub, UMA).status_code == 401
    start_over(hub)
    assert ask(hub, UMA).status_code == 200


@pytest.mark.parametrize(
    ("address", "is_inside"),
    [
        ("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("fd00::1", True), ("11.0.0.1", False), ("::1", False),
        ("", False), ("proxy.lan", False),
    ],
)  # fmt: skip
def test_networks(address: str, is_inside: bool) -> None:
    assert is_within(address, ("10.0.0.0/8", "fd00::/8")) is is_inside


@pytest.mark.parametrize(
    ("peer", "seen", "scheme"),
    [
        ("10.1.2.3", "203.0.113.9", "https"),
        ("::ffff:10.1.2.3", "203.0.113.9", "https"),
        ("::ffff:11.1.2.3", "11.1.2.3", "http"),
        ("fd00::1", "fd00::1", "http"),
    ],
)
def test_what_a_proxy_forwards_is_believed_at_a_socket_for_both_kinds_too(peer: str, seen: str, scheme: str) -> None:
    """Which writes 10.1.2.3 as ::ffff:10.1.2.3."""
    found: list[Scope] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        found.append(scope)

    async def receive() -> Message:
        raise AssertionError("nobody asks")

    async def send(_: Message) -> None:
        raise AssertionError("nobody answers")

    headers = [(b"x-forwarded-for", b"203.0.113.9"), (b"x-forwarded-proto", b"https")]
    scope: Scope = {"type": "http", "scheme": "http", "client": (peer, 4711), "headers": headers}
    config = HubConfig(trusted_proxies=("10.0.0.0/8",))

    async def ask_once() -> None:
        await behind_proxies(app, config)(scope, receive, send)

    asyncio.run(ask_once())
    (passed,) = found
    assert (passed["client"][0], passed["scheme"]) == (seen, scheme)


@pytest.fixture(scope="module")
def open_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """With `AUTO_LOGIN`, behind a proxy on loopback that is none to every other address."""
    settings = {"auto_login": "Uma@example.org", "trusted_proxies": ("127.0.0.1/32",)}
    with running_hub(tmp_path_factory.mktemp("open"), **settings) as running:
        start_over(running)
        yield running


def test_whoever_comes_through_the_proxy_is_that_user(open_hub: RunningHub) -> None:
    answer = ask(open_hub, {"X-Forwarded-For": "203.0.113.9"})
    assert (answer.status_code, answer.json()["record"]["email"]) == (200, "uma@example.org")
    assert ask(open_hub, {"Authorization": "no token"}).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "rebound.example"}]
)
def test_pages_of_other_sites_are_not_that_user(open_hub: RunningHub, headers: dict[str, str]) -> None:
    assert ask(open_hub, headers).status_code == 401


def test_whoever_comes_past_the_proxy_is_nobody(open_hub: RunningHub) -> None:
    elsewhere = httpx2.HTTPTransport(local_address="127.0.0.2")
    with httpx2.Client(transport=elsewhere) as client:
        answer = client.post(open_hub.url + REFRESH, headers={"X-Forwarded-For": "127.0.0.1"})
    assert answer.status_code == 401


def test_nobody_becomes_an_administrator_by_coming(open_hub: RunningHub) -> None:
    def promote() -> None:
        User.update(role="admin").where(User.username == "uma").execute()

    open_hub.hub.database.write_now(promote)
    assert ask(open_hub, {}).status_code == 401
    start_over(open_hub)
    assert ask(open_hub, {}).status_code == 200
