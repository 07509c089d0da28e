"""The table of containers: of all systems and of one."""

import asyncio
from pathlib import Path

from textual.widgets import Input

from beszel_protocol.feed import HostContainers
from beszel_tui.errors import ClientError
from beszel_tui.screens.containers import ContainersScreen
from beszel_tui.screens.fleet import FleetScreen
from beszel_tui.screens.inspection import InspectionScreen
from beszel_tui.screens.logs import LogsScreen
from beszel_tui.screens.system import SystemScreen
from beszel_tui.state.series import trail_from
from tests.support.containers import make_facts, make_usage
from tests.support.pilotapp import FLEET, Client, running_client
from tests.support.scriptedsource import NOW_MS

WEB, DB = FLEET[0], FLEET[2]
HOSTS = [
    HostContainers(
        system=WEB.id,
        facts=[
            make_facts("aaaaaaaaaaaa", "shop-api", health="healthy"),
            make_facts("bbbbbbbbbbbb", "migrate", state="exited", exit_code=3),
        ],
        usage=[make_usage("aaaaaaaaaaaa", "shop-api", cpu_percent=33.3)],
        updated_ms=NOW_MS,
    ),
    HostContainers(
        system=DB.id, facts=[make_facts("aaaaaaaaaaaa", "post[red]gres")],
        usage=[make_usage("aaaaaaaaaaaa", "post[red]gres", cpu_percent=66.6)], updated_ms=NOW_MS,
    ),
]  # fmt: skip


def test_an_image_that_is_behind(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_all(client)
            behind = HostContainers(system=DB.id, facts=HOSTS[1].facts, image_updates={"aaaaaaaaaaaa": True})
            client.source.tell_containers(behind)
            client.app.run_command("filter outdated")
            await client.until_text("nginx:1.29 ↑")
            await client.press("i")
            await client.until_text("↑ nginx:1.29 is another image at its registry now")

    asyncio.run(main())


async def open_all(client: Client) -> ContainersScreen:
    await client.press("c")
    await client.until(lambda: client.source.container_topics == ["containers"])
    client.source.tell_containers(*HOSTS)
    await client.until_text("shop-api")
    assert isinstance(client.app.screen, ContainersScreen)
    return client.app.screen


def names(screen: ContainersScreen) -> list[str]:
    return [line.item.facts.name for line in screen.table._lines]


def test_all_systems(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("c")
            await client.until_text("waiting for the hub")
            client.source.tell_containers(*HOSTS)
            await client.until_text("33.3%")
            for part in (
                "Containers of all systems", "2 ● running", "1 not", "1 ⚠ in trouble", "post[red]gres", "exit 3",
                "web-1", "db-1", "healthy", "⏎ l logs", "i inspect",
            ):  # fmt: skip
                await client.until_text(part)
            await client.press("escape")
            assert isinstance(client.app.screen, FleetScreen)
            await client.until(lambda: client.source.container_topics[-1] is None)

    asyncio.run(main())


def test_every_size(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_all(client)
            for width, height in ((160, 45), (80, 24), (60, 16), (40, 10), (20, 5)):
                await client.pilot.resize_terminal(width, height)
                await client.until(lambda: client.fills(width))  # noqa: B023 - waited for in the loop
                await client.until_text("migrate")

    asyncio.run(main())


def test_of_one_system(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("j", "j", "j", "enter")
            await client.until(lambda: isinstance(client.app.screen, SystemScreen))
            await client.press("c")
            await client.until(lambda: client.source.container_topics == [f"containers:{WEB.id}"])
            client.source.tell_containers(HOSTS[0])
            await client.until_text("Containers of web-1")
            await client.until_text("shop-api")
            assert "SYSTEM" not in client.text()
            await client.press("o")
            await client.until(lambda: isinstance(client.app.screen, SystemScreen))
            assert client.source.watched == WEB.id
            await client.press("escape")
            await client.until(lambda: isinstance(client.app.screen, FleetScreen))
            assert client.source.watched is None

    asyncio.run(main())


def test_from_all_to_a_system_and_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            screen = await open_all(client)
            await client.press("j")
            assert screen.chosen is not None
            assert screen.chosen.system == "db-1"
            await client.press("o")
            await client.until(lambda: isinstance(client.app.screen, SystemScreen))
            assert client.source.watched == DB.id
            await client.press("c")
            await client.until(lambda: client.source.container_topics[-1] == f"containers:{DB.id}")
            await client.press("escape", "escape")
            assert client.app.screen is screen
            await client.until(lambda: client.source.container_topics[-1] == "containers")
            client.app.run_command("fleet")
            await client.until(lambda: isinstance(client.app.screen, FleetScreen))
            await client.until(lambda: client.source.container_topics[-1] is None)

    asyncio.run(main())


def test_filter_sort_and_commands(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            screen = await open_all(client)
            assert names(screen) == ["migrate", "post[red]gres", "shop-api"]
            client.app.run_command("sort cpu")
            await client.until(lambda: names(screen) == ["post[red]gres", "shop-api", "migrate"])
            await client.press("S")
            await client.until(lambda: names(screen)[0] == "shop-api")
            await client.press("slash")
            await client.type("running system:web")
            await client.until(lambda: names(screen) == ["shop-api"])
            await client.until_text("1 of 3")
            await client.press("enter")
            await client.until(lambda: not isinstance(client.app.focused, Input))
            await client.press("escape")
            await client.until(lambda: len(names(screen)) == 3)
            client.app.run_command("filter nothing-like-it")
            await client.until_text("no container matches")
            await client.press("escape")
            await client.until(lambda: len(names(screen)) == 3)
            client.app.run_command("containers web-1")
            await client.until_text("Containers of web-1")

    asyncio.run(main())


def test_a_table_that_comes_back_takes_no_keys_from_who_types(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            screen = await open_all(client)
            client.app.run_command("filter nothing-like-it")
            await client.until(lambda: screen.focused is None)
            screen.clear_filter()
            screen.show_lines()  # as a frame of the feed does in that moment
            screen.action_filter()
            await client.settle()
            assert isinstance(screen.focused, Input)

    asyncio.run(main())


def test_the_cursor_stays_on_its_container(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            screen = await open_all(client)
            await client.press("G")
            assert screen.chosen is not None
            assert screen.chosen.facts.name == "shop-api"
            client.source.tell_containers(
                HostContainers(
                    system=WEB.id,
                    facts=[make_facts("cccccccccccc", "zzz"), make_facts("aaaaaaaaaaaa", "shop-api")],
                    usage=[], updated_ms=NOW_MS,
                )
            )  # fmt: skip
            await client.until_text("zzz")
            assert screen.chosen.facts.name == "shop-api"
            await client.press("y")
            await client.until_text("copied: shop-api")

    asyncio.run(main())


def test_sparklines_begin_with_history(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            bucket = NOW_MS // 5000
            client.source.container_history["shop-api"] = trail_from(bucket, [90.0] * 30)
            await open_all(client)
            await client.until_text("▇▇▇▇▇▇▇")

    asyncio.run(main())


def test_without_containers(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await client.press("c")
            client.source.tell_containers()
            await client.until_text("no containers")

    asyncio.run(main())


def test_logs(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_all(client)
            await client.press("G", "enter")
            await client.until_text("asking")
            system_id, query = client.source.log_queries[0]
            assert (system_id, query.id, query.follow) == (WEB.id, "aaaaaaaaaaaa", True)
            client.source.write("first [bold]line[/]", "\x1b[31mred\x1b[2J", stream="stderr")
            await client.until_text("first [bold]line[/]")
            await client.until_text("following")
            assert "shop-api on web-1" in client.text()
            client.source.write(*(f"line {number}" for number in range(100)), first=10)
            await client.until_text("line 99")
            await client.press("k", "k", "k")
            await client.until_text("held, G follows")
            assert "line 96" in client.text()
            assert "line 97" not in client.text()
            await client.press("g")
            await client.until_text("first [bold]line[/]")
            await client.until_text("held, G follows")
            client.source.write("one more", first=200)
            await client.until_text("103 lines")
            assert "one more" not in client.text()
            await client.press("G")
            await client.until_text("one more")
            await client.press("t")
            await client.until(lambda: "10:2" not in client.lines()[5])
            await client.press("escape")
            assert isinstance(client.app.screen, ContainersScreen)

    asyncio.run(main())


def test_logs_are_searched(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, size=(80, 24)) as client:
            await open_all(client)
            await client.press("enter")
            client.source.write(*(f"line {number} {'needle' if number % 40 == 3 else 'hay'}" for number in range(100)))
            await client.until_text("line 99")
            await client.press("slash")
            await client.type("NEEDLE")
            await client.press("enter")
            await client.until_text("'NEEDLE' 3/3")
            await client.until_text("line 83 needle")
            await client.press("n")
            await client.until_text("'NEEDLE' 1/3")
            await client.until_text("line 3 needle")
            await client.press("N")
            await client.until_text("'NEEDLE' 3/3")
            await client.press("y")
            await client.until_text("copied")
            assert client.app.clipboard == "line 83 needle"
            await client.press("slash")
            await client.type("nowhere")
            await client.press("enter")
            await client.until_text("is not in there")
            await client.press("escape")
            await client.until(lambda: "nowhere" not in client.text())
            assert isinstance(client.app.screen, LogsScreen)

    asyncio.run(main())


def test_long_lines_are_wrapped_or_cut(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, size=(80, 24)) as client:
            await open_all(client)
            await client.press("enter")
            client.source.write("a" * 100 + "END" + "b" * 100)
            await client.until_text("END")
            await client.press("w")
            await client.until(lambda: "END" not in client.text())
            for _ in range(8):
                await client.press("right")
            await client.until_text("END")
            await client.press("w")
            await client.until_text("bbbb")
            await client.pilot.resize_terminal(60, 16)
            await client.until(lambda: client.fills(60))
            await client.until_text("END")

    asyncio.run(main())


def test_a_stream_that_breaks_off_goes_on_where_it_was(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_all(client)
            await client.press("enter")
            client.source.write("one", "two")
            client.source.log_streams.put_nowait(ClientError("the hub went away"))
            await client.until_text("the hub went away")
            await client.until(lambda: len(client.source.log_queries) == 2)
            assert client.source.log_queries[1][1].since == "2026-11-22T10:24:32.000Z"
            client.source.write("two", "three", first=1)
            await client.until_text("three")
            await client.until_text("3 lines")
            client.source.log_streams.put_nowait(None)
            await client.until_text("at its end")

    asyncio.run(main())


def test_inspection(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_all(client)
            client.source.inspections["aaaaaaaaaaaa"] = '{\n  "Id": "aaaa",\n  "evil": "\x9b2J[red]"\n}'
            await client.press("G", "i")
            await client.until(lambda: isinstance(client.app.screen, InspectionScreen))
            await client.until_text('"evil": "2J[red]"')
            assert "as configured" in client.text()
            await client.press("y")
            await client.until_text("copied")
            await client.press("escape", "g", "i")
            await client.until_text("There is nothing here.")

    asyncio.run(main())


def test_help_has_the_keys_of_the_table(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            await open_all(client)
            await client.press("question_mark")
            await client.until_text("What the container writes")
            assert "How the container is configured" in client.text()
            for _ in range(100):
                if "in the name, system, image, project or service" in client.text():
                    break
                await client.press("j")
            await client.until_text("in the name, system, image, project or service")
            assert "the host or a tag" not in client.text()

    asyncio.run(main())
