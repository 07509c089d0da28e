"""Logs and configuration of real containers: never a secret, never more than the bounds, never by a path."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from beszel_agent.containers.details import inspect_container
from beszel_agent.containers.host import ContainerHost
from beszel_agent.containers.logs import stream_logs
from beszel_agent.errors import RequestRefused
from beszel_protocol.containers import LogLine
from tests.support.engines import IDLE, Engine, Watched, open_files, watching
from tests.support.programs import wait_until

pytestmark = pytest.mark.system

SECRET = "hunter2"


async def read_logs(host: ContainerHost | None, enabled: bool = True, **params: Any) -> list[LogLine]:
    return [line async for batch in stream_logs(host, params, enabled=enabled) for line in batch.lines]


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(asyncio.wait_for(work(), 30))


def ended(engine: Engine, name: str, script: str, **options: Any) -> str:
    """The id of a container that has written and ended."""
    container = engine.run(name, ["sh", "-c", script], **options)
    container.wait()
    return str(container.id)


def known(watched: Watched, name: str) -> None:
    wait_until(name, lambda: name in watched.facts())


def test_tail_and_streams(engine: Engine) -> None:
    found = ended(engine, "talker", "for i in $(seq 9); do echo out $i; done; sleep 0.2; echo err >&2")
    with watching(engine) as watched:
        known(watched, "talker")
        lines = run(lambda: read_logs(watched.host, id=found))
        assert [line.text for line in lines] == [*(f"out {number}" for number in range(1, 10)), "err"]
        assert {line.stream for line in lines} == {"stdout", "stderr"}
        assert all(line.timestamp is not None for line in lines)
        assert [line.text for line in run(lambda: read_logs(watched.host, id=found[:12], tail=2))] == ["out 9", "err"]
        assert run(lambda: read_logs(watched.host, id=found, tail=0)) == []


def test_since(docker: Engine) -> None:
    found = ended(docker, "talker", "echo before; sleep 2; echo after")
    with watching(docker) as watched:
        known(watched, "talker")
        last = run(lambda: read_logs(watched.host, id=found))[-1].timestamp
        since = datetime.fromisoformat(last).astimezone(UTC).isoformat(timespec="milliseconds")
        assert [line.text for line in run(lambda: read_logs(watched.host, id=found, since=since))] == ["after"]


def test_of_a_terminal(docker: Engine) -> None:
    found = ended(
        docker, "tty", "printf '\\033[32mgreen\\033[0m\\n'; printf '\\033[2J\\033]0;x\\007plain\\n'", tty=True
    )
    with watching(docker) as watched:
        known(watched, "tty")
        green, plain = run(lambda: read_logs(watched.host, id=found))
    assert (green.stream, green.text, green.ansi) == ("tty", "green", "\x1b[0;32mgreen")
    assert (plain.text, plain.ansi) == ("plain", None)


def test_a_flood_is_cut_to_its_newest_lines(docker: Engine) -> None:
    found = ended(docker, "flood", "seq 20000; head -c 2000000 /dev/zero | tr '\\0' x; echo; echo last")

    async def work() -> None:
        batches = [batch async for batch in stream_logs(watched.host, {"id": found, "tail": 5000}, enabled=True)]
        lines = [line for batch in batches for line in batch.lines]
        assert any(batch.truncated for batch in batches)
        assert lines[-1].text == "last"
        assert len(lines) <= 5000
        assert sum(len(line.text) for line in lines) <= 5 << 20
        assert all(len(batch.lines) <= 500 for batch in batches)

    with watching(docker) as watched:
        known(watched, "flood")
        run(work)


def test_follow_until_nobody_wants_more(engine: Engine) -> None:
    container = engine.run("clock", ["sh", "-c", "while :; do echo tick; sleep 0.1; done"])

    async def work() -> None:
        stream = stream_logs(watched.host, {"id": container.id, "follow": True, "tail": 1}, enabled=True)
        count = 0
        async for batch in stream:
            count += len(batch.lines)
            if count > 5:
                break
        await stream.aclose()

    with watching(engine) as watched:
        known(watched, "clock")
        run(work)
        before = open_files()
        for _ in range(3):
            run(work)
        wait_until("no more files", lambda: open_files() <= before)


def test_following_ends_with_the_container(docker: Engine) -> None:
    container = docker.run("short", ["sh", "-c", "echo one; sleep 1; echo two"])
    with watching(docker) as watched:
        known(watched, "short")
        lines = run(lambda: read_logs(watched.host, id=container.id, follow=True))
    assert [line.text for line in lines] == ["one", "two"]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"id": "../../../etc/passwd"}, "invalid_params"),
        ({"id": "0123456789ab/../../images/json"}, "invalid_params"),
        ({"id": "web"}, "invalid_params"),
        ({"id": "ABCDEF123456"}, "invalid_params"),
        ({"id": "f" * 65}, "invalid_params"),
        ({}, "invalid_params"),
        ({"id": 7}, "invalid_params"),
        ({"id": "f" * 64}, "not_found"),
        ({"id": "f" * 12, "tail": -1}, "not_found"),
    ],
)
def test_refusals(docker: Engine, params: dict[str, Any], code: str) -> None:
    with watching(docker) as watched:
        for ask in (
            lambda: read_logs(watched.host, **params),
            lambda: inspect_container(watched.host, params, enabled=True),
        ):
            with pytest.raises(RequestRefused) as refused:
                run(ask)
            assert refused.value.code == code


@pytest.mark.parametrize("params", [{"tail": 99_999}, {"tail": -1}, {"since": "yesterday"}, {"follow": "yes"}])
def test_bounds_of_logs(docker: Engine, params: dict[str, Any]) -> None:
    container = docker.run("web", IDLE)
    with watching(docker) as watched:
        known(watched, "web")
        with pytest.raises(RequestRefused) as refused:
            run(lambda: read_logs(watched.host, id=container.id, **params))
    assert refused.value.code == "invalid_params"


def test_switched_off(docker: Engine) -> None:
    container = docker.run("web", IDLE)
    with watching(docker) as watched:
        known(watched, "web")
        for ask in (
            lambda: read_logs(watched.host, False, id=container.id),
            lambda: inspect_container(watched.host, {"id": container.id}, enabled=False),
        ):
            with pytest.raises(RequestRefused) as refused:
                run(ask)
            assert refused.value.code == "details_off"


def test_what_is_left_out_cannot_be_asked_about(docker: Engine) -> None:
    container = docker.run("hidden", IDLE)
    with watching(docker, exclude_containers=("hid*",)) as watched:
        wait_until("listed", lambda: not watched.host.problems())
        with pytest.raises(RequestRefused) as refused:
            run(lambda: read_logs(watched.host, id=container.id))
    assert refused.value.code == "not_found"


def test_inspect_tells_what_is_on_the_list_and_no_secret(engine: Engine) -> None:
    container = engine.run(
        "web", ["sh", "-c", f"sleep 600 # {SECRET}"], environment={"PASSWORD": SECRET}, labels={"x": SECRET},
        restart_policy={"Name": "on-failure", "MaximumRetryCount": 3},
    )  # fmt: skip
    with watching(engine) as watched:
        known(watched, "web")
        inspection = run(lambda: inspect_container(watched.host, {"id": container.id}, enabled=True))
    text = msgspec.json.encode(inspection).decode()
    told = msgspec.to_builtins(inspection)["container"]
    assert told["Id"] == container.id
    assert told["State"]["Status"] == "running"
    assert told["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert SECRET not in text
    for name in ("Env", "Cmd", "Args", "Entrypoint", "Labels", "Path"):
        assert f'"{name}"' not in text
