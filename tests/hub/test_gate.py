from contextlib import ExitStack

import pytest

from beszel_hub.gate import Gate, GateFull


def test_one_address_has_eight_places_and_gets_them_back() -> None:
    gate = Gate()
    with ExitStack() as knocking:
        for _ in range(8):
            knocking.enter_context(gate.admit("192.0.2.1"))
        with pytest.raises(GateFull), gate.admit("192.0.2.1"):
            pass
        with gate.admit("192.0.2.2"):
            assert gate.waiting == 9
    assert gate.waiting == 0
    with gate.admit("192.0.2.1"):
        assert gate.waiting == 1


def test_all_addresses_together_have_sixty_four() -> None:
    gate = Gate()
    with ExitStack() as knocking:
        for host in range(64):
            knocking.enter_context(gate.admit(f"192.0.2.{host}"))
        with pytest.raises(GateFull), gate.admit("198.51.100.1"):
            pass


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("fe80::1%eth0", "fe80::2%eth0"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_addresses_of_one_host_share_its_places(first: str, second: str) -> None:
    gate = Gate(limit_by_address=1)
    with gate.admit(first), pytest.raises(GateFull), gate.admit(second):
        pass


def test_an_error_inside_frees_the_place() -> None:
    gate = Gate()
    with pytest.raises(ValueError, match="inside"), gate.admit("192.0.2.1"):
        raise ValueError("inside")
    assert gate.waiting == 0
