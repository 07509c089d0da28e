"""Letters handed to real servers: encryption is what was asked for, or the letter is not sent."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult

from beszel_hub.clock import system_clock
from beszel_hub.mail.letter import Letter
from beszel_hub.mail.smtp import STEP_TIMEOUT_SECONDS, Mailer, MailFailed, Security, SmtpServer
from tests.support.certificates import make_certificates
from tests.support.mailserver import MailServer, mail_server
from tests.support.programs import free_port

LETTER = Letter(recipient="uma@example.org", subject="hello", text="Grüße\n")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certificates")
    make_certificates(directory)
    return directory


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with mail_server(tmp_path_factory.mktemp("plain")) as server:
        yield server


@pytest.fixture(scope="module")
def starttls(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[MailServer]:
    pem = str(certificates / "server.pem")
    with mail_server(tmp_path_factory.mktemp("starttls"), "--tlscert", pem, "--tlskey", pem) as server:
        yield server


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[MailServer]:
    pem = str(certificates / "server.pem")
    with mail_server(tmp_path_factory.mktemp("tls"), "--smtpscert", pem, "--smtpskey", pem) as server:
        yield server


def send(port: int, security: Security, username: str = "", password: str = "") -> None:
    server = SmtpServer(
        host="127.0.0.1", port=port, sender="Hub <hub@example.org>", security=security, username=username,
        password=password,
    )  # fmt: skip
    asyncio.run(Mailer(server, system_clock).send(LETTER))


def test_a_letter_arrives(plain: MailServer) -> None:
    send(plain.port, "none")
    letter = plain.next_letter()
    assert (letter["From"], letter["To"], letter["Subject"]) == ("Hub <hub@example.org>", "uma@example.org", "hello")
    assert letter["X-RcptTo"] == "uma@example.org"
    body = letter.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode() == "Grüße\n"


def test_a_letter_arrives_over_tls(
    starttls: MailServer, tls: MailServer, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    send(starttls.port, "starttls")
    send(tls.port, "tls")
    assert starttls.next_letter()["Subject"] == tls.next_letter()["Subject"] == "hello"


def test_an_unknown_authority_is_not_trusted(starttls: MailServer, tls: MailServer) -> None:
    for server, security in ((starttls, "starttls"), (tls, "tls")):
        with pytest.raises(MailFailed, match="CERTIFICATE_VERIFY_FAILED"):
            send(server.port, "tls" if security == "tls" else "starttls")
    assert starttls.has_no_letter()


def test_a_server_without_encryption_gets_nothing_that_was_to_be_encrypted(plain: MailServer) -> None:
    with pytest.raises(MailFailed, match="SMTPNotSupportedError"):
        send(plain.port, "starttls")
    assert plain.has_no_letter()


def test_a_server_that_is_not_there_is_named() -> None:
    port = free_port()
    with pytest.raises(MailFailed, match=f"127.0.0.1 port {port}: .*refused"):
        send(port, "none")


def test_a_wrong_password_is_told_without_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(*arguments: object) -> AuthResult:
        data = arguments[-1]
        return AuthResult(success=getattr(data, "password", b"") == b"right", handled=False)

    made = make_certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.ca_file))
    controller = Controller(
        Sink(), hostname="127.0.0.1", port=free_port(), authenticator=check, auth_required=True,
        tls_context=made.server, require_starttls=True,
    )  # fmt: skip
    controller.start()
    try:
        send(controller.port, "starttls", "hub", "right")
        with pytest.raises(MailFailed) as failure:
            send(controller.port, "starttls", "hub", "wrong secret")
        assert "535" in str(failure.value)
        assert "wrong secret" not in str(failure.value)
    finally:
        controller.stop()


def test_a_server_that_says_nothing_keeps_nobody_from_ending() -> None:
    script = """
import asyncio, sys
from beszel_hub.clock import system_clock
from beszel_hub.mail.letter import Letter
from beszel_hub.mail.smtp import Mailer, SmtpServer

async def run():
    server = SmtpServer(host="127.0.0.1", port=int(sys.argv[1]), sender="hub@example.org", security="none")
    letter = Letter(recipient="uma@example.org", subject="", text="")
    async with asyncio.timeout(0.3):
        await Mailer(server, system_clock).send(letter)

try:
    asyncio.run(run())
except Exception as error:
    print(type(error).__name__)
"""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        argv = [sys.executable, "-c", script, str(silent.getsockname()[1])]
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=STEP_TIMEOUT_SECONDS - 5, check=True)
    assert ended.stdout == "TimeoutError\n"
