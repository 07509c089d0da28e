"""Certificates: what is looked at before they are used, and that new ones are taken without a restart."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from beszel_hub.door.tls import TlsFiles
from beszel_hub.errors import StartError
from tests.support.certificates import Certificates, make_certificates
from tests.support.programs import Process, clean_environment, program, run, running, wait_until


@pytest.fixture
def made(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


def test_a_key_that_others_can_read_is_refused(made: Certificates) -> None:
    TlsFiles(made.server_file, made.server_file)
    made.server_file.chmod(0o640)
    TlsFiles(made.server_file, made.server_file)  # as Debian's group ssl-cert has it
    for mode in (0o644, 0o604, 0o660, 0o601):
        made.server_file.chmod(mode)
        with pytest.raises(StartError, match=f"has mode {mode:04o}"):
            TlsFiles(made.server_file, made.server_file)


def test_files_that_are_no_certificate_are_refused(made: Certificates, tmp_path: Path) -> None:
    with pytest.raises(StartError, match="No such file"):
        TlsFiles(tmp_path / "none.pem", made.server_file)
    with pytest.raises(StartError, match="cannot be used"):
        TlsFiles(made.ca_file, made.server_file)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        generate_private_key(SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        )
    )
    locked.chmod(0o600)
    with pytest.raises(StartError, match="needs a passphrase"):
        TlsFiles(made.server_file, locked)


def test_old_versions_of_tls_are_not_spoken(made: Certificates) -> None:
    assert TlsFiles(made.server_file, made.server_file).context.minimum_version is ssl.TLSVersion.TLSv1_2


class Server:
    """A hub that serves HTTPS, as a process."""

    def __init__(self, directory: Path, made: Certificates, process: Process) -> None:
        self.directory = directory
        self.process = process
        self.certificate = directory / "server.pem"
        self.url = wait_until("the address is noted", self._read_address)
        self.port = int(self.url.rpartition(":")[2])

    def _read_address(self) -> str | None:
        assert self.process.is_running, self.process.text()
        path = self.directory / "data" / "address"
        return path.read_text().strip() if path.exists() else None

    def serial(self, ca_file: Path) -> str:
        """Of the certificate that a new connection is shown and verifies."""
        context = ssl.create_default_context(cafile=str(ca_file))
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            shown = connection.getpeercert()
        assert shown is not None
        return str(shown["serialNumber"])

    def hang_up(self, said: str) -> None:
        os.kill(self.process.pid, signal.SIGHUP)
        wait_until(said, lambda: said in self.process.text())


@pytest.fixture
def server(tmp_path: Path, made: Certificates) -> Iterator[Server]:
    argv = [
        program("beszel-hub"), "serve", "--http", "127.0.0.1:0", "--dir", str(tmp_path / "data"),
        "--tls-cert", str(made.server_file), "--tls-key", str(made.server_file),
    ]  # fmt: skip
    with running(argv, clean_environment(tmp_path), tmp_path / "hub.log") as process:
        yield Server(tmp_path, made, process)


@pytest.mark.system
def test_a_hub_serves_https_and_takes_a_new_certificate(
    server: Server, made: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    verified = ssl.create_default_context(cafile=str(made.ca_file))
    assert server.url.startswith("https://127.0.0.1:")
    with httpx2.Client(base_url=server.url, verify=verified) as client:
        answer = client.get("/api/health")
        assert (answer.status_code, answer.headers["strict-transport-security"]) == (200, "max-age=2592000")
        with pytest.raises(httpx2.HTTPError):
            httpx2.get(server.url.replace("https", "http") + "/api/health")
        said = run(
            [program("beszel-hub"), "health", "--dir", str(server.directory / "data")],
            clean_environment(server.directory),
        )
        assert said == "The hub is well.\n"

        first = server.serial(made.ca_file)
        renewed = make_certificates(tmp_path_factory.mktemp("renewed"))
        shutil.copy(renewed.server_file, made.server_file)
        server.hang_up("was read again")
        assert server.serial(renewed.ca_file) != first
        assert client.get("/api/health").status_code == 200, "open connections go on"

        made.server_file.write_text("half a certifi")
        server.hang_up("the certificate stays as it is")
        assert server.serial(renewed.ca_file) != first


@pytest.mark.system
def test_half_a_setting_is_refused(tmp_path: Path, made: Certificates) -> None:
    argv = [program("beszel-hub"), "serve", "--dir", str(tmp_path / "data"), "--tls-cert", str(made.server_file)]
    ended = subprocess.run(
        argv, env=clean_environment(tmp_path), capture_output=True, text=True, timeout=20, check=False
    )
    assert (ended.returncode, ended.stderr) == (2, "beszel-hub: TLS_CERT and TLS_KEY need each other\n")
