"""From an agent's word and a real registry's to the records and the feed of a running hub."""

import asyncio
from pathlib import Path

import httpx2

from beszel_hub.images.service import Images
from beszel_protocol.feed import Containers
from tests.support.containers import DB_ID, WEB_ID, container_agent, make_facts, until
from tests.support.dockerregistry import docker_registry
from tests.support.feedclient import feed
from tests.support.runninghub import RunningHub, running_hub

RECORDS = "/api/collections/containers/records"


def images_of(hub: RunningHub) -> Images:
    assert hub.hub.images is not None
    return hub.hub.images


def records(hub: RunningHub, token: str, query: str = "") -> dict[str, bool | None]:
    answer = httpx2.get(hub.url + RECORDS + query, headers={"Authorization": token})
    assert answer.status_code == 200, answer.text
    return {row["name"]: row["image_update"] for row in answer.json()["items"]}


def test_a_container_falls_behind(tmp_path: Path) -> None:
    with (
        docker_registry(tmp_path) as registry,
        running_hub(tmp_path / "hub", check_image_updates=True, image_registries=(f"{registry.url}/",)) as hub,
    ):
        token = hub.create_token(hub.create_user("ada@example.org", "admin"))
        system = hub.create_system("host")
        first = registry.push("team/app", "1", "first")
        web = make_facts(image=f"{registry.name}/team/app:1", repo_digests=[first])
        built = make_facts(DB_ID, "db", image="built-here:1", image_digest=f"sha256:{'b' * 64}")

        async def main() -> None:
            async with container_agent(hub, system, web, built) as agent, feed(hub.feed_url, token) as follower:
                await follower.subscribe("containers")
                hub.call(images_of(hub).look())
                await until(lambda: images_of(hub).updates_of(system[0]) == {WEB_ID: False})
                assert await asyncio.to_thread(records, hub, token) == {"web": False, "db": None}
                second = registry.push("team/app", "1", "second")
                images_of(hub)._looks.clear()
                hub.call(images_of(hub).look())
                assert await asyncio.to_thread(records, hub, token) == {"web": True, "db": None}
                assert await asyncio.to_thread(records, hub, token, "?filter=(image_update=true)") == {"web": True}
                frame = await follower.receive_until(
                    Containers, lambda told: bool(told.hosts) and told.hosts[0].image_updates == {WEB_ID: True}
                )
                assert frame.hosts[0].facts is not None
                await agent.tell(make_facts(image=web.image, repo_digests=[second]), built)
                await follower.receive_until(
                    Containers, lambda told: bool(told.hosts) and told.hosts[0].image_updates == {WEB_ID: False}
                )

        asyncio.run(main())


def test_a_hub_that_was_not_told_to_asks_nobody(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        token = hub.create_token(hub.create_user("ada@example.org", "admin"))
        system = hub.create_system("host")
        facts = make_facts(image="127.0.0.1:1/app:1", repo_digests=[f"sha256:{'a' * 64}"])

        async def main() -> None:
            async with container_agent(hub, system, facts):
                assert await asyncio.to_thread(records, hub, token) == {"web": None}

        asyncio.run(main())
        assert hub.hub.images is None
