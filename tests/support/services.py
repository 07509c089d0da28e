"""What a test needs and a machine may not have: a reason to skip, except where everything must be there."""

import os
import shutil

import pytest


def need_program(name: str) -> str:
    """Where it is. Skip the test if it is missing, fail it under `BESZEL_REQUIRE_SERVICES=1`."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is not None:
        return found
    reason = f"this machine has no {name}"
    if os.environ.get("BESZEL_REQUIRE_SERVICES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
