"""Logging in through providers of plain OAuth2: one that answers as GitHub and Discord do, and a generic one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from beszel_hub.accounts.fetching import ProviderFailed
from beszel_hub.accounts.known import CUSTOM, KNOWN, Endpoints, Issuer
from beszel_hub.accounts.oauth2 import read_person
from beszel_hub.accounts.providers import make_providers
from beszel_hub.accounts.tables import Identity
from beszel_hub.accounts.throttle import LoginThrottle
from beszel_hub.clock import system_clock
from beszel_hub.config import HubConfig
from beszel_hub.errors import InvalidSetting
from beszel_hub.store.secrets import Secret
from tests.support.codehost import CLIENT, REDIRECT_URL, CodeHost, code_host
from tests.support.identityprovider import identity_provider
from tests.support.people import start_over
from tests.support.runninghub import RunningHub, running_hub

USERS = "/api/collections/users"
AS_KNOWN = dict(KNOWN)
UMA = {"email": "uma@example.org", "primary": True, "verified": True}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeHost]:
    with code_host(tmp_path_factory.mktemp("codehost")) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_hub(tmp_path_factory: pytest.TempPathFactory, host: CodeHost) -> Iterator[RunningHub]:
    """Its GitHub and Discord are the local provider, in all else as they are known."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("github", "discord"):
            patch.setitem(KNOWN, name, moved(name, host.url))
        clients = tuple((name, *CLIENT) for name in ("github", "discord"))
        with running_hub(tmp_path_factory.mktemp("hub"), oauth2_clients=clients, user_creation=True) as running:
            yield running


@pytest.fixture
def hub(shared_hub: RunningHub) -> RunningHub:
    start_over(shared_hub)
    return shared_hub


@pytest.fixture
def client(hub: RunningHub) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=hub.url, timeout=10) as opened:
        yield opened


def moved(name: str, url: str) -> Endpoints:
    known = KNOWN[name]
    assert isinstance(known, Endpoints)
    return msgspec.structs.replace(
        known, authorize=f"{url}/authorize", token=f"{url}/token",
        userinfo=f"{url}/user" if known.emails else f"{url}/users/@me",
        emails=f"{url}/user/emails" if known.emails else "",
    )  # fmt: skip


def way(client: httpx2.Client, name: str = "github") -> dict[str, str]:
    ways = {one["name"]: one for one in client.get(f"{USERS}/auth-methods").json()["oauth2"]["providers"]}
    found: dict[str, str] = ways[name]
    return found


def come_back(client: httpx2.Client, begun: dict[str, str], code: str, **changes: str) -> httpx2.Response:
    body = {
        "provider": begun["name"], "code": code, "codeVerifier": begun["codeVerifier"], "redirectURL": REDIRECT_URL,
        **changes,
    }  # fmt: skip
    return client.post(f"{USERS}/auth-with-oauth2", json=body)


def log_in(client: httpx2.Client, host: CodeHost, login: str, name: str = "github") -> httpx2.Response:
    begun = way(client, name)
    answer = host.log_in(begun["authURL"], login)
    assert answer["state"] == begun["state"]
    return come_back(client, begun, answer["code"])


def test_a_verified_primary_address_links_a_verified_user(
    hub: RunningHub, client: httpx2.Client, host: CodeHost
) -> None:
    host.set_person("uma", {"id": 583231, "login": "uma-codes", "name": "Uma", "email": None}, [UMA])
    for _ in range(2):
        answer = log_in(client, host, "uma").raise_for_status().json()
        assert answer["record"]["email"] == "uma@example.org"
        assert (answer["meta"]["id"], answer["meta"]["username"]) == ("583231", "uma-codes")
        assert (answer["meta"]["isNew"], answer["meta"]["accessToken"]) == (False, "")
    (identity,) = hub.hub.database.read_now(lambda: list(Identity.select()))
    assert (identity.provider, identity.issuer, identity.subject) == ("github", f"{host.url}/user", "583231")


@pytest.mark.parametrize(
    "emails",
    [
        [], [{**UMA, "verified": False}], [{**UMA, "primary": False}],
        [{"email": "eve@example.org", "primary": True, "verified": False}, {**UMA, "primary": False}],
    ],
)  # fmt: skip
def test_a_public_address_that_nobody_verified_opens_nothing(
    client: httpx2.Client, host: CodeHost, emails: list[dict[str, Any]]
) -> None:
    """What somebody shows on their profile is anything they like."""
    host.set_person("eve", {"id": 666, "login": "eve", "email": "uma@example.org"}, emails)
    refusal = log_in(client, host, "eve")
    assert refusal.status_code == 400
    assert "token" not in refusal.json()


@pytest.mark.parametrize(("is_verified", "status"), [(True, 200), (False, 400), (None, 400), ("yes", 400)])
def test_discord_says_in_a_field_whether_it_is_verified(
    client: httpx2.Client, host: CodeHost, is_verified: object, status: int
) -> None:
    profile = {"id": "80351110224678912", "username": "uma", "email": "uma@example.org", "verified": is_verified}
    host.set_person("uma-there", profile)
    assert log_in(client, host, "uma-there", "discord").status_code == status


def test_strangers_become_plain_users(client: httpx2.Client, host: CodeHost) -> None:
    email = {"email": "new@example.org", "primary": True, "verified": True}
    host.set_person("new", {"id": 7, "login": "newcomer", "role": "admin"}, [email])
    record = log_in(client, host, "new").raise_for_status().json()["record"]
    assert (record["email"], record["username"], record["role"]) == ("new@example.org", "newcomer", "user")


def test_the_same_subject_elsewhere_is_somebody_else(client: httpx2.Client, host: CodeHost) -> None:
    host.set_person("uma", {"id": 5, "login": "uma"}, [UMA])
    assert log_in(client, host, "uma").status_code == 200
    host.set_person("five", {"id": "5", "username": "five", "email": "x@example.org", "verified": False})
    assert log_in(client, host, "five", "discord").status_code == 400
    code = host.log_in(way(client, "discord")["authURL"], "uma")["code"]
    assert come_back(client, way(client, "discord"), code, provider="google").status_code == 400, "is not set up"


def test_what_belongs_to_another_login_is_refused(hub: RunningHub, client: httpx2.Client, host: CodeHost) -> None:
    """Of another verifier, another place, or used before."""
    host.set_person("uma", {"id": 8, "login": "uma"}, [UMA])
    mine, other = way(client), way(client)
    for begun, changes in ((other, {}), (mine, {"redirectURL": "https://evil.example/"}), (mine, {"code": "guess"})):
        code = host.log_in(mine["authURL"], "uma")["code"]
        assert come_back(client, begun, **{"code": code, **changes}).status_code == 400
    code = host.log_in(mine["authURL"], "uma")["code"]
    assert come_back(client, mine, code, codeVerifier="x" * 62).status_code == 400, "not this hub's"
    code = host.log_in(mine["authURL"], "uma")["code"]
    assert [come_back(client, mine, code).status_code for _ in range(2)] == [200, 400]
    hub.hub.accounts.throttle = LoginThrottle()


@pytest.mark.parametrize("profile", [{}, {"id": True}, {"id": ""}, {"id": "x" * 256}, {"id": 1.5}, {"id": None}, []])
def test_who_is_not_named_is_nobody(client: httpx2.Client, host: CodeHost, profile: Any) -> None:
    host.set_person("ghost", profile, [UMA])
    assert log_in(client, host, "ghost").status_code == 503


def test_a_generic_provider(tmp_path: Path) -> None:
    """By its three addresses alone, against a provider that other people wrote."""
    with identity_provider(tmp_path) as provider:
        urls = [f"{provider.issuer}/{path}" for path in ("oauth2/authorize", "oauth2/token", "userinfo")]
        clients = ((CUSTOM, *CLIENT),)
        with running_hub(tmp_path / "hub", oauth2_clients=clients, oauth2_custom=tuple(urls)) as running:
            start_over(running)
            with httpx2.Client(base_url=running.url, timeout=10) as client:
                for is_verified, status in ((False, 400), (True, 200)):
                    provider.set_person("p-1", email="uma@example.org", email_verified=is_verified)
                    begun = way(client, CUSTOM)
                    assert begun["displayName"] == "127.0.0.1"
                    code = provider.log_in(begun["authURL"], "p-1", REDIRECT_URL)["code"]
                    assert come_back(client, begun, code).status_code == status


def test_every_known_provider_is_asked_over_https() -> None:
    for name, known in AS_KNOWN.items():
        urls = [known.url] if isinstance(known, Issuer) else [known.authorize, known.token, known.userinfo]
        urls += [known.emails] if isinstance(known, Endpoints) and known.emails else []
        assert all(url.startswith("https://") for url in urls), name


def test_microsoft_vouches_for_no_address() -> None:
    """A tenant writes what it likes into `mail`."""
    known = AS_KNOWN["microsoft"]
    assert isinstance(known, Endpoints)
    told = json.loads(
        '{"id": "48d31887", "mail": "uma@example.org", "email_verified": true, "verified": true, "": true}'
    )
    assert not read_person(told, known).is_email_verified
    with pytest.raises(ProviderFailed):
        read_person({"mail": "uma@example.org"}, known)


@pytest.mark.parametrize("clients", [(("gihtub", "a", "b"),), ((CUSTOM, "a", "b"),), (("oidc", "a", "b"),)])
def test_who_is_not_known_stops_the_start(clients: tuple[tuple[str, str, str], ...]) -> None:
    with pytest.raises(InvalidSetting, match="OAUTH2_C"):
        make_providers(HubConfig(oauth2_clients=clients), Secret(b"s" * 32), system_clock)
