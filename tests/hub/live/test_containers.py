"""The topics of containers: what is news to whom, and how often."""

import msgspec
import pytest

from beszel_hub.live import containers
from beszel_hub.live.containers import ContainerTopics, Known
from beszel_protocol.feed import Containers, server_decoder
from tests.support.containers import make_facts, make_usage

BOTH = frozenset({"one", "two"})
ALL = ["containers"]


def make_topics() -> ContainerTopics:
    topics = ContainerTopics()
    topics.put_facts("one", [make_facts()])
    topics.put_facts("two", [make_facts(), make_facts("0123456789ab", "db")])
    return topics


def told(
    topics: ContainerTopics, known: Known, *, visible: frozenset[str] = BOTH, wanted: list[str] = ALL, now_ms: int = 0
) -> Containers | None:
    frame = topics.frame_for(visible, wanted, known, now_ms)
    if frame is None:
        return None
    decoded = server_decoder.decode(frame.numbered(7))
    assert isinstance(decoded, Containers)
    assert decoded.sequence == 7
    return decoded


def test_first_everything_then_what_changed() -> None:
    topics, known = make_topics(), Known()
    first = told(topics, known)
    assert first is not None
    assert [(host.system, len(host.facts or ())) for host in first.hosts] == [("one", 1), ("two", 2)]
    assert told(topics, known) is None
    topics.put_usage("two", 5, [make_usage()])
    used = told(topics, known)
    assert used is not None
    (host,) = used.hosts
    assert (host.system, host.facts, host.usage, host.updated_ms) == ("two", None, [make_usage()], 5)
    topics.put_facts("two", [make_facts()])
    changed = told(topics, known)
    assert changed is not None
    assert (changed.hosts[0].facts, changed.hosts[0].usage) == ([make_facts()], [make_usage()])


def test_the_first_frame_comes_even_if_there_is_nothing() -> None:
    topics, known = ContainerTopics(), Known()
    first = told(topics, known)
    assert first is not None
    assert first.hosts == []
    assert told(topics, known) is None


def test_usage_of_a_host_without_inventory_is_nobodys_business() -> None:
    topics, known = ContainerTopics(), Known()
    topics.put_usage("three", 5, [make_usage()])
    first = told(topics, known, visible=frozenset({"three"}))
    assert first is not None
    assert first.hosts == []


def test_only_what_one_sees_and_what_one_asked_for() -> None:
    topics = make_topics()
    seen = told(topics, Known(), visible=frozenset({"one"}))
    assert seen is not None
    assert [host.system for host in seen.hosts] == ["one"]
    asked = told(topics, Known(), wanted=["containers:two", "containers:three"])
    assert asked is not None
    assert [host.system for host in asked.hosts] == ["two"]


def test_what_is_gone_or_no_longer_seen_is_told() -> None:
    topics, known = make_topics(), Known()
    told(topics, known)
    lost = told(topics, known, visible=frozenset({"one"}))
    assert lost is not None
    assert lost.removed == ["two"]
    topics.remove("one")
    gone = told(topics, known, visible=frozenset({"one"}))
    assert gone is not None
    assert gone.removed == ["one"]
    topics.put_facts("one", [make_facts()])
    back = told(topics, known, visible=frozenset({"one"}))
    assert back is not None
    assert back.hosts[0].facts == [make_facts()]


def test_who_sees_very_many_gets_usage_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "CONTAINERS_A_SECOND", 1)
    topics, known = make_topics(), Known()
    told(topics, known, now_ms=1000)
    topics.put_usage("one", 5, [make_usage()])
    assert told(topics, known, now_ms=2000) is None
    topics.put_facts("two", [])
    news = told(topics, known, now_ms=3000)
    assert news is not None
    assert [host.system for host in news.hosts] == ["two"]
    late = told(topics, known, now_ms=4000)
    assert late is not None
    assert [host.system for host in late.hosts] == ["one"]


def test_a_host_is_encoded_once_for_all() -> None:
    topics = make_topics()
    pieces = {id(topics._hosts["one"].piece(with_facts=True)) for _ in range(3)}
    assert len(pieces) == 1
    assert isinstance(topics._hosts["one"].piece(with_facts=False), msgspec.Raw)
