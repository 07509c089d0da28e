"""Addresses proved and changed by mail, over HTTP, with a real mail server."""

import re
from collections.abc import Iterator

import httpx2
import pytest

from beszel_hub.accounts import queries
from beszel_hub.accounts.tokens import RESET_LIFETIME_SECONDS, VERIFICATION_LIFETIME_SECONDS
from beszel_hub.clock import system_clock
from tests.support.mailserver import MailServer, mail_server
from tests.support.people import start_over
from tests.support.runninghub import PASSWORD, RunningHub, running_hub

USERS = "/api/collections/users"
EVE = "eve@example.org"


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with mail_server(tmp_path_factory.mktemp("mail")) as server:
        yield server


@pytest.fixture(scope="module")
def shared_hub(tmp_path_factory: pytest.TempPathFactory, mail: MailServer) -> Iterator[RunningHub]:
    settings = {
        "smtp_host": mail.host, "smtp_port": mail.port, "smtp_from": "hub@example.org", "smtp_tls": "none",
        "app_url": "https://hub.example.org",
    }  # fmt: skip
    with running_hub(tmp_path_factory.mktemp("hub"), **settings) as running:
        yield running


@pytest.fixture
def hub(shared_hub: RunningHub, mail: MailServer) -> Iterator[RunningHub]:
    """With ada and uma; a test reads all the letters that it makes the hub write."""
    start_over(shared_hub)
    yield shared_hub
    shared_hub.call(shared_hub.hub.desk.mailroom.wait_idle())
    assert mail.has_no_letter()


@pytest.fixture
def client(hub: RunningHub) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=hub.url, timeout=10) as opened:
        yield opened


def post(client: httpx2.Client, path: str, login: str = "", **body: object) -> httpx2.Response:
    headers = {"Authorization": login} if login else {}
    return client.post(f"{USERS}/{path}", json=body, headers=headers)


def log_in(client: httpx2.Client, identity: str = "uma") -> httpx2.Response:
    return post(client, "auth-with-password", identity=identity, password=PASSWORD)


def token_of(client: httpx2.Client, identity: str = "uma") -> str:
    token: str = log_in(client, identity).raise_for_status().json()["token"]
    return token


def invite(client: httpx2.Client) -> str:
    """The id of a user whom an administrator has made and who has not proved their address."""
    body = {"email": EVE, "password": PASSWORD, "verified": False}
    made = client.post(f"{USERS}/records", json=body, headers={"Authorization": token_of(client, "ada")})
    user_id: str = made.raise_for_status().json()["id"]
    return user_id


def read_token(mail: MailServer, path: str) -> str:
    match = re.search(rf"https://hub\.example\.org{path}#(ey[\w.-]+)", mail.next_text())
    assert match is not None
    return match[1]


def test_a_new_user_proves_the_address_and_may_come_in(client: httpx2.Client, mail: MailServer) -> None:
    invite(client)
    assert log_in(client, EVE).status_code == 403
    assert post(client, "request-verification", email=EVE.upper()).status_code == 204
    token = read_token(mail, "/verify-email")
    for _ in range(2):  # links are opened more than once
        answer = post(client, "confirm-verification", token=token)
        assert answer.status_code == 204, answer.text
    assert log_in(client, EVE).json()["record"]["verified"] is True


def test_requests_for_proof_do_not_tell_who_is_here(client: httpx2.Client) -> None:
    """No letter either: to nobody, to who is verified, or to a superuser as such."""
    for email in ("uma@example.org", "nobody@example.org", "ada@example.org"):
        answer = post(client, "request-verification", email=email)
        assert (answer.status_code, answer.content) == (204, b"")


def test_whom_an_administrator_has_shut_out_proves_nothing(client: httpx2.Client, mail: MailServer) -> None:
    """Whoever keeps the mailbox does not open an account that was blocked, also not with an older letter."""
    user_id = invite(client)
    post(client, "request-verification", email=EVE)
    token = read_token(mail, "/verify-email")
    admin = {"Authorization": token_of(client, "ada")}
    for verified in (True, False):
        changed = client.patch(f"{USERS}/records/{user_id}", json={"verified": verified}, headers=admin)
        assert changed.status_code == 200
    assert post(client, "confirm-verification", token=token).status_code == 400
    assert post(client, "request-verification", email=EVE).status_code == 204, "and no letter follows"
    assert log_in(client, EVE).status_code == 403


def test_a_proof_is_of_one_address(client: httpx2.Client, mail: MailServer) -> None:
    user_id = invite(client)
    post(client, "request-verification", email=EVE)
    token = read_token(mail, "/verify-email")
    admin = {"Authorization": token_of(client, "ada")}
    client.patch(f"{USERS}/records/{user_id}", json={"email": "other@example.org"}, headers=admin).raise_for_status()
    assert post(client, "confirm-verification", token=token).status_code == 400


def test_a_user_takes_another_address(client: httpx2.Client, mail: MailServer) -> None:
    login = token_of(client)
    assert post(client, "request-email-change", login, newEmail="New@example.org").status_code == 204
    token = read_token(mail, "/change-email")
    wrong = post(client, "confirm-email-change", token=token, password="wrong horse battery")
    assert (wrong.status_code, set(wrong.json()["data"])) == (400, {"password"})
    assert post(client, "confirm-email-change", token=token, password=PASSWORD).status_code == 204
    assert post(client, "auth-refresh", login).status_code == 401, "every token ends"
    assert log_in(client, "new@example.org").json()["record"]["email"] == "New@example.org"
    assert post(client, "confirm-email-change", token=token, password=PASSWORD).status_code == 400, "once"


def test_a_taken_address_is_not_told(client: httpx2.Client, hub: RunningHub, mail: MailServer) -> None:
    """Neither at the request, nor is it taken over by a letter from before it was taken."""
    login = token_of(client)
    assert post(client, "request-email-change", login, newEmail="ada@example.org").status_code == 204
    assert post(client, "request-email-change", login, newEmail="late@example.org").status_code == 204
    token = read_token(mail, "/change-email")
    hub.create_user("late@example.org")
    taken = post(client, "confirm-email-change", token=token, password=PASSWORD)
    assert (taken.status_code, set(taken.json()["data"])) == (400, {"email"})
    assert post(client, "auth-refresh", login).status_code == 200


def test_what_cannot_be_an_address_is_refused(client: httpx2.Client) -> None:
    login = token_of(client)
    for text in ("", "uma", "a@b@c", "x" * 300 + "@example.org", "a\r\nBcc: b@example.org"):
        refusal = post(client, "request-email-change", login, newEmail=text)
        assert (refusal.status_code, set(refusal.json()["data"])) == (400, {"newEmail"}), text


def test_only_a_login_moves_an_account(client: httpx2.Client, hub: RunningHub) -> None:
    user_id = log_in(client).json()["record"]["id"]
    for token in (hub.create_token(user_id, "write"), hub.create_token(user_id)):
        assert post(client, "request-email-change", token, newEmail="new@example.org").status_code == 403
    assert post(client, "request-email-change", newEmail="new@example.org").status_code == 401


def test_each_letter_has_its_own_sort_of_token(client: httpx2.Client, mail: MailServer) -> None:
    login = token_of(client)
    post(client, "request-email-change", login, newEmail="new@example.org")
    change = read_token(mail, "/change-email")
    post(client, "request-password-reset", email="uma@example.org")
    reset = read_token(mail, "/reset-password")
    tries = (
        ("confirm-verification", {"token": change}), ("confirm-verification", {"token": reset}),
        ("confirm-verification", {"token": login}), ("confirm-email-change", {"token": reset, "password": PASSWORD}),
        ("confirm-email-change", {"token": login, "password": PASSWORD}),
        ("confirm-password-reset", {"token": change, "password": PASSWORD, "passwordConfirm": PASSWORD}),
    )  # fmt: skip
    for path, body in tries:
        refusal = post(client, path, **body)
        assert (refusal.status_code, set(refusal.json()["data"])) == (400, {"token"}), path
    assert post(client, "auth-refresh", change).status_code == 401


def test_letters_expire(
    hub: RunningHub, client: httpx2.Client, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite(client)
    post(client, "request-verification", email=EVE)
    proof = read_token(mail, "/verify-email")
    post(client, "request-email-change", token_of(client), newEmail="new@example.org")
    change = read_token(mail, "/change-email")
    for seconds, path, body in (
        (RESET_LIFETIME_SECONDS, "confirm-email-change", {"token": change, "password": PASSWORD}),
        (VERIFICATION_LIFETIME_SECONDS, "confirm-verification", {"token": proof}),
    ):
        late_ms = system_clock() + seconds * 1000
        monkeypatch.setattr(hub.hub.desk.addresses, "_clock", lambda late_ms=late_ms: late_ms)
        assert post(client, path, **body).status_code == 400, path


def test_a_proof_is_noted(hub: RunningHub, client: httpx2.Client, mail: MailServer) -> None:
    user_id = invite(client)
    post(client, "request-verification", email=EVE)
    post(client, "confirm-verification", token=read_token(mail, "/verify-email")).raise_for_status()
    account = hub.hub.database.read_now(lambda: queries.find_account(user_id))
    assert account is not None
    assert (account.verified, account.is_invited) == (True, False)
    admin = {"Authorization": token_of(client, "ada")}
    entries = client.get("/api/collections/audit_log/records?filter=action='users.verified'", headers=admin).json()
    assert user_id in [entry["record"] for entry in entries["items"]]
