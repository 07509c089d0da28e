"""What smartctl's answers mean; they are in `smart/`, each in the format of smartmontools 7."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_agent.errors import ReadingFailed
from beszel_agent.settings import SmartDevice
from beszel_agent.smart.devices import MAX_DEVICES, namespace_of, parse_scan, wanted_devices
from beszel_agent.smart.document import Document, is_asleep, leading_number, parse_document
from beszel_agent.smart.parser import is_virtual_document, parse_smart
from beszel_protocol.disks import DiskReading
from beszel_protocol.storage import SmartMetrics

RECORDED = Path(__file__).parent / "smart"


def document(name: str) -> Document:
    return parse_document((RECORDED / f"{name}.json").read_bytes())


def read(name: str) -> DiskReading:
    found = document(name)
    reading = parse_smart(found, found["smartctl"]["exit_status"])
    assert reading is not None
    return reading


def test_an_ata_disk() -> None:
    reading = read("ata_hdd")
    assert reading.summary == SmartMetrics(
        severity=0,
        state="passed",
        device="/dev/sda",
        model="WDC WD40EFRX-68N32N0",
        type="ata",
        total_bytes=4000787030016,
        temperature_celsius=34,
        power_on_hours=33121,
        power_cycles=87,
        reallocated_sectors=3,
        pending_sectors=0,
        uncorrected_errors=0,
    )
    assert (reading.serial, reading.firmware, reading.self_test) == (
        "WD-WCC7K0000001",
        "82.00A82",
        "completed without error",
    )
    assert [(item.id, item.raw, item.threshold) for item in reading.attributes][:2] == [(1, "0", 51), (5, "3", 140)]


def test_an_ata_disk_that_fails_says_all_of_why() -> None:
    """What reached its threshold only in the past, as a temperature does one hot summer, is no reason."""
    reading = read("ata_failing")
    assert reading.summary.severity == 2
    assert reading.summary.state == (
        "failing by its own account, Reallocated_Sector_Ct is at its threshold, a self-test failed, 24 sectors pending"
    )
    assert [item.name for item in reading.attributes if item.failed == "now"] == ["Reallocated_Sector_Ct"]


def test_statistics_below_zero_and_raw_values_with_words() -> None:
    """Beszel 1791: one negative statistic cost the whole reading; texts such as `7344 (253d 8h)`."""
    summary = read("ata_ssd_with_negative_statistics").summary
    assert summary.temperature_celsius == -3
    assert (summary.bytes_written, summary.bytes_read) == (123456789 * 512, None)
    assert (summary.wear_percent, summary.power_on_hours) == (13, 7344)


def test_wear_without_statistics_is_what_the_maker_tells() -> None:
    assert read("ata_ssd_without_statistics").summary.wear_percent == 12


def test_an_nvme_disk() -> None:
    reading = read("nvme")
    assert reading.summary == SmartMetrics(
        severity=0,
        state="passed",
        device="/dev/nvme0",
        model="Samsung SSD 980 PRO 1TB",
        type="nvme",
        total_bytes=1000204886016,
        temperature_celsius=38,
        power_on_hours=9321,
        power_cycles=612,
        wear_percent=2,
        spare_percent=100,
        uncorrected_errors=0,
        bytes_read=61385123 * 512_000,
        bytes_written=43928374 * 512_000,
    )
    assert ("unsafe_shutdowns", "54") in [(item.name, item.raw) for item in reading.attributes]


def test_an_nvme_disk_whose_capacity_was_zero() -> None:
    """Beszel: a controller tells none of its own; the namespaces do."""
    assert read("nvme_capacity_in_namespaces").summary.total_bytes == 1024000


def test_an_nvme_disk_that_is_worn_out() -> None:
    summary = read("nvme_worn_out").summary
    assert (summary.severity, summary.wear_percent, summary.spare_percent) == (2, 131, 3)
    assert summary.state == (
        "failing by its own account, spare blocks below their threshold, no longer reliable, "
        "past its rated life, 9 media errors"
    )


def test_a_scsi_disk() -> None:
    reading = read("scsi")
    assert reading.summary == SmartMetrics(
        severity=1,
        state="2 errors not corrected",
        device="/dev/sdc",
        model="SEAGATE ST4000NM0023",
        type="scsi",
        total_bytes=4000787030016,
        temperature_celsius=41,
        power_on_hours=51234,
        power_cycles=121,
        reallocated_sectors=4,
        uncorrected_errors=2,
        bytes_read=89_123_456_000_000,
        bytes_written=4_123_000_000_000,
    )
    assert reading.firmware == "0006"


def test_what_is_no_answer_about_health() -> None:
    assert parse_smart(document("no_smart"), 4) is None
    assert parse_smart(document("permission_denied"), 2) is None
    assert is_asleep(document("asleep"), 2)
    assert not is_asleep(document("permission_denied"), 2)
    assert not is_asleep(document("asleep"), 0)
    assert is_virtual_document(document("virtual"))
    assert not is_virtual_document(document("scsi"))


def test_fields_of_another_type_are_not_there() -> None:
    reading = read("odd_types")
    assert reading.summary == SmartMetrics(state="unknown", device="/dev/sda", type="ata")
    assert reading.serial is None
    assert len(reading.attributes) == 2


@pytest.mark.parametrize("text", [b"", b"[]", b"7", b'{"a":', b"[" * 100_000, b"smartctl: not found"])
def test_no_answer_at_all(text: bytes) -> None:
    with pytest.raises(ReadingFailed, match="no JSON"):
        parse_document(text)


def test_names_that_are_no_unicode_do_not_cost_the_reading() -> None:
    assert parse_document(b'{"model_name":"\xff\xfe"}') == {"model_name": "\ufffd\ufffd"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
)


@given(st.data())
def test_an_answer_with_anything_in_it_never_raises(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["ata_hdd", "ata_ssd_with_negative_statistics", "nvme_worn_out", "scsi"]))
    found = document(name)
    for key in data.draw(st.lists(st.sampled_from(sorted(found)), max_size=5)):
        found[key] = data.draw(json_values)
    reading = parse_smart(found, data.draw(st.integers(0, 255)))
    assert reading is None or msgspec.json.encode(reading)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("7344 (253d 8h)", 7344), ("0h+0m+0.000s", 0), ("0x1f", 31), ("-5", -5), ("", None), ("n/a", None)],
)
def test_leading_number(text: str, expected: int | None) -> None:
    assert leading_number(text) == expected


def test_a_scan() -> None:
    """Several disks behind one path stay several (Beszel 2102); what a scan merely guesses is not insisted on."""
    assert parse_scan(document("scan")) == [
        SmartDevice("/dev/sda", None),
        SmartDevice("/dev/sdb", "sat"),
        SmartDevice("/dev/nvme0", "nvme"),
        SmartDevice("/dev/bus/0", "megaraid,0"),
        SmartDevice("/dev/bus/0", "megaraid,1"),
    ]


def test_wanted_devices() -> None:
    found = parse_scan(document("scan"))
    assert [device.path for device in wanted_devices([*found, found[0]], ["sdb", "/dev/bus/0"])] == [
        "/dev/sda",
        "/dev/nvme0",
    ]
    many = [SmartDevice(f"/dev/sd{index}", None) for index in range(500)]
    assert len(wanted_devices(many, ())) == MAX_DEVICES


def test_the_namespace_of_a_controller() -> None:
    assert namespace_of(SmartDevice("/dev/nvme10", "nvme")) == SmartDevice("/dev/nvme10n1", "nvme")
    assert namespace_of(SmartDevice("/dev/nvme0n1", None)) is None
    assert namespace_of(SmartDevice("/dev/sda", None)) is None
