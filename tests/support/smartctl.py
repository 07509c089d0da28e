"""A stand-in for smartctl: a program that answers from recorded files and writes down how it was called."""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parents[1] / "agent" / "smart"

_PROGRAM = """#!{python} -SE
import json, sys, time
from pathlib import Path
here = Path({here!r})
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
subject = "scan" if "--scan" in sys.argv else sys.argv[-1].replace("/", "_")
answer = json.loads((here / "answers.json").read_text()).get(subject)
if answer is None:
    sys.exit(1)
if answer == "hang":
    time.sleep(60)
sys.stdout.write(json.dumps(answer))
sys.exit(answer["smartctl"]["exit_status"])
"""


class StandIn:
    """Below `directory`; the search path that finds it is `path`."""

    def __init__(self, directory: Path) -> None:
        self._here = directory
        self.program = directory / "smartctl"
        self.path = str(directory)
        self._answers: dict[str, Any] = {}
        directory.mkdir(parents=True, exist_ok=True)
        self.program.write_text(_PROGRAM.format(python=shlex.quote(sys.executable), here=str(directory)))
        self.program.chmod(0o755)
        self._save()

    def find(self, *devices: tuple[str, str]) -> None:
        """What a scan tells: devices and their types."""
        rows = [{"name": name, "type": kind} for name, kind in devices]
        self._answers["scan"] = {"smartctl": {"exit_status": 0}, "devices": rows}
        self._save()

    def answer(self, device: str, recorded: str) -> None:
        """From now on `device` answers as the recorded file says; `hang`: never."""
        found = "hang" if recorded == "hang" else json.loads((RECORDED / f"{recorded}.json").read_text())
        self._answers[device.replace("/", "_")] = found
        self._save()

    def calls(self) -> list[list[str]]:
        """The arguments of each call since this was last asked."""
        file = self._here / "calls"
        if not file.exists():
            return []
        lines = file.read_text().splitlines()
        file.unlink()
        return [json.loads(line) for line in lines]

    def _save(self) -> None:
        fresh = self._here / "answers.new"
        fresh.write_text(json.dumps(self._answers))
        os.replace(fresh, self._here / "answers.json")  # noqa: PTH105
