"""Under which digest an engine knows an image, and under which its registry: both real."""

import asyncio
from pathlib import Path

from beszel_hub.images.policy import Policy
from beszel_hub.images.registry import Registries
from beszel_protocol.images import parse_image
from tests.support.dockerregistry import DockerRegistry, docker_registry
from tests.support.engines import IDLE, IMAGE, Engine, watching


def digest_of(registry: DockerRegistry, image: str) -> str:
    reference = parse_image(image)
    assert reference is not None
    return asyncio.run(Registries(Policy((f"{registry.url}/",))).digest_of(reference))


def test_what_an_agent_tells_is_what_the_registry_says(docker: Engine, tmp_path: Path) -> None:
    with docker_registry(tmp_path) as registry:
        repository = f"{registry.name}/team/app"
        image = docker.client.images.get(IMAGE)
        assert image.tag(repository, "1")
        docker.client.images.push(repository, tag="1")
        docker.client.images.remove(f"{repository}:1")
        docker.client.images.pull(repository, tag="1")
        try:
            docker.client.containers.create(f"{repository}:1", IDLE, name="pulled", network_mode="none")
            docker.run("built", IDLE)
            with watching(docker) as watched:
                facts = watched.until_known("pulled", "built")
            assert facts["pulled"].repo_digests == [digest_of(registry, f"{repository}:1")]
            assert facts["pulled"].image_digest == facts["pulled"].repo_digests[0]
            assert facts["built"].repo_digests == [], "the name it was built under is another one"
        finally:
            docker.clear()
            docker.client.images.remove(f"{repository}:1", force=True)
