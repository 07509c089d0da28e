"""Where the links of messages lead: `/system/{id}`, in a real browser, also below a path that a proxy adds."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from beszel_hub.notifications.message import link_to
from tests.support.bareagent import LinkAgent
from tests.support.browser import Page, open_page
from tests.support.runninghub import PASSWORD, RunningHub, running_hub

FOLDER = "/monitoring/beszel"


@asynccontextmanager
async def proxy_below(folder: str, port: int) -> AsyncIterator[str]:
    """A web server that has the hub below a path and takes that away, as `proxy_pass` with a slash does."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, removed: bytes) -> None:
        try:
            while data := await source.read(1 << 16):
                sink.write(data.replace(b" " + removed + b"/", b" /") if removed else data)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_hub, to_hub = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, to_hub, folder.encode()), pump(from_hub, writer, b""))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{folder}"
    finally:
        server.close()


async def log_in(page: Page, email: str) -> None:
    await page.until("document.getElementById('login').hidden === false")
    await page.evaluate(
        f"document.getElementById('identity').value = {json.dumps(email)};"
        f"document.getElementById('password').value = {json.dumps(PASSWORD)};"
        "document.querySelector('#login button').click()"
    )


def is_shown(element: str) -> str:
    return f"document.getElementById({element!r}).checkVisibility()"


@pytest.mark.parametrize("system_id", ["abcdefghijklmno", "no%20such", "%", "%3Cscript%3E"])
def test_the_page_is_the_same_for_every_id(tmp_path: Path, system_id: str) -> None:
    """Who has not logged in does not learn which systems there are."""
    with running_hub(tmp_path) as hub:
        fleet, system = httpx2.get(f"{hub.url}/"), httpx2.get(f"{hub.url}/system/{system_id}")
        assert system.status_code == 200
        assert system.text == fleet.text.replace('"web/', '"../web/')
        for header in ("content-security-policy", "cross-origin-opener-policy", "x-content-type-options"):
            assert system.headers[header] == fleet.headers[header]
        assert httpx2.get(f"{hub.url}/system/").status_code == httpx2.get(f"{hub.url}/system/a/b").status_code == 404


@pytest.mark.parametrize("folder", ["", FOLDER])
def test_the_link_of_a_message_opens_its_system(tmp_path: Path, folder: str) -> None:
    with running_hub(tmp_path / "hub") as hub:
        mine = hub.create_user("uma@example.org")
        system_id, token = hub.create_system("web1", mine)
        others_id, _ = hub.create_system("db1", hub.create_user("otto@example.org"))

        async def look(page: Page, app_url: str) -> None:
            await page.go(link_to(app_url, system_id))
            await log_in(page, "uma@example.org")
            page.complaints.clear()  # of the 401 that says that nobody is logged in yet
            await page.until(f"document.getElementById('name').textContent === 'web1' && {is_shown('opened')}")
            await page.until("document.getElementById('facts').innerText.includes('42.0 %')")
            assert await page.evaluate("document.title") == "web1 – beszel"
            assert await page.evaluate(is_shown("absent")) is await page.evaluate(is_shown("fleet")) is False
            for nothing in (others_id, "nowhere"):
                await page.go(link_to(app_url, nothing))
                await page.until(is_shown("absent"))
                assert await page.evaluate(is_shown("opened")) is False
                assert "db1" not in await page.evaluate("document.body.innerText")
            await page.evaluate("document.getElementById('all').click()")
            await page.until("document.querySelector('#rows a')?.textContent === 'web1'")
            await page.evaluate("document.querySelector('#rows a').click()")
            await page.until(f"{is_shown('opened')} && location.href === {link_to(app_url, system_id)!r}")
            assert page.complaints == []

        async def run(hub: RunningHub) -> None:
            agent = LinkAgent(hub.link_url, token)
            async with (
                agent.enrolled() as connection,
                proxy_below(folder, hub.port) as app_url,
                open_page(tmp_path) as page,
            ):
                await connection.send(agent.sample(1, cpu_percent=42.0))
                await look(page, app_url)

        asyncio.run(run(hub))
