"""Asking a real registry, open and with tokens."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from beszel_hub.images.failures import ImageUnknown
from beszel_hub.images.policy import Policy
from beszel_hub.images.registry import Registries
from beszel_hub.settings import read_registries
from beszel_protocol.images import parse_image
from tests.support.dockerregistry import DockerRegistry, TokenKey, docker_registry
from tests.support.scriptedserver import Conversation, page, scripted


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    with docker_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


async def digest_of(image: str, *listed: str) -> str:
    reference = parse_image(image)
    assert reference is not None
    return await Registries(Policy(read_registries(",".join(listed)))).digest_of(reference)


def test_the_digest_of_a_tag_is_that_of_its_list_of_platforms(registry: DockerRegistry) -> None:
    first = registry.push("team/app", "1", "first")
    assert asyncio.run(digest_of(f"{registry.name}/team/app:1", registry.url)) == first
    second = registry.push("team/app", "1", "second")
    assert second != first
    assert asyncio.run(digest_of(f"{registry.name}/team/app:1", registry.url)) == second


def test_what_is_not_there_is_unknown(registry: DockerRegistry) -> None:
    for image in ("team/nothing:1", "team/app:nothing"):
        with pytest.raises(ImageUnknown, match="404"):
            asyncio.run(digest_of(f"{registry.name}/{image}", registry.url))


@pytest.mark.parametrize("actions", [("pull",), ()])
def test_a_registry_that_wants_tokens(tmp_path: Path, actions: tuple[str, ...]) -> None:
    key = TokenKey()

    async def give(conversation: Conversation) -> None:
        asked = parse_qs(urlsplit(conversation.path).query)
        repository = asked["scope"][0].split(":")[1]
        await conversation.send(page(b'{"token": "%s"}' % key.grant(repository, *actions).encode()))

    async def main() -> tuple[str, str]:
        async with scripted(give) as server:
            with docker_registry(tmp_path, realm=server.url("/token"), key=key) as running:
                pushed = await asyncio.to_thread(running.push, "team/app", "1", "first")
                return pushed, await digest_of(f"{running.name}/team/app:1", running.url, server.url(""))

    if actions:
        pushed, told = asyncio.run(main())
        assert pushed == told
    else:
        with pytest.raises(ImageUnknown, match="401"):
            asyncio.run(main())
