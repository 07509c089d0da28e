"""What is typed into a field, as it stands on the screen."""

import asyncio
from pathlib import Path

from textual.widgets import Input

from tests.support.pilotapp import running_client

FAMILY = "👨\u200d👩\u200d👧"


def test_joined_signs_are_typed_one_by_one_and_stay_joined(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path, size=(80, 24)) as client:
            await client.press("colon")
            await client.type(f"echo {FAMILY} x")
            await client.until_text("echo 👨·👩·👧 x")
            field = client.app.focused
            assert isinstance(field, Input)
            assert field.value == f"echo {FAMILY} x"
            ends = []
            for position in (5, 6, 7, 10, len(field.value)):
                field.cursor_position = position
                ends.append(field.cursor_screen_offset.x)
            assert [end - ends[0] for end in ends] == [0, 2, 3, 8, 11], "the last stands behind the text"

    asyncio.run(main())
