import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_protocol import messages
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.details import HostDetails
from beszel_protocol.messages import (
    Ack,
    Challenge,
    Configuration,
    Configure,
    Containers,
    Details,
    Event,
    Gap,
    Hello,
    Interval,
    InvalidMessage,
    MalformedFrame,
    Request,
    Response,
    Sample,
    Samples,
    Welcome,
)
from beszel_protocol.sample import Metrics
from tests.support.samples import NOON_MS, any_metrics, make_sample


@pytest.mark.parametrize(
    "message",
    [
        Hello(protocol=1, nonce="abc", version="0.1.0"),
        make_sample(),
        Event(sequence=2, timestamp="2026-11-22T12:00:00.000Z", boot_ms=1, kind="container_died", subject="web"),
        Gap(sequence=3, from_="2026-11-22T12:00:00.000Z", to="2026-11-22T12:01:00.000Z", reason="spool_full"),
        Details(details=HostDetails(hostname="web-1", cores=4)),
        Response(id=7, result={"processes": []}, more=True),
        Containers(containers=[ContainerFacts(id="3f4e5d6c7b8a", name="web", engine="docker", state="running")]),
    ],
)
def test_what_an_agent_encodes_a_hub_decodes(message: messages.FromAgent) -> None:
    assert messages.decode_from_agent(messages.encode(message)) == message


@pytest.mark.parametrize(
    "message",
    [
        Challenge(nonce="n", public_key="k", signature="s"),
        Welcome(system_id="abc", interval_seconds=1.0, stored=[(1, 5), (7, 9)]),
        Ack(stored=[(1, 812)]),
        Interval(seconds=5.0),
        Configure(configuration=Configuration(revision=3)),
        Request(id=1, action="collectors"),
    ],
)
def test_what_a_hub_encodes_an_agent_decodes(message: messages.FromHub) -> None:
    assert messages.decode_from_hub(messages.encode(message)) == message


def test_the_sample_on_the_wire_is_the_documented_json() -> None:
    document = msgspec.json.decode(messages.encode(make_sample(812)))
    assert document["type"] == "sample"
    assert document["sequence"] == 812
    assert document["timestamp"] == "2026-11-22T12:00:00.000Z"
    assert document["metrics"]["cpu"]["load_average"] == [0.8, 0.6, 0.4]
    assert document["metrics"]["disk"]["/mnt/v1.2"]["usage_percent"] == 50.0
    assert "gpus" not in document["metrics"], "what a host cannot tell is absent"


def test_names_that_are_no_text_spoil_no_frame() -> None:
    """Of a file, say, whose name is not UTF-8, as `os.listdir` has it."""
    name = os.fsdecode(b"\xff.prom")
    metrics = Metrics(custom_age_seconds={name: 3.0, "b": 4.0})
    sample = msgspec.structs.replace(make_sample(), metrics=metrics)
    decoded = messages.decode_from_agent(messages.encode(sample))
    assert isinstance(decoded, messages.Sample)
    assert decoded.metrics.custom_age_seconds == {"?.prom": 3.0, "b": 4.0}
    assert decoded.timestamp == sample.timestamp
    response = messages.decode_from_agent(
        messages.encode(messages.Response(id=1, result={"reasons": [name]}, more=True))
    )
    assert response == messages.Response(id=1, result={"reasons": ["?.prom"]}, more=True)


def test_a_gap_has_the_wire_name_from() -> None:
    gap = Gap(sequence=3, from_="a", to="b", reason="spool_full")
    assert msgspec.json.decode(messages.encode(gap))["from"] == "a"


def test_unknown_types_and_fields_are_ignored() -> None:
    assert messages.decode_from_agent(b'{"type":"poem","text":"..."}') is None
    assert messages.decode_from_hub(b'{"type":"poem"}') is None
    assert messages.decode_from_hub(b'{"type":"interval","seconds":2,"colour":"red"}') == Interval(seconds=2.0)


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"{", b"\xff\xfe", b"[]", b"3", b"{}", b'{"type":5}', b"nul", '{"type":"sample"', b"[" * 500_000,
        b'{"type":"response","id":1,"result":' + b"[" * 500_000, b'{"type":"hello","x":' + b'{"a":' * 150_000,
    ],
)  # fmt: skip
def test_what_is_no_frame_is_malformed(frame: bytes | str) -> None:
    with pytest.raises(MalformedFrame):
        messages.decode_from_agent(frame)


@pytest.mark.parametrize(
    "frame",
    [
        b'{"type":"sample"}',
        b'{"type":"sample","sequence":"1","timestamp":"x","boot_ms":1,"metrics":{}}',
        b'{"type":"sample","sequence":-1,"timestamp":"x","boot_ms":1,"metrics":{}}',
        b'{"type":"sample","sequence":9007199254740992,"timestamp":"x","boot_ms":1,"metrics":{}}',
        b'{"type":"ack","stored":[]}',
        b'{"type":"samples","records":{}}',
    ],
)
def test_a_known_type_with_wrong_fields_is_invalid(frame: bytes) -> None:
    with pytest.raises(InvalidMessage):
        messages.decode_from_agent(frame)


def test_samples_come_cleaned() -> None:
    frame = (
        b'{"type":"sample","sequence":1,"timestamp":"t\\u0007","boot_ms":1,'
        b'"metrics":{"cpu":{"usage_percent":1e300},"temperatures":{"a\\u001b[2J":40}}}'
    )
    sample = messages.decode_from_agent(frame)
    assert isinstance(sample, Sample)
    assert sample.timestamp == "t"
    assert sample.metrics.cpu is not None
    assert sample.metrics.cpu.usage_percent is None
    assert sample.metrics.temperatures == {"a[2J": 40.0}


def test_a_bad_record_in_a_batch_does_not_spoil_its_neighbours() -> None:
    good = messages.encode(make_sample(1))
    bad = b'{"type":"sample","sequence":2,"metrics":[]}'
    batch = messages.encode(Samples(records=[msgspec.Raw(good), msgspec.Raw(bad)]))
    decoded = messages.decode_from_agent(batch)
    assert isinstance(decoded, Samples)
    assert messages.decode_record(decoded.records[0]) == make_sample(1)
    with pytest.raises(InvalidMessage):
        messages.decode_record(decoded.records[1])
    assert messages.sequence_of(decoded.records[1]) == 2


@pytest.mark.parametrize("record", [b"{}", b"[", b'{"sequence":-4}', b'{"sequence":"x"}', b"\xff"])
def test_a_record_without_a_usable_sequence(record: bytes) -> None:
    assert messages.sequence_of(record) is None


def test_a_batch_holds_only_records() -> None:
    with pytest.raises(InvalidMessage):
        messages.decode_record(b'{"type":"hello","protocol":1,"nonce":"","version":""}')
    with pytest.raises(InvalidMessage):
        messages.decode_record(b'{"type":"poem"}')


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_decoders(data: bytes) -> None:
    for decode in (messages.decode_from_agent, messages.decode_from_hub, messages.decode_record):
        try:
            decode(data)
        except messages.MessageError:
            continue


@given(any_metrics)
def test_any_sample_survives_the_wire(metrics: Metrics) -> None:
    sample = messages.clean_record(Sample(sequence=1, timestamp="t", boot_ms=NOON_MS, metrics=metrics))
    assert messages.decode_from_agent(messages.encode(sample)) == sample
