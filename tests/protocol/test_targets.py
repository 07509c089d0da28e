"""One understanding of hosts, ports and URLs for all programs."""

import pytest

from beszel_protocol.targets import HostPort, Url, parse_host, parse_host_port, parse_server, parse_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://example.org", Url(False, "example.org", 80, "/")),
        ("HTTPS://Example.org/", Url(True, "Example.org", 443, "/")),
        ("https://example.org:8443/a?b=c#d", Url(True, "example.org", 8443, "/a?b=c")),
        ("http://example.org?x", Url(False, "example.org", 80, "/?x")),
        ("http://[2001:DB8::1]:8080/", Url(False, "2001:db8::1", 8080, "/")),
        ("http://2130706433/", Url(False, "2130706433", 80, "/")),  # the resolver says what it means
        ("http://a_b.example./x", Url(False, "a_b.example.", 80, "/x")),
    ],
)
def test_urls(text: str, url: Url) -> None:
    assert parse_url(text) == url
    assert parse_url(str(url)) == url


@pytest.mark.parametrize(
    "text",
    [
        "", "example.org", "ftp://example.org", "file:///etc/passwd", "gopher://x/", "http://", "http:///x",
        "http://user@example.org/", "http://user:word@example.org/", "http://good.example\\@bad.example/",
        "http://a b/", "http://a/\r\nX: y", "http://a/\x7f", "http://bücher.example/", "http://a/ü",
        "http://[::1", "http://[fe80::1%25eth0]/", "http://[1.2.3.4]/", "http://::1/",
        "http://a:0/", "http://a:65536/", "http://a:/", "http://a..b/", "http://-a/", f"http://{'a' * 64}.example/",
        "http://example.org/" + "a" * 2048, "http://a:٣/",
    ],
)  # fmt: skip
def test_what_is_no_url(text: str) -> None:
    with pytest.raises(ValueError, match=r"[A-Z].*\."):
        parse_url(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("db.example.org:5432", HostPort("db.example.org", 5432)),
        ("192.0.2.1:22", HostPort("192.0.2.1", 22)),
        ("[2001:db8::1]:22", HostPort("2001:db8::1", 22)),
    ],
)
def test_hosts_with_a_port(text: str, expected: HostPort) -> None:
    assert parse_host_port(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize("text", ["", "a", "a:", ":1", "a:b", "::1:22", "[::1]", "a:1:2", "a/b:1", "[]:1", "a:1\n"])
def test_what_is_no_host_with_a_port(text: str) -> None:
    with pytest.raises(ValueError, match=r"[A-Z].*\."):
        parse_host_port(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ns.example.org", HostPort("ns.example.org", 53)),
        ("ns.example.org:5353", HostPort("ns.example.org", 5353)),
        ("192.0.2.1:5353", HostPort("192.0.2.1", 5353)),
        ("2001:db8::1", HostPort("2001:db8::1", 53)),
        ("[2001:db8::1]", HostPort("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", HostPort("2001:db8::1", 5353)),
    ],
)
def test_a_server_may_leave_out_its_port(text: str, expected: HostPort) -> None:
    assert parse_server(text, 53) == expected


@pytest.mark.parametrize("text", ["a" * 254, "", ".", "a b", "a;b", "$(id)", "--help", "a\n", "1.2.3.4/8"])
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(ValueError, match=r"[A-Z].*\."):
        parse_host(text)
