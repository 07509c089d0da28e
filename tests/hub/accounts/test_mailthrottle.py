"""Who can use up whose mail."""

from beszel_hub.accounts.mailthrottle import NETWORK_LIMIT, PAIR_LIMIT, STRANGERS_LIMIT, MailThrottle

UMA = "uma@example.org"


def ask(throttle: MailThrottle, address: str, recipient: str = UMA, times: int = 1, now_ms: int = 0) -> int:
    """How many of some requests are granted."""
    return sum(throttle.take(address, recipient, now_ms) == 0 for _ in range(times))


def test_one_network_asks_little_for_one_recipient() -> None:
    throttle = MailThrottle()
    assert ask(throttle, "192.0.2.1", times=20) == PAIR_LIMIT.burst
    assert throttle.take("192.0.2.1", "UMA@example.org", 0) == PAIR_LIMIT.refill_seconds
    assert ask(throttle, "192.0.2.1", now_ms=int(PAIR_LIMIT.refill_seconds * 1000)) == 1


def test_a_stranger_does_not_use_up_anothers_login() -> None:
    """One network, however long it asks, leaves something for whoever comes for the first time from another."""
    throttle = MailThrottle()
    for second in range(0, 86_400, 10):
        ask(throttle, "192.0.2.1", now_ms=second * 1000)
    assert ask(throttle, "198.51.100.7", now_ms=86_400_000) == 1


def test_strangers_with_many_networks_fill_no_mailbox() -> None:
    throttle = MailThrottle()
    granted = sum(ask(throttle, f"2001:db8:0:{number:x}::1", times=4) for number in range(100))
    assert granted == STRANGERS_LIMIT.burst


def test_whoever_has_passed_the_first_method_gets_the_second() -> None:
    throttle = MailThrottle()
    for number in range(100):
        ask(throttle, f"2001:db8:0:{number:x}::1", times=4)
    assert ask(throttle, "198.51.100.7") == 0
    throttle.welcome("198.51.100.7", "Uma@example.org")
    assert ask(throttle, "198.51.100.7", times=20) == PAIR_LIMIT.burst
    assert ask(throttle, "198.51.100.7", "ada@example.org", times=20) == PAIR_LIMIT.burst, "a stranger to others"


def test_one_network_asks_little_in_all() -> None:
    throttle = MailThrottle()
    granted = sum(ask(throttle, "192.0.2.1", f"user{number}@example.org") for number in range(50))
    assert granted == NETWORK_LIMIT.burst
