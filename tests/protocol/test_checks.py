"""What may be defined, by field."""

from typing import Any

import msgspec
import pytest

from beszel_protocol.checks import MAX_CHECKS, CheckDefinition, parse_statuses, problems_of
from beszel_protocol.messages import MAX_FRAME_BYTES, Configuration, Configure, decode_from_hub, encode

GOOD: dict[str, dict[str, Any]] = {
    "http": {"target": "https://example.org/", "keyword": "ok", "expected_status": "200, 301-303"},
    "tcp": {"target": "db.example.org:5432"},
    "ping": {"target": "2001:db8::1"},
    "dns": {"target": "example.org", "record": "AAAA", "keyword": "2001:db8::1", "server": "ns.example.org:53"},
}


def define(kind: str, **changes: Any) -> CheckDefinition:
    return CheckDefinition(**{"name": "one", "kind": kind, **GOOD.get(kind, {"target": "x"}), **changes})


@pytest.mark.parametrize("kind", GOOD)
def test_good_ones_have_no_problem(kind: str) -> None:
    assert problems_of(define(kind)) == {}


@pytest.mark.parametrize(
    ("kind", "changes", "fields"),
    [
        ("http", {"name": ""}, {"name"}),
        ("http", {"name": "a" * 65}, {"name"}),
        ("http", {"name": " a"}, {"name"}),
        ("http", {"name": "a\x1b[31m"}, {"name"}),
        ("http", {"name": "a\u202eb"}, {"name"}),
        ("smtp", {}, {"kind"}),
        ("http", {"target": "file:///etc/shadow"}, {"target"}),
        ("tcp", {"target": "https://example.org"}, {"target"}),
        ("ping", {"target": "-f host"}, {"target"}),
        ("dns", {"target": "1::2"}, {"target"}),
        ("dns", {"server": "ns.example.org:0"}, {"server"}),
        ("dns", {"record": "ANY"}, {"record"}),
        ("http", {"interval_seconds": 4.9}, {"interval_seconds"}),
        ("http", {"interval_seconds": 86401}, {"interval_seconds"}),
        ("http", {"interval_seconds": float("nan")}, {"interval_seconds"}),
        ("http", {"timeout_seconds": 0}, {"timeout_seconds"}),
        ("http", {"timeout_seconds": 61}, {"timeout_seconds"}),
        ("http", {"keyword": "k" * 257}, {"keyword"}),
        ("http", {"method": "POST"}, {"method"}),
        ("http", {"method": "HEAD"}, {"keyword"}),
        ("http", {"expected_status": "2xx"}, {"expected_status"}),
        ("tcp", {"keyword": "k", "server": "192.0.2.1"}, {"keyword", "server"}),
        ("ping", {"follow_redirects": False}, {"follow_redirects"}),
        ("dns", {"verify_certificate": False, "expected_status": "200"}, {"verify_certificate", "expected_status"}),
    ],
)
def test_bad_ones_name_the_field(kind: str, changes: dict[str, Any], fields: set[str]) -> None:
    assert problems_of(define(kind, **changes)).keys() == fields


@pytest.mark.parametrize(
    ("text", "ranges"),
    [("", ((200, 299),)), ("204", ((204, 204),)), ("200,301-303 , 404", ((200, 200), (301, 303), (404, 404)))],
)
def test_statuses(text: str, ranges: tuple[tuple[int, int], ...]) -> None:
    assert parse_statuses(text) == ranges


@pytest.mark.parametrize("text", [",", "200-", "303-301", "100", "600", "20", "²00", ",".join(["200"] * 17)])
def test_what_is_no_status(text: str) -> None:
    with pytest.raises(ValueError, match="tatus"):
        parse_statuses(text)


def test_the_largest_configuration_fits_a_frame() -> None:
    largest = define("http", name="\U0001f4a9" * 64, target="http://e/" + "a" * 2039, keyword='"' * 256)
    configuration = Configuration(revision=2**53, checks=[largest] * MAX_CHECKS)
    assert len(encode(Configure(configuration=configuration))) < MAX_FRAME_BYTES // 4


def test_a_kind_of_a_newer_hub_does_not_spoil_the_others() -> None:
    frame = msgspec.json.encode(
        {"type": "configure", "configuration": {"revision": 3, "checks": [
            {"name": "a", "kind": "grpc", "target": "x", "service": "y"}, msgspec.to_builtins(define("tcp")),
        ]}}
    )  # fmt: skip
    message = decode_from_hub(frame)
    assert isinstance(message, Configure)
    assert [problems_of(check).keys() for check in message.configuration.checks] == [{"kind"}, set()]
