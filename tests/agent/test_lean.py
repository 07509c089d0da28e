"""What an agent need not import. Each case is a process of its own, since imports last."""

import subprocess
import sys


def _run(program: str) -> list[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()


def test_what_an_agent_runs_on_has_no_package_metadata() -> None:
    program = """
import sys
import beszel_agent.cli
from beszel_agent.lean import postponed
with postponed("importlib.metadata"):
    import beszel_agent.agent
print(*[name for name in ("websockets", "importlib.metadata", "zipfile", "email.message") if name in sys.modules])
import importlib.metadata
print(callable(importlib.metadata.version))
"""
    assert _run(program) == ["websockets", "True"]


def test_who_looks_into_it_has_the_real_one() -> None:
    program = """
from beszel_agent.lean import postponed
with postponed("fractions"):
    import fractions
    print(fractions.Fraction(1, 2), hasattr(fractions, "__path__"))
    import fractions as again
    print(again is fractions, again.Fraction is fractions.Fraction)
"""
    assert _run(program) == ["1/2", "False", "False", "True"]


def test_what_is_there_already_stays() -> None:
    program = """
import json
from beszel_agent.lean import postponed
with postponed("json"):
    import json as again
import sys
print(again is json, sys.modules["json"] is json)
"""
    assert _run(program) == ["True", "True"]
