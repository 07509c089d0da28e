import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_protocol.addresses import (
    MAX_ADDRESS_LENGTH,
    Address,
    InvalidAddress,
    Step,
    flatten,
    parse_address,
    parse_addresses,
    read_value,
)
from beszel_protocol.sample import Metrics
from tests.support.samples import any_metrics, make_metrics

steps = st.builds(Step, st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True), st.none() | st.text(max_size=20))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cpu.usage_percent", [("cpu", None), ("usage_percent", None)]),
        ("disk[/mnt/v1.2].usage_percent", [("disk", "/mnt/v1.2"), ("usage_percent", None)]),
        ("disk[/a,b].used_bytes", [("disk", "/a,b"), ("used_bytes", None)]),
        (r"containers[we\]ird\\name].cpu_percent", [("containers", "we]ird\\name"), ("cpu_percent", None)]),
        ("cpu.cores_percent[3]", [("cpu", None), ("cores_percent", "3")]),
        ("temperatures[]", [("temperatures", "")]),
    ],
)
def test_parse(text: str, expected: list[tuple[str, str | None]]) -> None:
    address = parse_address(text)
    assert list(address) == expected
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "cpu.",
        ".cpu",
        "cpu..usage",
        "Cpu",
        "cpu usage",
        "disk[/",
        r"disk[\x]",
        "disk[/]x",
        "disk[/][/]",
        "1cpu",
        "cpü",
        "a" * (MAX_ADDRESS_LENGTH + 1),
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InvalidAddress):
        parse_address(text)


def test_lists_split_at_commas_outside_brackets() -> None:
    addresses = parse_addresses(r"cpu.usage_percent, disk[/a,b\],c].used_bytes,uptime_seconds")
    assert [str(address) for address in addresses] == [
        "cpu.usage_percent",
        r"disk[/a,b\],c].used_bytes",
        "uptime_seconds",
    ]


@given(st.lists(steps, min_size=1, max_size=5))
def test_text_and_address_are_two_forms_of_one_thing(path: list[Step]) -> None:
    address = Address(path)
    assert parse_address(str(address)) == address


@given(st.lists(st.lists(steps, min_size=1, max_size=3).map(Address), min_size=1, max_size=5))
def test_lists_of_any_addresses_come_back(addresses: list[Address]) -> None:
    assert parse_addresses(",".join(map(str, addresses))) == addresses


@given(any_metrics)
def test_every_number_is_found_again_under_its_address(metrics: Metrics) -> None:
    for address, value in flatten(metrics):
        if value is None:
            continue
        assert read_value(metrics, parse_address(str(address))) == value
        assert address.metric is not None


@pytest.mark.parametrize(
    "text",
    [
        "cpu.nothing",
        "nothing.at_all",
        "cpu",
        "cpu.usage_percent.more",
        "disk[/none].usage_percent",
        "cpu.cores_percent[9]",
        "cpu.cores_percent[-1]",
        "cpu.cores_percent[x]",
        "gpus[0].usage_percent",
        "cpu[x].usage_percent",
        "disk.usage_percent",
        "memory.swap_used_bytes",
        "containers[web].cpu_percent",
    ],
)
def test_absent_is_none(text: str) -> None:
    assert read_value(make_metrics(), parse_address(text)) is None


def test_numbers_of_a_known_sample() -> None:
    metrics = make_metrics(40.0)
    assert read_value(metrics, parse_address("cpu.usage_percent")) == 40.0
    assert read_value(metrics, parse_address("disk[/mnt/v1.2].usage_percent")) == 50.0
    assert read_value(metrics, parse_address("cpu.load_average[2]")) == 0.4
    assert read_value(metrics, parse_address("network.interfaces[eth0].errors")) == 0
    assert read_value(metrics, parse_address("temperatures[coretemp_package_id_0]")) == 54.0
