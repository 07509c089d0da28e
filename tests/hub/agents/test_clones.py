from beszel_hub.agents.clones import CloneWatch

MINUTE = 60_000


def test_two_machines_that_take_turns_are_clones() -> None:
    watch = CloneWatch()
    assert not watch.replaced("a", "b", 0)
    assert not watch.replaced("b", "a", MINUTE)
    assert watch.replaced("a", "b", 2 * MINUTE)
    assert watch.starts == {"a", "b"}


def test_they_stay_clones_while_they_go_on() -> None:
    watch = CloneWatch()
    turns = [watch.replaced(*pair, at * MINUTE) for at, pair in enumerate([("a", "b"), ("b", "a")] * 3)]
    assert turns == [False, False, True, True, True, True]


def test_an_agent_that_reconnects_keeps_its_start() -> None:
    watch = CloneWatch()
    assert not any(watch.replaced("a", "a", at * 1000) for at in range(50))


def test_an_agent_that_restarts_is_a_new_start_every_time() -> None:
    watch = CloneWatch()
    assert not any(watch.replaced(f"s{at}", f"s{at + 1}", at * 1000) for at in range(50))


def test_slow_replacements_are_no_clones() -> None:
    watch = CloneWatch()
    turns = [watch.replaced(*pair, at * 6 * MINUTE) for at, pair in enumerate([("a", "b"), ("b", "a")] * 3)]
    assert not any(turns)
