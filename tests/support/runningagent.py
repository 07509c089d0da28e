"""A whole agent as a process against a hub in this one."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.linkhub import LinkHub, openssh_key
from tests.support.programs import clean_environment


def environment(hub: LinkHub, home: Path) -> dict[str, str]:
    return clean_environment(
        home, KEY=openssh_key(hub.public_key), TOKEN=hub.token, HUB_URL=hub.url, DATA_DIR=str(home / "data")
    )


@asynccontextmanager
async def started(
    hub: LinkHub, home: Path, *arguments: str, **settings: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "beszel_agent", *arguments, env=environment(hub, home) | settings,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
