"""Adding a system at a real hub."""

import asyncio
from pathlib import Path

import pytest

from beszel_tui.client.enrolment import enrol, read_enrolment
from beszel_tui.client.http import HubHttp
from beszel_tui.errors import HubRefused, HubUnreachable
from tests.support.runninghub import RunningHub, running_hub
from tests.tui.client.test_http import answering


def test_a_system_is_made_once_and_found_again(tmp_path: Path) -> None:
    async def main(hub: RunningHub, token: str) -> None:
        http = HubHttp(hub.url, token)
        try:
            made = await enrol(http, "web-1")
            again = await read_enrolment(http, made.system_id, "web-1")
        finally:
            await http.close()
        assert made == again
        assert made.key == hub.hub.key.public_line
        assert made.hub_url == hub.url
        assert made.is_near_only
        assert len(made.token) >= 16

    with running_hub(tmp_path) as hub:
        user = hub.create_user("ada@example.org")
        asyncio.run(main(hub, hub.create_token(user, "write")))


def test_a_system_without_a_token_gets_one(tmp_path: Path) -> None:
    """As when the second of the two requests was lost."""

    async def main(hub: RunningHub, token: str) -> None:
        http = HubHttp(hub.url, token)
        try:
            created = await http.create(dict[str, object], "/api/collections/systems/records", {"name": "half"})
            found = await read_enrolment(http, str(created["id"]), "half")
        finally:
            await http.close()
        assert len(found.token) >= 16

    with running_hub(tmp_path) as hub:
        asyncio.run(main(hub, hub.create_token(hub.create_user("ada@example.org"), "write")))


def test_who_may_only_look_adds_nothing(tmp_path: Path) -> None:
    async def main(hub: RunningHub, token: str) -> None:
        http = HubHttp(hub.url, token)
        try:
            with pytest.raises(HubRefused):
                await enrol(http, "web-1")
        finally:
            await http.close()

    with running_hub(tmp_path) as hub:
        asyncio.run(main(hub, hub.create_token(hub.create_user("ada@example.org", "readonly"), "write")))


def test_an_impossible_id_asks_nothing() -> None:
    async def main(url: str) -> None:
        http = HubHttp(url, "t")
        try:
            with pytest.raises(HubUnreachable, match="impossible id"):
                await read_enrolment(http, "x' || id != '", "x")
        finally:
            await http.close()

    with answering(200, {"key": "k"}) as server:
        asyncio.run(main(server.url))
        assert len(server.seen) == 1


def test_what_a_terminal_would_obey_never_gets_into_a_command() -> None:
    async def main(url: str) -> None:
        http = HubHttp(url, "t")
        try:
            made = await enrol(http, "web-1")
        finally:
            await http.close()
        assert "\n" not in made.token
        assert "\x1b" not in made.token
        assert "\u202e" not in made.key

    answer = {"key": "ssh-ed25519\u202e A", "id": "abc", "name": "web", "token": "tok\nrm -rf\x1b[2J"}
    with answering(200, answer) as server:
        asyncio.run(main(server.url))
