"""Values of settings, as people write them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_agent.settings import (
    HubUrl,
    NamedDisk,
    SmartDevice,
    SpoolLimit,
    parse_checks,
    parse_choice,
    parse_flag,
    parse_hub_keys,
    parse_hub_url,
    parse_interval,
    parse_named_disks,
    parse_names,
    parse_seconds,
    parse_smart_device,
    parse_spool_limit,
)
from beszel_protocol.handshake import encode_bytes
from tests.support.linkhub import openssh_key

A, B = bytes(range(32)), bytes(range(100, 132))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (openssh_key(A), (A,)),
        (f"  {openssh_key(A)}\n", (A,)),
        (f"# the old one\n{openssh_key(A)}\n\n{openssh_key(B)}\n", (A, B)),
        (f"{openssh_key(A)}\n{openssh_key(A)}", (A,)),
        (encode_bytes(A), (A,)),
        (f'command="x y" {openssh_key(A)}', (A,)),
    ],
)
def test_hub_keys(text: str, expected: tuple[bytes, ...]) -> None:
    assert parse_hub_keys(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("# only a comment", "no key"),
        ("ssh-rsa AAAAB3NzaC1yc2E= me", "only ssh-ed25519"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI me", "cut|no such key"),
        ("ssh-ed25519", "only ssh-ed25519"),
        ("ssh-ed25519 " + base64.b64encode(b"x" * 51).decode(), "no such key"),
        ("hello", "as the hub prints it|base64"),
        ("ключ", "base64"),
        (encode_bytes(A) + " extra", "as the hub prints it"),
    ],
)
def test_no_hub_keys(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_hub_keys(text)


@given(st.binary(min_size=32, max_size=32))
def test_any_key_is_read_back(key: bytes) -> None:
    assert parse_hub_keys(openssh_key(key)) == parse_hub_keys(encode_bytes(key)) == (key,)


@given(st.text())
def test_garbage_is_a_value_error_or_nothing(text: str) -> None:
    for parse in (parse_hub_keys, parse_hub_url, parse_seconds, parse_flag, parse_spool_limit):
        try:
            parse(text)
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://hub.example.org", HubUrl(True, "hub.example.org", 443, "")),
        ("http://127.0.0.1:8090/", HubUrl(False, "127.0.0.1", 8090, "")),
        ("https://example.org/monitoring/beszel/", HubUrl(True, "example.org", 443, "/monitoring/beszel")),
        ("wss://hub:1", HubUrl(True, "hub", 1, "")),
        ("http://[::1]:8090", HubUrl(False, "::1", 8090, "")),
        ("http://hüb.example.:1", HubUrl(False, "hüb.example.", 1, "")),
    ],
)
def test_hub_url(text: str, expected: HubUrl) -> None:
    assert parse_hub_url(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "hub.example.org", "ftp://hub", "http://", "http://ada:secret@hub", "http://hub/?a=1", "http://hub:99999",
        "http://hub..example", "https://.hub", f"http://{'a' * 64}.example", f"http://{'ü' * 64}.example", "http://.",
    ],
)  # fmt: skip
def test_no_hub_url(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_hub_url(text)


@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://127.8.0.1", True), ("http://localhost", True), ("http://[::1]", True), ("http://10.0.0.1", False)],
)
def test_loopback(url: str, expected: bool) -> None:
    assert parse_hub_url(url).is_loopback is expected


def test_a_url_is_shown_as_it_can_be_written() -> None:
    assert str(parse_hub_url("wss://[::1]:1/a/")) == "https://[::1]:1/a"


@pytest.mark.parametrize(
    ("text", "expected"), [("10", 10), ("1.5", 1.5), ("500ms", 0.5), ("10s", 10), ("1m30s", 90), ("1h", 3600)]
)
def test_seconds(text: str, expected: float) -> None:
    assert parse_seconds(text) == expected


@pytest.mark.parametrize("text", ["", "s", "10x", "1m30", "ten", "-5s", "nan1s"])
def test_no_seconds(text: str) -> None:
    with pytest.raises(ValueError, match="write a time"):
        parse_seconds(text)


@pytest.mark.parametrize("text", ["0", "301", "500ms", "1e9", "inf1"])
def test_no_interval(text: str) -> None:
    with pytest.raises(ValueError, match=r"lies between|write a time"):
        parse_interval(text)


@pytest.mark.parametrize(
    ("text", "hours", "mib"),
    [("", 24, 64), ("2h", 2, 64), ("8MiB", 24, 8), ("1h30m, 1GiB", 1.5, 1024), ("7200", 2, 64)],
)
def test_spool_limit(text: str, hours: float, mib: int) -> None:
    assert parse_spool_limit(text) == SpoolLimit(round(hours * 3_600_000), mib << 20)
    assert parse_spool_limit(str(parse_spool_limit(text))) == parse_spool_limit(text)


@pytest.mark.parametrize("text", ["30s", "1KiB", "-1MiB", "a lot", "1e999", "MiB", "64TiB"])
def test_no_spool_limit(text: str) -> None:
    with pytest.raises(ValueError, match=r"holds at least|write a"):
        parse_spool_limit(text)


def test_flags_choices_and_names() -> None:
    assert [parse_flag(word) for word in ("true", "YES", "1", "off", "false", "")] == [True] * 3 + [False] * 3
    assert parse_choice("htop")(" HTOP ") == "htop"
    assert [parse_checks(text) for text in ("on", "true", "Public", "off", "0")] == ["on", "on", "public", "off", "off"]
    assert parse_names(" eth0 , wg* ,") == ("eth0", "wg*")
    with pytest.raises(ValueError, match="true or false"):
        parse_flag("perhaps")
    with pytest.raises(ValueError, match="a or b"):
        parse_choice("a", "b")("c")
    with pytest.raises(ValueError, match="write on, public or off"):
        parse_checks("private")


def test_named_disks() -> None:
    assert parse_named_disks("/srv, sdb1__Backup ,/mnt/a__b__c") == (
        NamedDisk("/srv", None),
        NamedDisk("sdb1", "Backup"),
        NamedDisk("/mnt/a", "b__c"),
    )
    assert ",".join(map(str, parse_named_disks("/srv, sdb1__Backup"))) == "/srv,sdb1__Backup"
    with pytest.raises(ValueError, match="mount point"):
        parse_named_disks("__Name")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/dev/sda", SmartDevice("/dev/sda", None)),
        (" /dev/sda:sat ", SmartDevice("/dev/sda", "sat")),
        ("/dev/bus/0:megaraid,4", SmartDevice("/dev/bus/0", "megaraid,4")),
        ("/dev/twa0:3ware,2", SmartDevice("/dev/twa0", "3ware,2")),
        ("/dev/cciss/c0d0:cciss,1", SmartDevice("/dev/cciss/c0d0", "cciss,1")),
        ("/dev/sg2:areca,3/1", SmartDevice("/dev/sg2", "areca,3/1")),
        ("/dev/disk/by-path/pci-0000:00:17.0-ata-1", SmartDevice("/dev/disk/by-path/pci-0000:00:17.0-ata-1", None)),
        ("/dev/disk/by-path/x-scsi-0:0:0:0:sat", SmartDevice("/dev/disk/by-path/x-scsi-0:0:0:0", "sat")),
    ],
)
def test_smart_device(text: str, expected: SmartDevice) -> None:
    assert parse_smart_device(text) == expected


@pytest.mark.parametrize("text", ["sda", "--scan", "-d:sat", "", ":sat"])
def test_no_smart_device(text: str) -> None:
    with pytest.raises(ValueError, match="is no device"):
        parse_smart_device(text)
