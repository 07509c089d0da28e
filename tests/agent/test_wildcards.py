"""Which names a list of patterns allows."""

import pytest

from beszel_agent.wildcards import allows


@pytest.mark.parametrize(
    ("rules", "name", "expected"),
    [
        (None, "acpitz", True),
        ((), "acpitz", False),
        (("acpitz",), "acpitz", True),
        (("acpi*",), "acpitz", True),
        (("acpi*",), "nvme", False),
        (("ACPI*",), "acpitz", False),
        (("-acpitz",), "acpitz", False),
        (("-acpitz",), "nvme", True),
        (("-acpitz", "nvme*"), "nvme_composite", False),  # a list that begins with a minus only leaves out
        (("-acpitz", "-nvme*"), "nvme_composite", False),
        (("-acpitz", "nvme*"), "coretemp", True),
        (("core*", "-core_9"), "core_1", True),
        (("core*", "-core_9"), "core_9", False),
        (("core*", "-core_9"), "nvme", False),
    ],
)
def test_allows(rules: tuple[str, ...] | None, name: str, expected: bool) -> None:
    assert allows(name, rules) is expected
