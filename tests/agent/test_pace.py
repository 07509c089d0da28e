"""How often something dear is read."""

from beszel_agent.pace import Pace


def readings(pace: Pace, cost_seconds: float, until: int) -> list[int]:
    """The seconds at which it was due, of a sample a second."""
    due, due_at = [], 0.0
    for second in range(until):
        if second >= due_at:
            due_at = pace.due_after(second, cost_seconds)
            due.append(second)
    return due


def test_the_second_reading_comes_at_once_for_the_sake_of_rates() -> None:
    assert readings(Pace(5), 0.0001, 20) == [0, 1, 6, 11, 16]


def test_what_is_dear_is_read_less_often_so_that_it_stays_within_its_budget() -> None:
    due = readings(Pace(5, budget_share=0.0003), 0.006, 600)
    assert due[:4] == [0, 1, 21, 41]
    assert len(due) * 0.006 / 600 < 0.0004


def test_a_sample_that_is_a_little_early_counts() -> None:
    pace = Pace(5)
    pace.due_after(0.0, 0.0)
    assert 5.0 < pace.due_after(1.004, 0.0) <= 6.001
