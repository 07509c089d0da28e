"""What only the past knows, asked of a real hub: containers that are gone, and since when there is a system."""

import asyncio
from pathlib import Path

import msgspec

from beszel_hub.metrics.series import NewSample, insert_samples
from beszel_protocol.sample import ContainerMetrics, Metrics
from beszel_tui.client.hub import HubSource
from beszel_tui.state.past import value_then
from beszel_tui.state.pastcontainers import ADDRESSES, PAGE_POINTS, make_page
from tests.support.runninghub import running_hub


def test_history_tells_of_containers_that_nobody_knows_any_more(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        token = hub.create_token(hub.create_user("ada@example.org", "admin"))
        system_id, _ = hub.create_system("web-1")
        now_ms = hub.hub.clock()

        def used(name: str) -> ContainerMetrics:
            return ContainerMetrics(
                id="3f4e5d6c7b8a", name=name, cpu_percent=2.5, memory_bytes=64 << 20, memory_percent=50.0, pids=3,
                oom_kills=0, restarts=1, rx_bytes_per_second=1.5, tx_bytes_per_second=0.5, read_bytes_per_second=0.0,
                write_bytes_per_second=8.0,
            )  # fmt: skip

        samples = [
            NewSample(
                system_id, now_ms - age_ms, 0,
                msgspec.json.encode(Metrics(containers=[used("web"), *([used("gone")] if age_ms > 300_000 else [])])),
            )
            for age_ms in range(0, 600_000, 5000)
        ]  # fmt: skip
        hub.hub.database.write_now(lambda: insert_samples(samples))

        async def main() -> None:
            source = HubSource(hub.url, token)
            try:
                columns = await source.columns(system_id, ADDRESSES, now_ms - 600_000, now_ms, PAGE_POINTS)
            finally:
                await source.close()
            page = make_page(0, now_ms, columns)
            assert set(page.series) == {"web", "gone"}
            assert {address.rpartition(".")[2] for address in page.series["gone"].values()} == {
                address.rpartition(".")[2] for address in ADDRESSES
            }
            for at_ms, was_there in ((now_ms - 400_000, True), (now_ms - 100_000, False)):
                value = value_then(columns, page.series["gone"]["cpu_percent"], at_ms)
                assert value == (2.5 if was_there else None)

        asyncio.run(main())


def test_the_hub_tells_since_when_it_has_a_system(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        token = hub.create_token(hub.create_user("ada@example.org", "admin"))
        before_ms = hub.hub.clock()
        system_id, _ = hub.create_system("web-1")
        after_ms = hub.hub.clock()

        async def main() -> None:
            source = HubSource(hub.url, token)
            try:
                created_ms = await source.created_ms(system_id)
            finally:
                await source.close()
            assert created_ms is not None
            assert before_ms <= created_ms <= after_ms

        asyncio.run(main())
