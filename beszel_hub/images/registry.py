"""Asks a registry what a tag is now, with `HEAD /v2/<name>/manifests/<tag>`: Docker Hub does not count it as a pull.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import asyncio
import ssl
from typing import Final
from urllib.parse import urljoin

from beszel_hub.images.challenge import read_challenge, read_token, token_url
from beszel_hub.images.egress import connect
from beszel_hub.images.exchange import Answer, exchange
from beszel_hub.images.failures import ImageUnknown, RegistryUnwell
from beszel_hub.images.policy import Policy
from beszel_hub.notifications.egress import Resolve, resolve
from beszel_protocol.images import ImageReference, is_digest
from beszel_protocol.targets import Url

TIMEOUT_SECONDS: Final = 20.0
"""For one image, however many exchanges that takes."""
MANIFEST_TYPES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""As engines ask: the digest under which they know an image is that of what they were given."""
MAX_REDIRECTS: Final = 4
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_UNKNOWN_STATUSES: Final = frozenset({400, 401, 403, 404, 405, 410})


class Registries:
    """Whatever the policy lets be asked, without credentials."""

    def __init__(self, policy: Policy, resolve: Resolve = resolve, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._policy = policy
        self._resolve = resolve
        self._timeout_seconds = timeout_seconds

    async def digest_of(self, reference: ImageReference) -> str:
        """The `sha256:…` of a tag. Raise `RegistryFailed`."""
        base = self._policy.base_of(reference.registry)
        url = base._replace(path=f"/v2/{reference.repository}/manifests/{reference.tag}")
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = await self._ask_for_manifest(url, reference.repository)
        except TimeoutError as error:
            raise RegistryUnwell("it takes too long") from error
        except ssl.SSLCertVerificationError as error:
            raise RegistryUnwell("its certificate is not trusted") from error
        except OSError as error:
            raise RegistryUnwell("the connection broke") from error
        except ValueError as error:  # a name that the resolver or TLS does not take for one
            raise ImageUnknown("nothing can be asked there") from error
        return _digest_in(answer)

    async def _ask_for_manifest(self, url: Url, repository: str) -> Answer:
        headers = {"Accept": ", ".join(MANIFEST_TYPES)}
        url, answer = await self._head(url, headers)
        if answer.status != 401:
            return _checked(answer)
        challenge = read_challenge(answer.headers.get("www-authenticate", ""))
        realm = token_url(self._policy.other(challenge.realm), challenge, repository)
        token = read_token(_checked(await self._exchange("GET", realm, {"Accept": "application/json"})).body)
        _, answer = await self._head(url, headers | {"Authorization": f"Bearer {token}"})
        return _checked(answer)

    async def _head(self, url: Url, headers: dict[str, str]) -> tuple[Url, Answer]:
        """Some registries only know where their images are kept. A token never follows to another server."""
        for _ in range(MAX_REDIRECTS):
            answer = await self._exchange("HEAD", url, headers)
            if answer.status not in _REDIRECTS:
                return url, answer
            there = self._policy.other(urljoin(str(url), answer.headers.get("location", "")))
            if there[:3] != url[:3]:
                headers = {name: value for name, value in headers.items() if name != "Authorization"}
            url = there
        raise ImageUnknown("it redirects again and again")

    async def _exchange(self, method: str, url: Url, headers: dict[str, str]) -> Answer:
        sock = await connect(url.host, url.port, self._policy.limit_of(url), self._resolve)
        return await exchange(sock, method, url, headers)


def _checked(answer: Answer) -> Answer:
    """An answer that says yes."""
    if answer.status == 200:
        return answer
    if answer.status in _UNKNOWN_STATUSES or 300 <= answer.status < 400:
        raise ImageUnknown(f"it answers HTTP {answer.status}")
    wish = answer.headers.get("retry-after", "")
    is_number = wish.isascii() and wish.isdecimal() and len(wish) < 10
    raise RegistryUnwell(f"it answers HTTP {answer.status}", retry_after_seconds=int(wish) if is_number else None)


def _digest_in(answer: Answer) -> str:
    """Of a manifest in a form that was asked for: others have digests of their own."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    digest = answer.headers.get("docker-content-digest", "")
    if kind not in MANIFEST_TYPES or not is_digest(digest):
        raise ImageUnknown("it does not tell the digest of a manifest")
    return digest
