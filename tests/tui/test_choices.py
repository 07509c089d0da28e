"""The file of what was chosen: written when there is time, and before one leaves."""

import asyncio
from pathlib import Path

import pytest

from beszel_tui.choices import ChoiceFile, Choices, load_choices
from beszel_tui.state.selectors import Sort
from tests.support.pilotapp import running_client


def test_the_newest_choice_is_written_and_only_once(tmp_path: Path) -> None:
    path = tmp_path / "choices.json"
    file = ChoiceFile(path)
    file.write()
    assert not path.exists(), "nothing has been chosen"
    file.choose(Choices(theme="ember"))
    file.choose(Choices(theme="fjord"))
    file.write()
    assert load_choices(path).theme == "fjord"
    path.unlink()
    file.write()
    assert not path.exists()


def test_a_file_that_cannot_be_written_is_told_of_once_a_choice(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    file = ChoiceFile(tmp_path / "file" / "choices.json")
    file.choose(Choices(theme="ember"))
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        file.write()
    file.write()
    assert file.choices.theme == "ember"


def test_what_was_chosen_last_is_kept_by_whoever_leaves_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_client(tmp_path) as client:
            path = client.app.settings.paths.choices_file
            client.app.run_command("sort cpu")
            client.app.run_command("sort memory")
            await client.until(lambda: client.fleet.sort.key == "memory")
            assert not path.exists(), "keys do not wait for a disk"
        assert load_choices(path).orders["fleet"].key == "memory"
        async with running_client(tmp_path) as client:
            await client.until(lambda: client.fleet.sort == Sort("memory", descending=True))

    asyncio.run(main())
