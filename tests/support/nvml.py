"""A host with an NVIDIA GPU, as far as files and a stand-in for the driver's library can make one.

Run as a program it is the process that loads the library: it plays the steps it is given and prints what came of each.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from beszel_agent.collectors.gpus import GpusCollector
from beszel_agent.config import Config
from beszel_agent.errors import ReadingFailed, Unavailable
from beszel_agent.paths import HostPaths
from tests.support.services import need_program

SLOT = "0000:01:00.0"
ROOT = Path(__file__).parents[2]

Step = dict[str, Any]
"""`now`, and what changes before it: `scene` of the library, `files` below the host."""


class NvmlHost:
    def __init__(self, directory: Path, *options: str) -> None:
        """Compile the library; `options` are those of the compiler."""
        self._directory = directory
        self._scene, self._log = directory / "scene", directory / "log"
        self.root = directory / "host"
        compiler = need_program("gcc")
        library = directory / "libnvidia-ml.so.1"
        source = Path(__file__).with_name("nvml.c")
        subprocess.run(
            [compiler, "-Wall", "-Werror", "-shared", "-fPIC", *options, "-o", str(library), str(source)], check=True
        )
        self.write(
            {
                f"sys/bus/pci/devices/{SLOT}/vendor": "0x10de",
                f"sys/bus/pci/devices/{SLOT}/class": "0x030000",
                f"sys/bus/pci/devices/{SLOT}/power/control": "on",
                f"sys/bus/pci/devices/{SLOT}/power/runtime_status": "active",
                "sys/bus/pci/devices/0000:01:00.1/vendor": "0x10de",  # its sound
                "sys/bus/pci/devices/0000:01:00.1/class": "0x040300",
                "proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.16",
                "proc/4242/comm": "python3",
            }
        )

    def write(self, files: dict[str, str]) -> None:
        write_files(self.root, files)

    def play(self, *steps: Step) -> list[Any]:
        """What the collector makes of each step, in a process that finds the library where a driver puts it."""
        self._log.write_text("")
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "LD_LIBRARY_PATH": str(self._directory),
            "STANDIN_SCENE": str(self._scene),
            "STANDIN_LOG": str(self._log),
        }
        finished = subprocess.run(
            [sys.executable, __file__, str(self.root)],
            input=json.dumps(steps),
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        played: list[Any] = json.loads(finished.stdout)
        return played

    def calls(self) -> list[str]:
        """What the library was asked that touches the driver, in order."""
        return self._log.read_text().splitlines()


def write_files(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")


def play_here(root: Path, steps: list[Step]) -> list[Any]:
    paths = HostPaths(proc=str(root / "proc"), sys=str(root / "sys"), root=str(root), keep_open=False)
    scene = Path(os.environ["STANDIN_SCENE"])
    try:
        collector = GpusCollector.probe(paths, Config())
    except Unavailable as error:
        return [str(error)]
    played: list[Any] = []
    for step in steps:
        write_files(root, step.get("files", {}))
        if "scene" in step:
            scene.write_text("".join(f"{key} {number}\n" for key, number in step["scene"].items()))
        try:
            played.append(msgspec.to_builtins(collector.collect(step["now"])))
        except ReadingFailed as error:
            played.append({"fails": str(error)})
    return played


if __name__ == "__main__":
    sys.stdout.write(json.dumps(play_here(Path(sys.argv[1]), json.load(sys.stdin))))
