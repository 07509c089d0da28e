from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_protocol.containers import (
    MAX_CONTAINERS,
    MAX_LABELS,
    MAX_PORTS,
    ContainerFacts,
    clean_containers,
    is_container_id,
)
from beszel_protocol.messages import Containers, InvalidMessage, decode_from_agent, encode


def facts(**changes: Any) -> ContainerFacts:
    return msgspec.structs.replace(
        ContainerFacts(id="0123456789ab", name="web", engine="docker", state="running"), **changes
    )


def received(*containers: ContainerFacts) -> list[ContainerFacts]:
    message = decode_from_agent(encode(Containers(containers=list(containers))))
    assert isinstance(message, Containers)
    return message.containers


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "../../etc"},
        {"id": "0123456789AB"},
        {"id": "0123456789abc"},
        {"id": "0123456789ab\n"},
        {"engine": "evil"},
        {"state": "Running"},
        {"name": "\x1b\u202e"},
    ],
)
def test_what_nobody_can_tell_is_dropped_and_its_neighbours_stay(changes: dict[str, Any]) -> None:
    good = facts(id="ffffffffffff", name="db")
    assert received(facts(**changes), good) == [good]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"health": "excellent"}, {"health": "none"}),
        ({"statistics": "guessed"}, {"statistics": None}),
        ({"started_at": "yesterday"}, {"started_at": None}),
        ({"finished_at": "2026-11-22T12:00:00"}, {"finished_at": None}),
        ({"memory_limit_bytes": -1}, {"memory_limit_bytes": None}),
        ({"cpu_limit_cores": -0.5}, {"cpu_limit_cores": None}),
        ({"restarts": -3}, {"restarts": None}),
        ({"name": "we\x1b[31mb"}, {"name": "we[31mb"}),
        ({"image": "a\u202eb"}, {"image": "ab"}),
        ({"status": "Up\r\n"}, {"status": "Up"}),
        ({"labels": {"a\x07": "b\x1b", "": "x", "\x00": "y"}}, {"labels": {"a": "b"}}),
        ({"labels": {str(n): "" for n in range(99)}}, {"labels": {str(n): "" for n in range(MAX_LABELS)}}),
        ({"ports": ["80/tcp"] * 99}, {"ports": ["80/tcp"] * MAX_PORTS}),
    ],
)
def test_a_bad_word_costs_that_word(sent: dict[str, Any], kept: dict[str, Any]) -> None:
    assert received(facts(**sent)) == [facts(**kept)]


def test_what_is_good_stays_as_it_is() -> None:
    item = facts(health="healthy", started_at="2026-11-22T12:00:00.000Z", labels={"a": "b"}, ports=["80→80/tcp"])
    (cleaned,) = clean_containers([item])
    assert cleaned is item


def test_ids_and_names_are_unique() -> None:
    first = facts()
    assert received(first, facts(name="other"), facts(id="ffffffffffff")) == [first]


def test_there_is_an_end_to_them() -> None:
    many = [facts(id=f"{n:012x}", name=f"c{n}") for n in range(MAX_CONTAINERS + 5)]
    assert len(received(*many)) == MAX_CONTAINERS


def test_a_field_of_another_type_is_no_message() -> None:
    with pytest.raises(InvalidMessage):
        decode_from_agent(b'{"type":"containers","containers":[{"id":1,"name":"a","engine":"docker","state":"dead"}]}')


@given(st.text())
def test_only_hexadecimal_digits_are_an_id(text: str) -> None:
    assert is_container_id(text) is (12 <= len(text) <= 64 and set(text) <= set("0123456789abcdef"))


@pytest.mark.parametrize(("text", "good"), [("0" * 11, False), ("0" * 12, True), ("f" * 64, True), ("f" * 65, False)])
def test_length_of_an_id(text: str, good: bool) -> None:
    assert is_container_id(text) is good
