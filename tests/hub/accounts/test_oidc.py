"""Logging in through a real OpenID Connect provider: who gets in as whom, and who does not."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from beszel_hub.accounts.pkce import LIFETIME_SECONDS
from beszel_hub.accounts.provider import RETRY_MS, OidcProvider
from beszel_hub.accounts.tables import Identity
from beszel_hub.accounts.throttle import LoginThrottle
from beszel_hub.clock import system_clock
from tests.support.eventstream import event_stream
from tests.support.identityprovider import REDIRECT_URL, IdentityProvider, identity_provider
from tests.support.people import start_over
from tests.support.programs import free_port
from tests.support.runninghub import PASSWORD, RunningHub, running_hub

USERS = "/api/collections/users"
VERIFIED = {"email_verified": True}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with identity_provider(tmp_path_factory.mktemp("provider")) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_hub(tmp_path_factory: pytest.TempPathFactory, provider: IdentityProvider) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub"), **_settings(provider)) as running:
        yield running


@pytest.fixture
def hub(
    tmp_path: Path, provider: IdentityProvider, shared_hub: RunningHub, request: pytest.FixtureRequest
) -> Iterator[RunningHub]:
    """The shared one, unless the test is parametrized with `settings` of its own."""
    callspec = getattr(request.node, "callspec", None)
    wanted = {} if callspec is None else callspec.params.get("settings", {})
    if not wanted:
        start_over(shared_hub)
        yield shared_hub
        return
    with running_hub(tmp_path / "hub", **{**_settings(provider), **wanted}) as running:
        start_over(running)
        yield running


def _settings(provider: IdentityProvider) -> dict[str, Any]:
    return {"oidc_issuer": provider.issuer, "oidc_client_id": "hub", "oidc_client_secret": "secret"}


@pytest.fixture
def client(hub: RunningHub) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=hub.url, timeout=10) as opened:
        yield opened


def way(client: httpx2.Client) -> dict[str, str]:
    (found,) = client.get(f"{USERS}/auth-methods").json()["oauth2"]["providers"]
    assert isinstance(found, dict)
    return found


def come_back(client: httpx2.Client, begun: dict[str, str], code: str, **changes: str) -> httpx2.Response:
    body = {
        "provider": "oidc", "code": code, "codeVerifier": begun["codeVerifier"], "redirectURL": REDIRECT_URL, **changes,
    }  # fmt: skip
    return client.post(f"{USERS}/auth-with-oauth2", json=body)


def log_in(client: httpx2.Client, provider: IdentityProvider, subject: str) -> httpx2.Response:
    begun = way(client)
    answer = provider.log_in(begun["authURL"], subject)
    assert answer["state"] == begun["state"]
    return come_back(client, begun, answer["code"])


def test_the_way_has_what_protects_it(client: httpx2.Client, provider: IdentityProvider) -> None:
    begun = way(client)
    assert begun["authURL"].startswith(f"{provider.issuer}/oauth2/authorize?")
    assert begun["authURL"].endswith("&redirect_uri=")
    query = {name: values[0] for name, values in parse_qs(urlsplit(begun["authURL"]).query).items()}
    assert query["code_challenge"] == begun["codeChallenge"]
    assert (query["code_challenge_method"], query["response_type"]) == ("S256", "code")
    assert (query["state"], query["scope"]) == (begun["state"], "openid email profile")
    assert len(query["nonce"]) >= 20
    again = way(client)
    assert len({begun["codeVerifier"], again["codeVerifier"], begun["state"], again["state"]}) == 4


def test_a_verified_address_links_a_verified_user(
    hub: RunningHub, client: httpx2.Client, provider: IdentityProvider
) -> None:
    provider.set_person("p-1", email="UMA@example.org", name="Uma", **VERIFIED)
    for _ in range(2):
        answer = log_in(client, provider, "p-1").raise_for_status().json()
        assert answer["record"]["email"] == "uma@example.org"
        assert (answer["meta"]["id"], answer["meta"]["name"], answer["meta"]["isNew"]) == ("p-1", "Uma", False)
        assert answer["meta"]["accessToken"] == ""
    provider.set_person("p-1", email="somebody.else@example.org", **VERIFIED)
    assert log_in(client, provider, "p-1").json()["record"]["email"] == "uma@example.org", "the subject counts"
    (identity,) = hub.hub.database.read_now(lambda: list(Identity.select()))
    assert (identity.issuer, identity.subject) == (provider.issuer, "p-1")


@pytest.mark.parametrize("claims", [{}, {"email_verified": False}, {"email_verified": "no"}, {"email_verified": 1.5}])
@pytest.mark.parametrize("settings", [{}, {"user_creation": True}])
def test_oauth_account_prehijack(
    client: httpx2.Client, provider: IdentityProvider, settings: dict[str, Any], claims: dict[str, object]
) -> None:
    """An address that the provider has not verified opens nobody's account, and makes none."""
    for number, email in enumerate(("uma@example.org", "new@example.org")):
        provider.set_person(f"p-2{number}", email=email, **claims)
        refusal = log_in(client, provider, f"p-2{number}")
        assert refusal.status_code == 400
        assert "token" not in refusal.json()


def test_an_unverified_user_is_not_linked(hub: RunningHub, client: httpx2.Client, provider: IdentityProvider) -> None:
    """Whoever was registered here under a foreign address does not get its owner's login."""
    ada = client.post(f"{USERS}/auth-with-password", json={"identity": "ada", "password": PASSWORD}).json()["token"]
    headers = {"Authorization": ada}
    body = {"email": "eve@example.org", "password": PASSWORD, "verified": False}
    assert client.post(f"{USERS}/records", json=body, headers=headers).status_code == 200
    provider.set_person("p-3", email="eve@example.org", **VERIFIED)
    refusal = log_in(client, provider, "p-3")
    assert (refusal.status_code, refusal.json()["message"]) == (
        400, "An administrator must verify the user of this e-mail address first."
    )  # fmt: skip


def test_strangers_become_users_only_if_that_is_set(client: httpx2.Client, provider: IdentityProvider) -> None:
    provider.set_person("p-4", email="new@example.org", **VERIFIED)
    assert log_in(client, provider, "p-4").status_code == 400


@pytest.mark.parametrize("settings", [{"user_creation": True}])
def test_strangers_become_plain_users(
    client: httpx2.Client, provider: IdentityProvider, settings: dict[str, Any]
) -> None:
    provider.set_person("p-5", email="new@example.org", preferred_username="newcomer", role="admin", **VERIFIED)
    answer = log_in(client, provider, "p-5").raise_for_status().json()
    record = answer["record"]
    assert (record["email"], record["username"], record["role"]) == ("new@example.org", "newcomer", "user")
    assert answer["meta"]["isNew"] is True
    assert log_in(client, provider, "p-5").json()["meta"]["isNew"] is False


def test_a_user_who_is_logged_in_links_any_address(client: httpx2.Client, provider: IdentityProvider) -> None:
    provider.set_person("p-6", email="private@elsewhere.example")
    body = {"identity": "uma", "password": PASSWORD}
    client.headers["Authorization"] = client.post(f"{USERS}/auth-with-password", json=body).json()["token"]
    assert log_in(client, provider, "p-6").json()["record"]["email"] == "uma@example.org"
    (identity,) = client.get("/api/collections/_externalAuths/records").json()["items"]
    del client.headers["Authorization"]
    assert log_in(client, provider, "p-6").status_code == 200
    client.headers["Authorization"] = client.post(f"{USERS}/auth-with-password", json=body).json()["token"]
    assert client.delete(f"/api/collections/_externalAuths/records/{identity['id']}").status_code == 204
    del client.headers["Authorization"]
    assert log_in(client, provider, "p-6").status_code == 400


def test_an_api_token_links_nothing(hub: RunningHub, client: httpx2.Client, provider: IdentityProvider) -> None:
    provider.set_person("p-7", email="private@elsewhere.example")
    uma_id = hub.create_user("uma2@example.org")
    client.headers["Authorization"] = hub.create_token(uma_id, "write")
    assert log_in(client, provider, "p-7").status_code == 400


def test_what_belongs_to_another_login_is_refused(
    hub: RunningHub, client: httpx2.Client, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State and code of one login, verifier of another: the nonce does not fit. Codes hold once, verifiers a while."""
    provider.set_person("p-8", email="uma@example.org", **VERIFIED)
    mine, other = way(client), way(client)
    code = provider.log_in(mine["authURL"], "p-8")["code"]
    assert come_back(client, other, code).status_code == 400
    code = provider.log_in(mine["authURL"], "p-8")["code"]
    for verifier in ("x" * 62, "A" * 43, mine["codeVerifier"][:-1], mine["codeVerifier"] + "A", "é"):
        assert come_back(client, mine, code, codeVerifier=verifier).status_code == 400, verifier
    assert come_back(client, mine, "no code").status_code == 400
    assert come_back(client, mine, code, redirectURL="https://evil.example/").status_code == 400
    code = provider.log_in(mine["authURL"], "p-8")["code"]
    assert come_back(client, mine, code, provider="google").status_code == 400
    assert come_back(client, mine, code).status_code == 200
    assert come_back(client, mine, code).status_code == 400, "a code holds once"
    hub.hub.accounts.throttle = LoginThrottle()
    late = system_clock() + (LIFETIME_SECONDS + 2) * 1000
    oidc = hub.hub.desk.outsiders._providers["oidc"]
    assert isinstance(oidc, OidcProvider)
    monkeypatch.setattr(oidc, "_clock", lambda: late)
    code = provider.log_in(mine["authURL"], "p-8")["code"]
    assert come_back(client, mine, code).status_code == 400


def test_a_token_for_somebody_else_is_refused(
    hub: RunningHub, client: httpx2.Client, provider: IdentityProvider
) -> None:
    provider.set_person("p-9", email="uma@example.org", **VERIFIED)
    begun = way(client)
    code = provider.log_in(begun["authURL"].replace("client_id=hub", "client_id=another"), "p-9")["code"]
    assert come_back(client, begun, code).status_code == 400


def test_superusers_come_in_this_way_only_if_they_are_some(client: httpx2.Client, provider: IdentityProvider) -> None:
    path = "/api/collections/_superusers/auth-with-oauth2"
    for subject, email, status in (("p-10", "uma@example.org", 400), ("p-11", "ada@example.org", 200)):
        provider.set_person(subject, email=email, **VERIFIED)
        begun = way(client)
        body = {
            "provider": "oidc", "code": provider.log_in(begun["authURL"], subject)["code"],
            "codeVerifier": begun["codeVerifier"], "redirectUrl": REDIRECT_URL,
        }  # fmt: skip
        assert client.post(path, json=body).status_code == status, email


@pytest.mark.parametrize("settings", [{"oidc_name": "a provider that goes away"}])
def test_a_provider_that_does_not_answer_shuts_nobody_else_out(
    hub: RunningHub, client: httpx2.Client, provider: IdentityProvider, settings: dict[str, Any]
) -> None:
    begun = way(client)
    oidc = hub.hub.desk.outsiders._providers["oidc"]
    assert isinstance(oidc, OidcProvider)
    oidc._metadata = None
    oidc.settings = type(oidc.settings)(
        name="oidc", display_name="", issuer=f"http://127.0.0.1:{free_port()}", client_id="hub"
    )
    methods = client.get(f"{USERS}/auth-methods").json()
    assert (methods["oauth2"]["providers"], methods["password"]["enabled"]) == ([], True)
    assert come_back(client, begun, "code").status_code == 503
    now_ms = system_clock()
    oidc._clock = lambda: now_ms + RETRY_MS
    oidc.settings = type(oidc.settings)(name="oidc", display_name="", issuer=provider.issuer, client_id="hub")
    assert client.get(f"{USERS}/auth-methods").json()["oauth2"]["enabled"]


def test_an_issuer_by_another_name_is_none(tmp_path: Path, provider: IdentityProvider) -> None:
    """A provider signs just what it calls itself; anything else could be somebody in between."""
    settings = {**_settings(provider), "oidc_issuer": provider.issuer + "/"}
    with running_hub(tmp_path / "hub", **settings) as running:
        methods = httpx2.get(f"{running.url}{USERS}/auth-methods").json()
        assert (methods["oauth2"]["enabled"], methods["oauth2"]["providers"]) == (False, [])


@pytest.mark.parametrize("settings", [{"mfa_otp": "true", "smtp_host": "127.0.0.1", "smtp_from": "hub@example.org"}])
def test_a_provider_is_one_of_two_methods(
    client: httpx2.Client, provider: IdentityProvider, settings: dict[str, Any]
) -> None:
    provider.set_person("p-12", email="uma@example.org", **VERIFIED)
    first = log_in(client, provider, "p-12")
    assert (first.status_code, set(first.json())) == (401, {"mfaId"})
    body = {"identity": "uma", "password": PASSWORD, "mfaId": first.json()["mfaId"]}
    assert client.post(f"{USERS}/auth-with-password", json=body).status_code == 200


def test_guesses_at_codes_are_slowed_down(hub: RunningHub, client: httpx2.Client) -> None:
    begun = way(client)
    statuses = [come_back(client, begun, "a guess").status_code for _ in range(12)]
    assert statuses[-1] == 429
    hub.hub.accounts.throttle = LoginThrottle()


def test_browsers_bring_codes_to_the_client_that_waits(hub: RunningHub, client: httpx2.Client) -> None:
    """As PocketBase's JavaScript client does it: the state is the id of its event stream."""

    async def follow() -> tuple[httpx2.Response, dict[str, Any]]:
        async with event_stream(hub.url, None, "@oauth2") as stream:
            query = {"state": stream.client_id, "code": "the-code"}
            page = await asyncio.to_thread(client.get, "/api/oauth2-redirect", params=query)
            event = await stream.receive()
            return page, event.data

    page, told = asyncio.run(follow())
    assert page.status_code == 200
    assert "You are logged in" in page.text
    assert "script-src 'sha256-" in page.headers["content-security-policy"]
    assert told == {"state": told["state"], "code": "the-code", "error": ""}
    lost = client.get("/api/oauth2-redirect", params={"state": "<script>", "code": "x"})
    assert "was not completed" in lost.text
    assert "<script>" not in lost.text


def test_a_client_at_another_address_gets_a_code_only_if_its_owner_says_so(hub: RunningHub) -> None:
    """Or whoever sends people a link to the provider, with a state of their own, is logged in as those people."""

    async def follow() -> None:
        elsewhere = httpx2.AsyncHTTPTransport(local_address="127.0.0.2")
        async with (
            event_stream(hub.url, None, "@oauth2") as stream,
            httpx2.AsyncClient(base_url=hub.url, transport=elsewhere) as browser,
        ):
            query = {"state": stream.client_id, "code": "the-code"}
            page = await browser.get("/api/oauth2-redirect", params=query)
            assert "Is this login yours?" in page.text
            assert await stream.is_quiet()

    async def confirm() -> None:
        elsewhere = httpx2.AsyncHTTPTransport(local_address="127.0.0.2")
        async with (
            event_stream(hub.url, None, "@oauth2") as stream,
            httpx2.AsyncClient(base_url=hub.url, transport=elsewhere) as browser,
        ):
            query = {"state": stream.client_id, "code": "the-code"}
            assert (await browser.post("/api/oauth2-redirect", params=query)).status_code == 204
            assert (await stream.receive()).data["code"] == "the-code"

    asyncio.run(follow())
    asyncio.run(confirm())
