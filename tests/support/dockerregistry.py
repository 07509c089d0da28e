"""A real registry on loopback, into which a test puts images by the API that engines push with.

With a `realm` it wants tokens, and believes those that `grant` signs.
"""

import base64
import hashlib
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.support.programs import free_port, wait_until
from tests.support.services import need_program

ISSUER, SERVICE = "the test", "the registry"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"


class TokenKey:
    """The key of a token server, in a certificate that the registry is told to trust."""

    def __init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(name, name, self._key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
        self.certificate = builder.sign(self._key, SHA256())

    def grant(self, repository: str, *actions: str) -> str:
        now = int(time.time())
        access = [{"type": "repository", "name": repository, "actions": list(actions)}]
        claims = {
            "iss": ISSUER, "aud": SERVICE, "sub": "", "iat": now, "nbf": now - 60, "exp": now + 60, "jti": "1",
            "access": access,
        }  # fmt: skip
        chain = [base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode()]
        return jwt.encode(claims, self._key, "ES256", headers={"x5c": chain})


class DockerRegistry:
    def __init__(self, port: int, key: TokenKey | None) -> None:
        self.name = f"127.0.0.1:{port}"
        self.url = f"http://{self.name}"
        self._key = key

    def push(self, repository: str, tag: str, content: str) -> str:
        """An image for two platforms, made of `content`; returns the digest of the list that its tag stands for."""
        with httpx2.Client(base_url=self.url, headers=self._headers(repository)) as client:
            config = self._put_blob(client, repository, json.dumps({"os": "linux", "x": content}).encode())
            layer = self._put_blob(client, repository, content.encode())
            manifests = []
            for architecture in ("amd64", "arm64"):
                document = {
                    "schemaVersion": 2, "mediaType": _MANIFEST, "annotations": {"for": architecture},
                    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
                    "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **layer}],
                }  # fmt: skip
                told = self._put_manifest(client, f"/v2/{repository}/manifests/", _MANIFEST, document)
                platform = {"architecture": architecture, "os": "linux"}
                manifests.append({"mediaType": _MANIFEST, "platform": platform, **told})
            index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests}
            return str(self._put_manifest(client, f"/v2/{repository}/manifests/{tag}", _INDEX, index)["digest"])

    def _headers(self, repository: str) -> dict[str, str]:
        return {} if self._key is None else {"Authorization": f"Bearer {self._key.grant(repository, 'pull', 'push')}"}

    @staticmethod
    def _put_blob(client: httpx2.Client, repository: str, content: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        begun = client.post(f"/v2/{repository}/blobs/uploads/")
        assert begun.status_code == 202, begun.text
        place = httpx2.URL(begun.headers["Location"]).copy_merge_params({"digest": digest})
        assert client.put(place, content=content).status_code == 201
        return {"digest": digest, "size": len(content)}

    @staticmethod
    def _put_manifest(client: httpx2.Client, path: str, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        content = json.dumps(document).encode()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        path += digest if path.endswith("/") else ""
        answer = client.put(path, content=content, headers={"Content-Type": kind})
        assert answer.status_code == 201, answer.text
        return {"digest": digest, "size": len(content)}


@contextmanager
def docker_registry(
    directory: Path, *, realm: str | None = None, key: TokenKey | None = None
) -> Iterator[DockerRegistry]:
    """`realm` and `key` go together."""
    program = need_program("docker-registry")
    port = free_port()
    config: dict[str, Any] = {
        "version": "0.1", "storage": {"filesystem": {"rootdirectory": str(directory / "images")}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": "of this test"}, "log": {"accesslog": {"disabled": True}},
    }  # fmt: skip
    if key is not None:
        bundle = directory / "bundle.pem"
        bundle.write_bytes(key.certificate.public_bytes(Encoding.PEM))
        token = {"realm": realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(bundle)}
        config["auth"] = {"token": token}
    config_file = directory / "config.yml"
    config_file.write_text(json.dumps(config))
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(config_file)], stdout=log, stderr=log)
    try:
        registry = DockerRegistry(port, key)
        wait_until("the registry answers", lambda: process.poll() is not None or _answers(registry))
        assert process.poll() is None, (directory / "log").read_text()
        yield registry
    finally:
        process.terminate()
        process.wait(10)


def _answers(registry: DockerRegistry) -> bool:
    try:
        return httpx2.get(f"{registry.url}/v2/").status_code in {200, 401}
    except httpx2.HTTPError:
        return False
