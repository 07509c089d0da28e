"""Chromium without a window, driven by its own debugging protocol, for pages that only a browser can judge."""

import asyncio
import json
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support.services import need_program

START_SECONDS = 60.0
REPLY_SECONDS = 30.0
PAUSE_SECONDS = 0.02
"""Between two looks at a page."""


class Page:
    """One tab, made by `open_page`."""

    def __init__(self, websocket: ClientConnection) -> None:
        self._websocket = websocket
        self._numbers = count(1)
        self._session: str | None = None
        self.complaints: list[str] = []
        """What the browser logged as an error: what a policy forbids, files that are missing, exceptions."""

    async def start(self) -> None:
        target = await self._call("Target.createTarget", url="about:blank")
        attached = await self._call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            await self._call(f"{domain}.enable")

    async def go(self, url: str) -> None:
        assert "errorText" not in await self._call("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression; None if it throws, as it does while a page is not there yet."""
        return (await self._call("Runtime.evaluate", expression=expression, returnByValue=True))["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until an expression is true."""
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                while True:
                    if await self.evaluate(expression) is True:
                        return
                    await asyncio.sleep(PAUSE_SECONDS)
        except TimeoutError as error:
            text = await self.evaluate("document.body.innerText")
            raise AssertionError(f"never {expression}; the page says {text!r}, {self.complaints}") from error

    async def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        session = {} if self._session is None else {"sessionId": self._session}
        await self._websocket.send(json.dumps({"id": number, "method": method, "params": parameters, **session}))
        async with asyncio.timeout(REPLY_SECONDS):
            while True:
                message: dict[str, Any] = json.loads(await self._websocket.recv())
                if message.get("id") == number:
                    # An answer that names an error is that of a page which goes while it is asked.
                    result: dict[str, Any] = message.get("result", {"result": {}})
                    return result
                self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
        elif message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(parameters["exceptionDetails"]))


@asynccontextmanager
async def open_page(directory: Path) -> AsyncIterator[Page]:
    """A tab of a browser of one's own, whose profile is in `directory`. Skip the test if there is no browser."""
    argv = [
        need_program("chromium"), "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--remote-debugging-port=0", f"--user-data-dir={directory / 'profile'}", "about:blank",
    ]  # fmt: skip
    if os.geteuid() == 0:
        argv.insert(1, "--no-sandbox")  # the browser refuses to start as root with one
    browser = await asyncio.create_subprocess_exec(*argv, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
    try:
        address = await _address_of(browser)
        async with asyncio.TaskGroup() as group:
            drain = group.create_task(_drain(browser))
            async with connect(address, proxy=None, max_size=16 << 20) as websocket:
                page = Page(websocket)
                await page.start()
                yield page
            drain.cancel()
    finally:
        if browser.returncode is None:
            browser.kill()
        await browser.wait()


async def _address_of(browser: Process) -> str:
    assert browser.stderr is not None
    async with asyncio.timeout(START_SECONDS):
        while line := (await browser.stderr.readline()).decode():
            if line.startswith("DevTools listening on "):
                return line.split()[-1]
    raise AssertionError("the browser did not start")


async def _drain(browser: Process) -> None:
    """What it says further would stop it once the pipe is full."""
    assert browser.stderr is not None
    while await browser.stderr.read(1 << 16):
        pass
