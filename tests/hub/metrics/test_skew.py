import pytest

from beszel_hub.metrics.skew import BootAnchor, Dating, adjust_anchor, date_earlier_boot, date_record, drop_anchor

NOW = 1_795_348_800_000
BOOT = 3_600_000  # the host has been up for an hour
ANCHOR = drop_anchor(BOOT, NOW)


def dated(timestamp_ms: int, boot_ms: int) -> Dating:
    return date_record(timestamp_ms, boot_ms, ANCHOR, hub_now_ms=NOW)


def dated_earlier(timestamp_ms: int) -> Dating:
    return date_earlier_boot(timestamp_ms, ANCHOR, hub_now_ms=NOW)


@pytest.mark.parametrize("error_ms", [0, 59_000, -59_000, 60_000, -60_000])
def test_a_clock_within_a_minute_is_believed(error_ms: int) -> None:
    assert dated(NOW - 10_000 + error_ms, BOOT - 10_000) == Dating(NOW - 10_000 + error_ms)


@pytest.mark.parametrize("error_ms", [60_001, -60_001, 86_400_000, -NOW + 20_000, 200_000_000_000_000])
def test_a_wrong_clock_is_replaced_by_the_boot_clock(error_ms: int) -> None:
    assert dated(NOW - 10_000 + error_ms, BOOT - 10_000) == Dating(NOW - 10_000, skew_ms=error_ms)


def test_a_clock_that_was_set_right_during_this_boot_still_dates_the_records_before() -> None:
    """A board without a battery starts in 1970 and learns the time some minutes later."""
    assert dated(5_000, 5_000) == Dating(NOW - BOOT + 5_000, skew_ms=5_000 - (NOW - BOOT + 5_000))


@pytest.mark.parametrize("timestamp_ms", [NOW - 86_400_000, 5_000, NOW - BOOT + 30_000])
def test_a_record_of_an_earlier_boot_keeps_its_own_time_stamp(timestamp_ms: int) -> None:
    assert dated_earlier(timestamp_ms) == Dating(timestamp_ms, earlier_boot=True)


def test_no_record_of_an_earlier_boot_is_younger_than_this_one() -> None:
    latest = NOW - BOOT + 60_000
    tomorrow = NOW + 86_400_000
    assert dated_earlier(tomorrow) == Dating(latest, skew_ms=tomorrow - latest, earlier_boot=True)


def test_a_suspend_moves_nothing() -> None:
    """CLOCK_BOOTTIME goes on while a laptop sleeps, as the hub's clock does."""
    slept = 8 * 3_600_000
    awake = adjust_anchor(ANCHOR, BOOT + slept + 1_000, NOW + slept + 1_000)
    assert awake.instant_of(BOOT) == NOW
    before = date_record(NOW - 5_000, BOOT - 5_000, awake, hub_now_ms=NOW + slept + 1_000)
    assert before == Dating(NOW - 5_000)


@pytest.mark.parametrize("boot_ms", [BOOT + 10**12, 2**62])
def test_nothing_is_dated_into_the_future(boot_ms: int) -> None:
    assert dated(NOW, boot_ms).instant_ms <= NOW + 60_000


def test_nothing_is_dated_before_the_epoch() -> None:
    assert dated(NOW, -(10**15)).instant_ms == 0


def test_a_record_held_up_on_its_way_does_not_move_the_anchor() -> None:
    late = adjust_anchor(ANCHOR, BOOT + 1_000, NOW + 41_000)
    assert late.instant_of(BOOT) - NOW <= 41
    assert adjust_anchor(late, BOOT + 42_000, NOW + 42_000).instant_of(BOOT) == NOW


def test_the_anchor_follows_a_drifting_clock() -> None:
    anchor = BootAnchor(NOW - BOOT, NOW)
    for second in range(1, 10_001):
        drift_ms = second // 5  # 200 parts in a million
        anchor = adjust_anchor(anchor, BOOT + second * 1_000 - drift_ms, NOW + second * 1_000)
    assert abs(anchor.instant_of(BOOT + 10_000_000 - 2_000) - (NOW + 10_000_000)) <= 2
