"""Codes and resets by mail, over HTTP, with a real mail server; and what they tell about who is here: nothing."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest

from beszel_hub.accounts.codes import CODE_ATTEMPTS, CODE_LIFETIME_SECONDS
from beszel_hub.accounts.mailthrottle import MailThrottle
from beszel_hub.accounts.tables import LoginCode, Session
from beszel_hub.accounts.throttle import LoginThrottle
from beszel_hub.accounts.tokens import RESET_LIFETIME_SECONDS
from beszel_hub.clock import system_clock
from beszel_hub.hub import Hub
from beszel_hub.mail.letter import Letter
from beszel_hub.mail.smtp import MailFailed
from tests.support.mailserver import MailServer, mail_server
from tests.support.people import start_over
from tests.support.runninghub import PASSWORD, RunningHub, running_hub

T = TypeVar("T")
USERS = "/api/collections/users"
NEW_PASSWORD = "a new password"


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with mail_server(tmp_path_factory.mktemp("mail")) as server:
        yield server


@pytest.fixture(scope="module")
def shared_hub(tmp_path_factory: pytest.TempPathFactory, mail: MailServer) -> Iterator[RunningHub]:
    with running_hub(tmp_path_factory.mktemp("hub"), **_settings(mail)) as running:
        yield running


@pytest.fixture
def hub(
    tmp_path: Path, mail: MailServer, shared_hub: RunningHub, request: pytest.FixtureRequest
) -> Iterator[RunningHub]:
    """The shared one, unless the test is parametrized with `settings` of its own."""
    callspec = getattr(request.node, "callspec", None)
    wanted = {} if callspec is None else callspec.params.get("settings", {})
    if not wanted:
        start_over(shared_hub)
        yield shared_hub
        return
    with running_hub(tmp_path / "hub", **{**_settings(mail), **wanted}) as running:
        start_over(running)
        yield running


@pytest.fixture(autouse=True)
def no_letter_too_many(hub: RunningHub, mail: MailServer) -> Iterator[None]:
    """A test reads all the letters that it makes the hub write."""
    yield
    hub.call(hub.hub.desk.mailroom.wait_idle())
    assert mail.has_no_letter()


def _settings(mail: MailServer) -> dict[str, Any]:
    return {
        "login_by_email": True, "smtp_host": mail.host, "smtp_port": mail.port, "smtp_from": "hub@example.org",
        "smtp_tls": "none", "app_url": "https://hub.example.org",
    }  # fmt: skip


@pytest.fixture
def client(hub: RunningHub) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=hub.url, timeout=10) as opened:
        yield opened


def post(client: httpx2.Client, path: str, **body: object) -> httpx2.Response:
    return client.post(f"{USERS}/{path}", json=body)


def get_code(client: httpx2.Client, mail: MailServer, email: str = "uma@example.org") -> tuple[str, str]:
    code_id: str = post(client, "request-otp", email=email).raise_for_status().json()["otpId"]
    return code_id, mail.next_code()


def log_in(client: httpx2.Client, identity: str = "uma", password: str = PASSWORD, **more: str) -> httpx2.Response:
    return post(client, "auth-with-password", identity=identity, password=password, **more)


def counted(call: Callable[[Any], T], name: str, calls: list[str]) -> Callable[[Any], T]:
    """The same call, noting its name each time."""

    def noting(argument: Any) -> T:
        calls.append(name)
        return call(argument)

    return noting


def forget_attempts(hub: Hub) -> None:
    hub.accounts.throttle = LoginThrottle()
    hub.desk.mailroom.throttle = MailThrottle()


def test_a_code_logs_in_once(hub: RunningHub, client: httpx2.Client, mail: MailServer) -> None:
    code_id, code = get_code(client, mail)
    assert len(code) == 8, "a code that is enough by itself is longer"
    answer = post(client, "auth-with-otp", otpId=code_id, password=code)
    assert answer.status_code == 200
    assert answer.json()["record"]["email"] == "uma@example.org"
    assert post(client, "auth-with-otp", otpId=code_id, password=code).status_code == 400
    (method,) = hub.hub.database.read_now(lambda: [row.method for row in Session.select()])
    assert method == "otp"


def test_a_code_holds_few_guesses(client: httpx2.Client, mail: MailServer) -> None:
    code_id, code = get_code(client, mail)
    wrong = f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"
    for _ in range(CODE_ATTEMPTS):
        assert post(client, "auth-with-otp", otpId=code_id, password=wrong).status_code == 400
    assert post(client, "auth-with-otp", otpId=code_id, password=code).status_code == 400


def test_a_code_holds_minutes(hub: RunningHub, client: httpx2.Client, mail: MailServer) -> None:
    code_id, code = get_code(client, mail)

    def age() -> None:
        LoginCode.update(expires=LoginCode.expires - CODE_LIFETIME_SECONDS * 1000).execute()

    hub.hub.database.write_now(age)
    assert post(client, "auth-with-otp", otpId=code_id, password=code).status_code == 400


def test_the_database_does_not_have_the_code(hub: RunningHub, client: httpx2.Client, mail: MailServer) -> None:
    _, code = get_code(client, mail)
    (digest,) = hub.hub.database.read_now(lambda: [bytes(row.digest) for row in LoginCode.select()])
    assert code.encode() not in digest
    assert len(digest) == 32


def test_a_letter_that_fails_keeps_no_other(
    hub: RunningHub, client: httpx2.Client, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailer = hub.hub.desk.mailroom._mailer
    for error in (MailFailed("the server is gone"), RuntimeError("a mistake of ours")):

        async def fail(_: Letter, error: Exception = error) -> None:
            raise error

        with monkeypatch.context() as broken:
            broken.setattr(mailer, "send", fail)
            assert post(client, "request-otp", email="uma@example.org").status_code == 200
            hub.call(hub.hub.desk.mailroom.wait_idle())
    code_id, code = get_code(client, mail)
    assert post(client, "auth-with-otp", otpId=code_id, password=code).status_code == 200


def test_requests_for_mail_do_not_tell_who_is_here(client: httpx2.Client, mail: MailServer) -> None:
    """The answer is made before anybody looks, so neither its form nor its delay can depend on that."""
    known = post(client, "request-otp", email="uma@example.org")
    unknown = post(client, "request-otp", email="nobody@example.org")
    assert known.status_code == unknown.status_code == 200
    assert re.fullmatch(r"[a-z0-9]{15}", known.json()["otpId"])
    assert re.fullmatch(r"[a-z0-9]{15}", unknown.json()["otpId"])
    assert set(known.json()) == set(unknown.json()) == {"otpId"}
    resets = [post(client, "request-password-reset", email=f"{name}@example.org") for name in ("uma", "nobody")]
    assert [(reset.status_code, reset.content) for reset in resets] == [(204, b""), (204, b"")]
    assert mail.next_letter()["To"] == mail.next_letter()["To"] == "uma@example.org"


def test_mail_is_throttled_by_recipient_whoever_that_is(client: httpx2.Client, mail: MailServer) -> None:
    for email in ("uma@example.org", "nobody@example.org"):
        statuses = [post(client, "request-otp", email=email).status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 200, 429], email
    for _ in range(4):
        mail.next_letter()


def test_tokens_that_outlive_a_password_change(hub: RunningHub, client: httpx2.Client, mail: MailServer) -> None:
    """Resetting ends logins, API tokens and the token of the mail itself."""
    user_id = log_in(client).json()["record"]["id"]
    tokens = [log_in(client).json()["token"], hub.create_token(user_id)]
    assert post(client, "request-password-reset", email="UMA@example.org").status_code == 204
    token = _read_token(mail)
    body = {"token": token, "password": NEW_PASSWORD, "passwordConfirm": NEW_PASSWORD}
    assert post(client, "confirm-password-reset", **body).status_code == 204
    assert post(client, "confirm-password-reset", **body).status_code == 400, "once"
    for old in tokens:
        headers = {"Authorization": old}
        assert client.post(f"{USERS}/auth-refresh", headers=headers).status_code == 401
    assert log_in(client).status_code == 400
    assert log_in(client, password=NEW_PASSWORD).status_code == 200


def test_a_reset_needs_its_own_sort_of_token(client: httpx2.Client, mail: MailServer) -> None:
    login = log_in(client).json()["token"]
    body = {"password": NEW_PASSWORD, "passwordConfirm": NEW_PASSWORD}
    for token in (login, "x", f"{login}x", login.rpartition(".")[0] + "."):
        refusal = post(client, "confirm-password-reset", token=token, **body)
        assert (refusal.status_code, set(refusal.json()["data"])) == (400, {"token"})
    post(client, "request-password-reset", email="uma@example.org")
    reset = _read_token(mail)
    assert client.post(f"{USERS}/auth-refresh", headers={"Authorization": reset}).status_code == 401
    for wrong in ({"password": "short"}, {"passwordConfirm": "another password"}):
        assert post(client, "confirm-password-reset", **{"token": reset, **body, **wrong}).status_code == 400


def test_a_reset_expires(
    hub: RunningHub, client: httpx2.Client, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(client, "request-password-reset", email="uma@example.org")
    token = _read_token(mail)
    late = system_clock() + RESET_LIFETIME_SECONDS * 1000
    monkeypatch.setattr(hub.hub.desk.recovery, "_clock", lambda: late)
    body = {"token": token, "password": NEW_PASSWORD, "passwordConfirm": NEW_PASSWORD}
    assert post(client, "confirm-password-reset", **body).status_code == 400


def test_the_host_header_is_not_in_the_link(client: httpx2.Client, mail: MailServer) -> None:
    headers = {"Host": "evil.example.net", "X-Forwarded-Host": "evil.example.net"}
    client.post(f"{USERS}/request-password-reset", json={"email": "uma@example.org"}, headers=headers)
    text = mail.next_text()
    assert "https://hub.example.org/reset-password#ey" in text
    assert "evil" not in text


def test_blocked_users_get_neither_mail_nor_in(hub: RunningHub, client: httpx2.Client, mail: MailServer) -> None:
    code_id, code = get_code(client, mail)
    token = log_in(client).json()["token"]
    ada = log_in(client, "ada").json()["token"]
    uma_id = client.post(f"{USERS}/auth-refresh", headers={"Authorization": token}).json()["record"]["id"]
    blocked = client.patch(f"{USERS}/records/{uma_id}", json={"verified": False}, headers={"Authorization": ada})
    assert blocked.status_code == 200
    assert client.post(f"{USERS}/auth-refresh", headers={"Authorization": token}).status_code == 401
    assert post(client, "auth-with-otp", otpId=code_id, password=code).status_code == 403
    assert log_in(client).status_code == 403
    post(client, "request-password-reset", email="uma@example.org")
    post(client, "request-otp", email="uma@example.org")


@pytest.mark.parametrize("settings", [{"mfa_otp": "true", "login_by_email": False}])
def test_two_methods_are_needed(client: httpx2.Client, mail: MailServer, settings: dict[str, Any]) -> None:
    first = log_in(client)
    assert (first.status_code, set(first.json())) == (401, {"mfaId"})
    mfa_id = first.json()["mfaId"]
    assert log_in(client, mfaId=mfa_id).status_code == 400, "the same method twice is one method"
    code_id, code = get_code(client, mail)
    assert len(code) == 6, "as Beszel's client expects"
    wrong = post(client, "auth-with-otp", otpId=code_id, password=code, mfaId="x" * 15)
    assert wrong.status_code == 400
    code_id, code = get_code(client, mail)
    done = post(client, "auth-with-otp", otpId=code_id, password=code, mfaId=mfa_id)
    assert done.status_code == 200
    assert done.json()["token"].startswith("ey")
    code_id, code = get_code(client, mail)
    assert post(client, "auth-with-otp", otpId=code_id, password=code, mfaId=mfa_id).status_code == 400, "holds once"


@pytest.mark.parametrize("settings", [{"mfa_otp": "true", "login_by_email": False}])
def test_the_code_may_come_first(client: httpx2.Client, mail: MailServer, settings: dict[str, Any]) -> None:
    code_id, code = get_code(client, mail)
    first = post(client, "auth-with-otp", otpId=code_id, password=code)
    assert (first.status_code, set(first.json())) == (401, {"mfaId"})
    assert log_in(client, mfaId=first.json()["mfaId"]).status_code == 200


@pytest.mark.parametrize("settings", [{"mfa_otp": "true", "login_by_email": False}])
def test_the_half_of_somebody_else_is_none(client: httpx2.Client, mail: MailServer, settings: dict[str, Any]) -> None:
    mfa_id = log_in(client, "ada").json()["mfaId"]
    code_id, code = get_code(client, mail)
    assert post(client, "auth-with-otp", otpId=code_id, password=code, mfaId=mfa_id).status_code == 400


@pytest.mark.parametrize("settings", [{"mfa_otp": "superusers", "login_by_email": False}])
def test_administrators_need_two_wherever_they_log_in(
    client: httpx2.Client, mail: MailServer, settings: dict[str, Any]
) -> None:
    assert log_in(client).status_code == 200
    for path in ("collections/users", "collections/_superusers", "admins"):
        answer = client.post(f"/api/{path}/auth-with-password", json={"identity": "ada", "password": PASSWORD})
        assert (answer.status_code, set(answer.json())) == (401, {"mfaId"}), path
    code_id, code = get_code(client, mail)
    assert post(client, "auth-with-otp", otpId=code_id, password=code).status_code == 403, "a code alone is not enough"


@pytest.mark.parametrize("settings", [{"disable_password_auth": True}])
def test_passwords_can_be_switched_off(client: httpx2.Client, mail: MailServer, settings: dict[str, Any]) -> None:
    methods = client.get(f"{USERS}/auth-methods").json()
    assert (methods["password"]["enabled"], methods["otp"]["enabled"]) == (False, True)
    for path in ("collections/users", "collections/_superusers", "admins"):
        body = {"identity": "ada", "password": PASSWORD}
        assert client.post(f"/api/{path}/auth-with-password", json=body).status_code == 403
    assert post(client, "request-password-reset", email="uma@example.org").status_code == 403
    code_id, code = get_code(client, mail)
    assert post(client, "auth-with-otp", otpId=code_id, password=code).status_code == 200


def test_login_timing_and_enumeration(hub: RunningHub, client: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shown by structure: a login that fails costs one hash and one commit, whoever it is for."""
    costs: list[str] = []
    hasher, database = hub.hub.accounts.hasher, hub.hub.database
    monkeypatch.setattr(hasher, "_run", counted(hasher._run, "hash", costs))
    monkeypatch.setattr(database, "write", counted(database.write, "commit", costs))

    def cost_of(answer: httpx2.Response) -> tuple[int, Any, list[str]]:
        spent = sorted(costs)
        costs.clear()
        forget_attempts(hub.hub)
        return answer.status_code, answer.json(), spent

    wrong = cost_of(log_in(client, "uma", "wrong horse battery"))
    assert wrong == cost_of(log_in(client, "nobody", "wrong horse battery"))
    assert wrong[2] == ["commit", "hash"]
    not_super = client.post(
        "/api/collections/_superusers/auth-with-password", json={"identity": "uma", "password": PASSWORD}
    )
    assert wrong == cost_of(not_super)


def test_codes_do_not_tell_who_is_here(
    hub: RunningHub, client: httpx2.Client, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, code = get_code(client, mail)
    unknown = post(client, "request-otp", email="nobody@example.org").json()["otpId"]
    commits: list[str] = []
    monkeypatch.setattr(hub.hub.database, "write", counted(hub.hub.database.write, "commit", commits))
    wrong = f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"
    answers = []
    for code_id in (known, unknown):
        commits.clear()
        answer = post(client, "auth-with-otp", otpId=code_id, password=wrong)
        answers.append((answer.status_code, answer.json(), len(commits)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 400


def _read_token(mail: MailServer) -> str:
    match = re.search(r"#(ey[\w.-]+)", mail.next_text())
    assert match is not None
    return match[1]
