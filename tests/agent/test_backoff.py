from beszel_agent.backoff import LONGEST_SECONDS, STABLE_SECONDS, Backoff


def slowest() -> Backoff:
    return Backoff(lambda: 1.0)


def test_the_ceiling_doubles_up_to_five_minutes() -> None:
    backoff = slowest()
    delays = [backoff.next_delay() for _ in range(30)]
    assert delays[:5] == [1, 2, 4, 8, 16]
    assert delays[-1] == LONGEST_SECONDS == 300


def test_jitter_is_full() -> None:
    backoff = Backoff(lambda: 0.25)
    assert [backoff.next_delay() for _ in range(3)] == [0.25, 0.5, 1.0]


def test_after_a_connection_the_next_try_comes_soon() -> None:
    backoff = slowest()
    for _ in range(10):
        backoff.next_delay()
    backoff.connected_for(STABLE_SECONDS)
    assert backoff.next_delay() == 1
    for _ in range(10):
        backoff.next_delay()
    backoff.connected_for(2)
    assert backoff.next_delay() == 1


def test_a_hub_that_welcomes_and_drops_is_not_hammered() -> None:
    backoff = slowest()
    delays = []
    for _ in range(6):
        backoff.connected_for(0.1)
        delays.append(backoff.next_delay())
    assert delays == [1, 2, 4, 8, 16, 32]
