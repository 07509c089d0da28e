"""Custom metrics: the text format, line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_agent.errors import ReadingFailed
from beszel_agent.textfile import parse_textfile
from beszel_protocol.addresses import Address, Step, flatten, parse_address
from beszel_protocol.sample import Metrics


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("a 1\n", {"a": 1.0}),
        ("# HELP a what\n# TYPE a gauge\n\n a  -1.5e3 \n", {"a": -1500.0}),
        ('a{} 1\nb{x="1"} 2\n', {"a": 1.0, 'b{x="1"}': 2.0}),
        ('a{z="2", b = "1",} 0x\n'.replace("0x", "7"), {'a{b="1",z="2"}': 7.0}),
        (r'a{p="C:\\x",q="say \"hi\"",n="1\n2"} 1' + "\n", {r'a{n="1\n2",p="C:\\x",q="say \"hi\""}': 1.0}),
        ('a{l="}, b"}1\n', {'a{l="}, b"}': 1.0}),
        ("job:rate 1\n", {"job:rate": 1.0}),
        ("a NaN\nb +Inf\nc 1\n", {"c": 1.0}),  # not a reading
        ('a{l="ж\u202e"} 1\r\n', {'a{l="ж"}': 1.0}),
    ],
)
def test_parse(text: str, expected: dict[str, float]) -> None:
    assert parse_textfile(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a 1", "cut"),
        ("a\n", "one number"),
        ("a one\n", "could not convert"),
        ("a 1_000\n", "one number"),
        ("a 1 1700000000000\n", "time stamp"),
        ("a 1\na 2\n", "line 2: the same series"),
        ('a{x="1",y="2"} 1\na{y="2",x="1"} 2\n', "line 2: the same series"),
        ('a{x="1",x="2"} 1\n', "label x a second time"),
        ('a{x="1} 1\n', "labels are written"),
        ("a{x=1} 1\n", "labels are written"),
        ('a{x="1" y="2"} 1\n', "labels are written"),
        ("1a 1\n", "name expected"),
        ("жук 1\n", "name expected"),
        ("a" * 300 + " 1\n", "at most"),
        ("<html>\n", "name expected"),
    ],
)
def test_what_is_not_allowed(text: str, reason: str) -> None:
    with pytest.raises(ReadingFailed, match=reason):
        parse_textfile(text)


@given(st.text('ab{}=",\\ \n#1.eN_-\x1b', max_size=60) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_textfile(text)
    except ReadingFailed:
        return
    assert all("\x1b" not in series for series in found)


label_values = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20)


@given(label_values, st.floats(allow_nan=False, allow_infinity=False))
def test_a_series_keeps_its_address(value: str, number: float) -> None:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    (series,) = parse_textfile(f'a{{l="{escaped}"}} {number!r}\n')
    address = Address([Step("custom", series)])
    assert parse_address(str(address)) == address
    assert list(flatten(Metrics(custom={series: number}))) == [(address, number)]
