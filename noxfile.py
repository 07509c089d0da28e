"""What a change must pass. `nox` runs everything that `.ci/run` does; `nox -s unit` and others (`nox -l`) by hand.

`tests` runs everything on the newest Python of this machine among those supported, and the unit tests with one system
test on the oldest.
"""

import os
import subprocess
import tempfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent
SUPPORTED = ("3.11", "3.12", "3.13")
CODE = ("beszel_protocol", "beszel_agent", "beszel_hub", "beszel_tui", "themes", "tests", "benchmarks", "noxfile.py")
MAIN_JOB = "tests/system/test_main_job.py"
OTHERS_CLIENTS = "tests/hub/clients"
WORKERS = max(2, min(4, os.cpu_count() or 2))
"""Two also on a single core, as tests wait for a third of their time. No more than four: a machine may lend us fewer
cores than it says it has, and each worker has engines and databases of its own."""
AT_ONCE = ("-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder")
"""Tests of a file share a hub; files come in the order of tests/conftest.py."""

nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["lint", "types", "imports", "tests", "postgres", "docs", "build"]


def _works(interpreter: Path, version: str) -> bool:
    """Whether it is what its name says; the shims of version managers exist for versions that are not active."""
    probe = [interpreter, "-c", "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"]
    try:
        found = subprocess.run(probe, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return found.stdout.strip() == version


def _find(version: str) -> Path | None:
    """The directory of a working interpreter, on the PATH or under pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    directories = [*map(Path, os.get_exec_path()), *sorted(pyenv.glob(f"{version}.*/bin"))]
    return next((path for path in directories if _works(path / f"python{version}", version)), None)


FOUND = {version: directory for version in SUPPORTED if (directory := _find(version)) is not None}
if not FOUND:
    raise SystemExit(f"none of Python {', '.join(SUPPORTED)} (with ensurepip) was found on this machine")
OLDEST, NEWEST = min(FOUND), max(FOUND)
os.environ["PATH"] = os.pathsep.join([*map(str, FOUND.values()), os.environ["PATH"]])


def _install(session: nox.Session, *groups: str, project: bool = True) -> None:
    pyproject = nox.project.load_toml("pyproject.toml")
    requirements = nox.project.dependency_groups(pyproject, *groups)
    session.install("--quiet", *([".[all]"] if project else []), *requirements)


def _pytest(session: nox.Session, *arguments: str, **settings: str) -> None:
    """Over several processes; what it compiles of the tests is kept, whatever the environment says of bytecode."""
    session.run("pytest", *AT_ONCE, *arguments, env={"PYTHONDONTWRITEBYTECODE": None, **settings})


@nox.session(python=NEWEST)
def lint(session: nox.Session) -> None:
    """Style and likely mistakes."""
    _install(session, "lint", project=False)
    session.run("ruff", "check", *CODE)
    session.run("ruff", "format", "--check", *CODE)


@nox.session(python=NEWEST)
def types(session: nox.Session) -> None:
    """Types, strictly, of the packages and the tests."""
    _install(session, "types")
    session.run("mypy")


@nox.session(python=NEWEST)
def imports(session: nox.Session) -> None:
    """What may know what: the contracts of docs/architecture.md."""
    _install(session, "imports")
    session.run("lint-imports", env={"PYTHONPATH": str(ROOT)})


@nox.session(python=sorted({OLDEST, NEWEST}, reverse=True))
def tests(session: nox.Session) -> None:
    """The whole suite on the newest Python; unit tests and the main job on the oldest."""
    is_newest = session.python == NEWEST
    _install(session, "test", *(["clients"] if is_newest else []))
    if is_newest:
        _pytest(session, "-m", "not endurance", *session.posargs)
    else:
        _pytest(session, "-m", "not endurance and not system", *session.posargs)
        session.run("pytest", MAIN_JOB)


@nox.session(python=NEWEST)
def postgres(session: nox.Session) -> None:
    """The hub's tests and the main job on PostgreSQL instead of SQLite.

    Only once, with the other tests: those that have no database, and what clients of others make of the API.
    """
    _install(session, "test")
    paths = session.posargs or ["tests/hub", f"--ignore={OTHERS_CLIENTS}", MAIN_JOB]
    _pytest(session, "-m", "database and not endurance", *paths, BESZEL_TEST_DATABASE="postgresql")


@nox.session(python=NEWEST, reuse_venv=True)
def unit(session: nox.Session) -> None:
    """After each change: the tests that bring nothing up, in less than a minute."""
    _install(session, "test")
    _pytest(session, "-m", "unit", *session.posargs)


@nox.session(python=NEWEST)
def endurance(session: nox.Session) -> None:
    """Long kills, fuzz and soak; by hand."""
    _install(session, "test", "clients")
    session.run("pytest", "-m", "endurance", "--timeout", "0", *session.posargs)


@nox.session(python=NEWEST)
def docs(session: nox.Session) -> None:
    """Build the site; a broken link is an error."""
    _install(session, "docs", project=False)
    session.run("mkdocs", "build", "--strict", "--quiet")


@nox.session(python=NEWEST)
def build(session: nox.Session) -> None:
    """Wheel and sdist install and run in an empty environment."""
    session.install("--quiet", "build")
    with tempfile.TemporaryDirectory() as out:
        session.run("python", "-m", "build", "--outdir", out, silent=True)
        for archive in sorted(Path(out).iterdir()):
            _try_out(session, archive)


def _try_out(session: nox.Session, archive: Path) -> None:
    """Every program answers, and finds the files that came with it, away from the checkout."""
    with tempfile.TemporaryDirectory() as directory:
        venv = Path(directory) / "venv"
        session.run("python", "-m", "venv", str(venv), silent=True)
        program = venv / "bin"
        session.run(str(program / "pip"), "install", "--quiet", f"{archive}[all]", external=True)
        with session.chdir(directory):
            for name in ("beszel-agent", "beszel-hub", "beszel-tui"):
                session.run(str(program / name), "--version", external=True)
                session.run(
                    str(program / "python"), "-m", name.replace("-", "_"), "--version", external=True, silent=True
                )
            session.run(str(program / "beszel-agent"), "once", "--json", external=True, silent=True)
            session.run(str(program / "beszel-tui"), "screenshot", "fleet.svg", external=True)
