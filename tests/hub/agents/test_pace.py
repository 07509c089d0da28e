from beszel_hub.agents.pace import Pace


def test_a_usual_stream_never_waits() -> None:
    pace = Pace(0.0)
    assert not any(pace.delay_seconds(6_000, float(second)) for second in range(1000))


def test_a_burst_is_free_and_a_flood_is_slowed_to_the_rate() -> None:
    pace = Pace(0.0, rate=1 << 20, burst=4 << 20)
    now = 0.0
    sent = 0
    while now < 60.0:
        now += pace.delay_seconds(1 << 20, now)
        sent += 1
    assert 60 <= sent <= 66


def test_tiny_frames_are_counted_too() -> None:
    pace = Pace(0.0, rate=1 << 20, burst=1 << 20)
    delays = [pace.delay_seconds(2, 0.0) for _ in range(1000)]
    assert delays[0] == 0.0
    assert delays[-1] > 0.5


def test_a_clock_that_stands_still_or_steps_back_earns_nothing() -> None:
    pace = Pace(100.0, rate=1000, burst=10_000)
    assert pace.delay_seconds(20_000, 50.0) > 10
