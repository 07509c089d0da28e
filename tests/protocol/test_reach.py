"""The gate: which addresses nobody, an administrator, or everybody may aim at."""

from ipaddress import IPv4Address, ip_address

import pytest

from beszel_protocol.reach import Reach, judge, normalize

PUBLIC = (
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
    "172.15.255.255", "172.32.0.0", "192.167.255.255", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:4700::1111", "2001:4860:4860::8888", "2a00::1", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1",
)  # fmt: skip
PRIVATE = (
    "127.0.0.1", "127.255.255.255", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1",
    "100.64.0.1", "100.127.255.255", "169.254.1.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "192.88.99.1",
    "::1", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "2001:db8::1", "2001::1", "100::1", "3fff::1", "4000::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1.1.1.1",
    "2002:7f00:1::1", "2002:c0a8:1::1", "::ffff:0:1.1.1.1",
)  # fmt: skip
FORBIDDEN = (
    "0.0.0.0",  # noqa: S104 - nobody binds to it here
    "0.1.2.3", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "169.254.169.254", "169.254.169.253", "169.254.170.2", "169.254.170.23", "169.254.42.42", "100.100.100.200",
    "168.63.129.16", "192.0.0.192",
    "::", "ff02::1", "ff0e::1", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fe80::a9fe:a9fe",
    "::ffff:169.254.169.254", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1",
    "::ffff:0.0.0.0", "::ffff:224.0.0.1",
)  # fmt: skip


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        *((address, Reach.PUBLIC) for address in PUBLIC),
        *((address, Reach.PRIVATE) for address in PRIVATE),
        *((address, Reach.FORBIDDEN) for address in FORBIDDEN),
    ],
)
def test_every_kind_of_address(address: str, reach: Reach) -> None:
    assert judge(ip_address(address)) is reach
    assert judge(normalize(ip_address(address))) is reach


def test_what_is_only_written_as_ipv6_is_connected_to_by_ipv4() -> None:
    assert normalize(ip_address("::ffff:192.168.1.1")) == IPv4Address("192.168.1.1")
