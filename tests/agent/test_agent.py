"""A whole agent as a process against a hub: from its first sample to SIGTERM."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from beszel_agent.agent import Agent
from beszel_agent.config import load_config
from beszel_agent.paths import HostPaths
from beszel_protocol.messages import Request, Response
from tests.support.linkhub import LinkHub, openssh_key
from tests.support.programs import free_port
from tests.support.runningagent import environment, started

pytestmark = pytest.mark.system


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await work

    asyncio.run(bounded())


def answers_of(hub: LinkHub) -> dict[int, Response]:
    return {message.id: message for message in hub.messages if isinstance(message, Response)}


async def said(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    return (await process.stderr.read()).decode()


async def health(hub: LinkHub, home: Path) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "beszel_agent", "health", env=environment(hub, home),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return await process.wait()


def test_from_the_first_sample_to_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        hub = LinkHub(port=free_port())
        async with started(hub, tmp_path) as agent:
            async with hub.running():
                await hub.until("two samples", lambda: len(hub.samples) >= 2)
                first = hub.samples[0]
                assert first.metrics.cpu is not None
                assert first.metrics.cpu.usage_percent is not None  # the baseline was taken before
                assert await health(hub, tmp_path) == 0
                await hub.send(Request(id=1, action="collectors"))
                response = await hub.until("an answer", lambda: [m for m in hub.messages if isinstance(m, Response)])
                assert {"cpu", "memory"} <= {row["name"] for row in response[0].result["collectors"]}
                assert response[0].result["spool"]["kind"] == "disk"
                await hub.send(Request(id=2, action="processes", params={"by": "memory", "limit": 50}))
                await hub.send(Request(id=3, action="service_detail", params={"name": "none such"}))
                await hub.send(Request(id=4, action="processes", params={"by": "name"}))
                answers = await hub.until("answers", lambda: by_id if len(by_id := answers_of(hub)) == 4 else None)
                assert agent.pid in {row["pid"] for row in answers[2].result["processes"]}
                assert answers[3].error is not None
                assert answers[3].error.code in {"unknown_service", "unavailable"}
                assert answers[4].error is not None
                assert answers[4].error.code == "bad_params"
            assert await health(hub, tmp_path) == 1
            async with hub.running():
                await hub.until("back", lambda: len(hub.enrolments) >= 2)
                await hub.until("the outage is filled", lambda: len(hub.samples) >= 5)
                assert await health(hub, tmp_path) == 0
                agent.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(agent.wait(), 5) == 0
            assert await health(hub, tmp_path) == 1
            log = await said(agent)
        sequences = hub.sequences()
        assert sorted(sequences) == list(range(1, len(sequences) + 1))
        assert log.count("connected as system") == 2
        assert hub.token not in log
        assert "Traceback" not in log

    run(main())


def test_it_is_the_same_host_after_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running():
            for count in (1, 2):
                async with started(hub, tmp_path, "run") as agent:
                    await hub.until("enrolled", lambda count=count: len(hub.enrolments) >= count)  # type: ignore[misc]
                    agent.kill()
                    await agent.wait()
        before, after = (enrolment.body for enrolment in hub.enrolments)
        assert (before.fingerprint, before.agent_key) == (after.fingerprint, after.agent_key)
        assert before.spool_id == after.spool_id

    run(main())


def test_a_second_agent_in_the_same_directory_does_not_start(tmp_path: Path) -> None:
    async def main() -> None:
        hub = LinkHub()
        async with hub.running(), started(hub, tmp_path):
            await hub.until("enrolled", lambda: hub.enrolments)
            async with started(hub, tmp_path) as second:
                assert await asyncio.wait_for(second.wait(), 10) == 1
                assert "another agent runs" in await said(second)

    run(main())


def test_without_a_place_to_write_it_still_streams(tmp_path: Path) -> None:
    async def main() -> None:
        hub = LinkHub()
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "spool").write_text("in the way")
        async with hub.running(), started(hub, tmp_path) as agent:
            await hub.until("two samples", lambda: len(hub.samples) >= 2)
            await hub.send(Request(id=1, action="collectors"))
            response = await hub.until("an answer", lambda: [m for m in hub.messages if isinstance(m, Response)])
            assert response[0].result["spool"]["kind"] == "memory"
            assert "File exists" in response[0].result["spool"]["problem"]
            agent.terminate()
            assert "the spool is kept in memory" in await said(agent)

    run(main())


def test_it_ends_at_once_also_while_it_dials(tmp_path: Path) -> None:
    async def main() -> None:
        hub = LinkHub(is_deaf=True)
        async with hub.running(), started(hub, tmp_path) as agent:
            await hub.until("a hello", lambda: hub.hellos)
            agent.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(agent.wait(), 5) == 0
            assert "Traceback" not in await said(agent)

    run(main())


@pytest.mark.parametrize(
    ("url", "warns"), [("http://192.0.2.1:8090", True), ("http://127.0.0.1:8090", False), ("https://192.0.2.1", False)]
)
def test_it_warns_where_others_can_read_along(
    url: str, warns: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"KEY": openssh_key(bytes(32)), "TOKEN": "a token", "HUB_URL": url, "DATA_DIR": str(tmp_path)}
    Agent(load_config(settings, {}, Path("/dev/null")).config, HostPaths(), {})
    assert ("unencrypted" in caplog.text) is warns


def test_a_thread_that_hangs_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    """As one does that asks a dead name server."""
    code = (
        "import asyncio, os, signal, time\n"
        "from beszel_agent.agent import _run_until_signalled\n"
        "async def hang():\n"
        "    asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGTERM)\n"
        "    await asyncio.to_thread(time.sleep, 60)\n"
        "asyncio.run(_run_until_signalled(hang))\n"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, timeout=20, check=False)
    assert finished.returncode == 0
