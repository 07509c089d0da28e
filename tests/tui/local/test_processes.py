"""Children of the client that end with it, however it ends."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from beszel_tui.errors import LocalError
from beszel_tui.local.processes import run_command, start_child

LIMIT_SECONDS = 10.0

SLEEPER = "import time\nprint('here', flush=True)\ntime.sleep(60)\n"
STUBBORN = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SLEEPER}"


@pytest.fixture
def modules(tmp_path: Path) -> dict[str, str]:
    """An environment in which `python -m sleeper` and the like work."""
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    (tmp_path / "failing.py").write_text("import sys\nsys.exit('no such thing')\n")
    (tmp_path / "echo.py").write_text("import sys\nprint(sys.argv[1:], sys.stdin.read())\n")
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def wait_until_gone(pid: int) -> None:
    limit = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < limit:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{pid}/stat").exists() and ") Z " in Path(f"/proc/{pid}/stat").read_text():
            return
        os.sched_yield()
    raise AssertionError(f"process {pid} is still there")


async def wait_for_log(path: Path) -> None:
    def look() -> None:
        limit = time.monotonic() + LIMIT_SECONDS
        while "here" not in path.read_text():
            assert time.monotonic() < limit
            os.sched_yield()

    await asyncio.to_thread(look)


def test_a_child_writes_its_log_and_is_stopped(tmp_path: Path, modules: dict[str, str]) -> None:
    async def main() -> None:
        log = tmp_path / "sleeper.log"
        child = await start_child("sleeper", "sleeper", [], modules, log)
        await wait_for_log(log)
        assert child.is_running
        await child.stop()
        assert not child.is_running
        assert await child.ended() == -signal.SIGTERM
        assert child.last_words() == "here"
        assert log.stat().st_mode & 0o777 == 0o600
        await child.stop()

    asyncio.run(main())


def test_a_child_that_does_not_listen_is_killed(
    tmp_path: Path, modules: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beszel_tui.local.processes.STOP_SECONDS", 0.2)

    async def main() -> None:
        log = tmp_path / "stubborn.log"
        child = await start_child("stubborn", "stubborn", [], modules, log)
        await wait_for_log(log)
        await child.stop()
        assert await child.ended() == -signal.SIGKILL

    asyncio.run(main())


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_children_end_with_the_client(tmp_path: Path, modules: dict[str, str], number: signal.Signals) -> None:
    client = (
        "import asyncio, os\n"
        "from pathlib import Path\n"
        "from beszel_tui.local.processes import start_child\n"
        "async def main():\n"
        f"    child = await start_child('s', 'sleeper', [], dict(os.environ), Path({str(tmp_path / 'log')!r}))\n"
        "    print(child._process.pid, flush=True)\n"
        "    await child.ended()\n"
        "asyncio.run(main())\n"
    )
    root = str(Path(__file__).parents[3])
    environment = {**modules, "PYTHONPATH": f"{modules['PYTHONPATH']}{os.pathsep}{root}"}
    with subprocess.Popen([sys.executable, "-c", client], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        os.kill(child, 0)
        process.send_signal(number)
        process.wait(LIMIT_SECONDS)
        wait_until_gone(child)


def test_a_command_is_run_to_its_end(modules: dict[str, str]) -> None:
    output = asyncio.run(run_command("echo", ["a", "b"], modules, b"fed"))
    assert output.decode().strip() == "['a', 'b'] fed"


def test_what_a_failing_command_said_is_told(modules: dict[str, str]) -> None:
    with pytest.raises(LocalError, match="no such thing"):
        asyncio.run(run_command("failing", ["x"], modules))
