"""Asking servers on loopback that behave like registries, and such that do not."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import pytest

from beszel_hub.images.exchange import MAX_BODY_BYTES, MAX_HEAD_BYTES
from beszel_hub.images.failures import ImageUnknown, RegistryFailed, RegistryRefused, RegistryUnwell
from beszel_hub.images.policy import Policy
from beszel_hub.images.registry import MANIFEST_TYPES, Registries
from beszel_hub.settings import read_registries
from beszel_protocol.images import ImageReference
from tests.support.certificates import make_certificates
from tests.support.scriptedserver import Answer, Conversation, ScriptedServer, page, says, scripted

T = TypeVar("T")

DIGEST = f"sha256:{'d' * 64}"
MANIFEST = page(b"", "200 OK", f"Content-Type: {MANIFEST_TYPES[0]}", f"Docker-Content-Digest: {DIGEST}")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 20))


def at(server: ScriptedServer, repository: str = "team/app") -> ImageReference:
    return ImageReference(f"127.0.0.1:{server.port}", repository, "1.2")


def registries(*servers: ScriptedServer, seconds: float = 10.0) -> Registries:
    return Registries(Policy(read_registries(",".join(s.url("") for s in servers))), timeout_seconds=seconds)


def ask(answer: Answer, *, seconds: float = 10.0) -> tuple[str, ScriptedServer]:
    async def main() -> tuple[str, ScriptedServer]:
        async with scripted(answer) as server:
            return await registries(server, seconds=seconds).digest_of(at(server)), server

    return run(main())


def test_one_head_is_enough_where_everybody_may_read() -> None:
    digest, server = ask(says(MANIFEST))
    assert digest == DIGEST
    (head,) = server.heads
    assert head.startswith(b"HEAD /v2/team/app/manifests/1.2 HTTP/1.1\r\n")
    for kind in MANIFEST_TYPES:
        assert kind.encode() in head
    assert b"authorization" not in head.lower()


def test_a_token_is_fetched_where_one_is_wanted() -> None:
    async def tokens(conversation: Conversation) -> None:
        await conversation.send(page(b'{"token": "t0ken", "expires_in": 300}'))

    async def main() -> tuple[str, ScriptedServer, ScriptedServer]:
        async with scripted(tokens) as giver:
            challenge = f'Bearer realm="{giver.url("/token?a=1")}",service="here",scope="repository:other:push"'

            async def registry(conversation: Conversation) -> None:
                is_known = b"Bearer t0ken" in conversation.head
                refusal = page(b"", "401 Unauthorized", f"WWW-Authenticate: {challenge}")
                await conversation.send(MANIFEST if is_known else refusal)

            async with scripted(registry) as server:
                return await registries(server, giver).digest_of(at(server)), server, giver

    digest, server, giver = run(main())
    assert (digest, len(server.heads)) == (DIGEST, 2)
    (asked,) = giver.heads
    assert asked.startswith(b"GET /token?a=1&service=here&scope=repository%3Ateam%2Fapp%3Apull HTTP/1.1\r\n")


def test_a_redirect_is_followed_but_no_token_goes_with_it() -> None:
    async def main() -> tuple[str, ScriptedServer]:
        async with scripted(says(MANIFEST)) as keeper, scripted(says(page(b'{"token": "t0ken"}'))) as giver:
            answers = {
                False: page(b"", "401 Unauthorized", f'WWW-Authenticate: Bearer realm="{giver.url()}"'),
                True: page(b"", "307 Temporary Redirect", f"Location: {keeper.url('/v2/x/manifests/1.2')}"),
            }

            async def registry(conversation: Conversation) -> None:
                await conversation.send(answers[b"t0ken" in conversation.head])

            async with scripted(registry) as server:
                return await registries(server, giver, keeper).digest_of(at(server)), keeper

    digest, keeper = run(main())
    assert digest == DIGEST
    assert b"t0ken" not in keeper.heads[0]
    assert b"authorization" not in keeper.heads[0].lower()


@pytest.mark.parametrize("header", ['WWW-Authenticate: Bearer realm="{}"', "Location: {}"])
def test_a_registry_leads_nowhere_that_is_not_allowed(header: str) -> None:
    async def main() -> None:
        async with scripted(says(page(b'{"token": "x"}'))) as inner:
            status = "401 Unauthorized" if header.startswith("WWW") else "302 Found"
            for url in (inner.url(), "http://169.254.169.254/latest/", "file:///etc/passwd", "//127.0.0.1:1/"):
                async with scripted(says(page(b"", status, header.format(url)))) as server:
                    with pytest.raises(RegistryRefused):
                        await registries(server).digest_of(at(server))
            assert inner.connections == 0

    run(main())


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "192.168.0.1", "localhost"]
)
def test_private_addresses_are_refused_unless_they_are_listed(host: str) -> None:
    with pytest.raises(RegistryRefused):
        run(Registries(Policy(("public",))).digest_of(ImageReference(f"{host}:5000", "x", "1")))


def test_a_name_is_judged_by_what_it_resolves_to_each_time() -> None:
    answers = iter([["127.0.0.1"], ["10.1.2.3", "fd00::1"], ["169.254.169.254"]])

    async def resolve(host: str) -> Sequence[str]:
        return next(answers)

    for _ in range(3):
        with pytest.raises(RegistryRefused):
            run(Registries(Policy(("public",)), resolve).digest_of(ImageReference("rebound.example", "x", "1")))


def test_addresses_of_metadata_are_closed_even_if_they_are_listed() -> None:
    policy = Policy(read_registries("http://169.254.169.254"))
    with pytest.raises(RegistryRefused):
        run(Registries(policy).digest_of(ImageReference("169.254.169.254", "x", "1")))


async def _resolve_nothing(host: str) -> Sequence[str]:
    raise OSError("no such name")


def test_a_name_that_does_not_resolve_makes_its_registry_unwell() -> None:
    with pytest.raises(RegistryUnwell):
        run(Registries(Policy(("public",)), _resolve_nothing).digest_of(ImageReference("gone.example", "x", "1")))


KIND = f"Content-Type: {MANIFEST_TYPES[0]}"


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (page(b"", "404 Not Found"), ImageUnknown),
        (page(b"", "403 Forbidden"), ImageUnknown),
        (page(b"", "401 Unauthorized"), ImageUnknown),
        (page(b"", "401 Unauthorized", 'WWW-Authenticate: Basic realm="x"'), ImageUnknown),
        (page(b"", "302 Found"), ImageUnknown),
        (page(b"", "200 OK", KIND), ImageUnknown),
        (page(b"", "200 OK", KIND, "Docker-Content-Digest: sha256:1"), ImageUnknown),
        (page(b"", "200 OK", KIND, f"Docker-Content-Digest: {DIGEST}\x1b[0m"), RegistryFailed),
        (page(b"", "200 OK", "Content-Type: text/html", f"Docker-Content-Digest: {DIGEST}"), ImageUnknown),
        (
            page(b"", "200 OK", "Content-Type: application/vnd.docker.distribution.manifest.v1+prettyjws",
                 f"Docker-Content-Digest: {DIGEST}"), ImageUnknown,
        ),
        (page(b"", "500 Oh"), RegistryUnwell),
        (page(b"", "204 No Content"), RegistryUnwell),
        (b"", RegistryUnwell),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", RegistryUnwell),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (MAX_HEAD_BYTES + 1), RegistryUnwell),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 2000, RegistryUnwell),
    ],
)  # fmt: skip
def test_answers_that_tell_nothing(answer: bytes, failure: type[RegistryFailed]) -> None:
    with pytest.raises(failure):
        ask(says(answer))


def test_too_many_requests_tell_how_long_to_wait() -> None:
    with pytest.raises(RegistryUnwell) as caught:
        ask(says(page(b"", "429 Too Many Requests", "Retry-After: 900")))
    assert caught.value.retry_after_seconds == 900
    for nonsense in ("soon", "-1", "9" * 30, "Wed, 21 Oct 2026 07:28:00 GMT"):
        with pytest.raises(RegistryUnwell) as caught:
            ask(says(page(b"", "429 Too Many Requests", f"Retry-After: {nonsense}")))
        assert caught.value.retry_after_seconds is None


def test_a_redirect_to_itself_ends() -> None:
    async def circle(conversation: Conversation) -> None:
        await conversation.send(page(b"", "307 Temporary Redirect", f"Location: {conversation.path}"))

    with pytest.raises(ImageUnknown):
        ask(circle)


def test_a_token_without_end_is_not_read_to_its_end() -> None:
    sent = 0

    async def flood(conversation: Conversation) -> None:
        nonlocal sent
        if conversation.head.startswith(b"HEAD"):
            port = conversation.writer.get_extra_info("sockname")[1]
            await conversation.send(
                page(b"", "401 Unauthorized", f'WWW-Authenticate: Bearer realm="http://127.0.0.1:{port}/t"')
            )
            return
        await conversation.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 100 * MAX_BODY_BYTES:
            await conversation.send(b"x" * 65536)
            sent += 65536

    with pytest.raises(RegistryUnwell):
        ask(flood)
    assert sent < 100 * MAX_BODY_BYTES


def test_a_registry_that_is_silent_is_not_waited_for() -> None:
    async def silent(conversation: Conversation) -> None:
        await asyncio.Event().wait()

    with pytest.raises(RegistryUnwell, match="too long"):
        ask(silent, seconds=0.2)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Any) -> None:
    certificates = make_certificates(tmp_path)

    async def main() -> None:
        async with scripted(says(MANIFEST), tls=certificates.server) as server:
            policy = Policy(read_registries(server.url("", scheme="https")))
            with pytest.raises(RegistryUnwell, match="not trusted"):
                await Registries(policy).digest_of(at(server))
            assert server.heads == []

    run(main())
