"""What is told in passing, over the last lines of a small terminal."""

import asyncio
from pathlib import Path

from beszel_tui.app import BeszelApp
from beszel_tui.context import Context
from tests.support.pilotapp import Client, make_settings
from tests.support.scriptedsource import ScriptedSource, make_row


def test_a_short_message_takes_one_line_above_the_keys(tmp_path: Path) -> None:
    async def main() -> None:
        source = ScriptedSource()
        source.connect()
        source.tell(*(make_row(f"web-{number}", host=f"web-{number}.example.net") for number in range(20)))
        async with asyncio.TaskGroup() as group:
            context = Context(make_settings(tmp_path), group, source=source, clock=source.clock)
            app = BeszelApp(context)
            async with app.run_test(size=(60, 16), notifications=True) as pilot:
                client = Client(app, pilot, source)
                await client.until_text("web-9")
                before = client.lines()
                await client.press("y")
                await client.until_text("copied: web-0.example.net")
                after = client.lines()
                assert "copied" in after[14]
                assert after[11:14] == before[11:14]
                assert after[14].startswith(before[14][:20])
            context.stop()

    asyncio.run(main())
