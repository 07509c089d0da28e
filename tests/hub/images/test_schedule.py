"""When which image is asked about again, and which images at all."""

from beszel_hub.images.demand import MAX_OF_SYSTEM, MAX_REFERENCES, Demand, uses_in
from beszel_hub.images.schedule import (
    FIRST_PAUSE_MS,
    LONGEST_PAUSE_MS,
    LOOK_MS,
    SPREAD_MS,
    STALE_MS,
    Look,
    Pause,
    longer,
    postponed,
    told,
)
from beszel_protocol.containers import ContainerFacts
from beszel_protocol.images import parse_image
from tests.support.containers import make_facts

DIGEST = f"sha256:{'a' * 64}"
NOW = 1_800_000_000_000


def test_a_tag_is_asked_about_every_six_hours_and_a_little_more() -> None:
    assert told(DIGEST, NOW, 0.0) == Look(DIGEST, NOW, NOW + LOOK_MS)
    assert told(DIGEST, NOW, 1.0).due_ms == NOW + LOOK_MS + SPREAD_MS
    assert told(None, NOW, 0.0) == Look(None, 0, NOW + LOOK_MS)


def test_what_was_said_stands_for_two_days_of_silence() -> None:
    look = postponed(told(DIGEST, NOW, 0.0), NOW + LOOK_MS, LOOK_MS, 0.0)
    assert look.due_ms == NOW + 2 * LOOK_MS
    assert look.known_at(NOW + STALE_MS - 1) == DIGEST
    assert look.known_at(NOW + STALE_MS) is None


def test_pauses_double_up_to_a_bound_and_wishes_are_heard_up_to_it() -> None:
    pause, lengths = Pause(), []
    for _ in range(12):
        pause = longer(pause, NOW, None)
        lengths.append(pause.length_ms)
    assert lengths[:3] == [FIRST_PAUSE_MS, 2 * FIRST_PAUSE_MS, 4 * FIRST_PAUSE_MS]
    assert lengths[-1] == LONGEST_PAUSE_MS
    assert longer(Pause(), NOW, 900).until_ms == NOW + 900_000
    assert longer(Pause(), NOW, 1).length_ms == FIRST_PAUSE_MS
    assert longer(Pause(), NOW, 999_999_999).length_ms == LONGEST_PAUSE_MS


def facts(number: int, image: str, *digests: str) -> ContainerFacts:
    return make_facts(f"{number:012x}", f"c{number}", image=image, repo_digests=list(digests))


def test_only_tags_that_a_registry_gave_are_asked_about() -> None:
    listed = [
        facts(1, "redis:7", DIGEST), facts(2, "built-here"), facts(3, f"redis@{DIGEST}", DIGEST),
        facts(4, "No Image", DIGEST), make_facts("5" * 12, "c5", image=None, repo_digests=[DIGEST]),
    ]  # fmt: skip
    (use,) = uses_in(listed).values()
    assert str(use.reference) == "docker.io/library/redis:7"


def test_an_agent_cannot_have_any_number_of_names_asked_about() -> None:
    many = [facts(number, f"evil.example/{number}", DIGEST) for number in range(3 * MAX_OF_SYSTEM)]
    demand = Demand()
    for system in range(MAX_REFERENCES // MAX_OF_SYSTEM + 2):
        demand.put(f"s{system}", [facts(n, f"{f.image}-{system}", DIGEST) for n, f in enumerate(many)], NOW)
    assert len(demand.since_ms) == MAX_REFERENCES
    demand.put("s0", [], NOW)
    demand.put("honest", [facts(1, "redis", DIGEST)], NOW)
    reference = parse_image("redis")
    assert reference is not None
    assert demand.systems_with(reference) == ["honest"]


def test_a_tag_is_forgotten_with_its_last_container() -> None:
    demand = Demand()
    demand.put("a", [facts(1, "redis", DIGEST), facts(2, "redis:latest", DIGEST)], NOW)
    demand.put("b", [facts(1, "redis", DIGEST)], NOW)
    (reference,) = demand.since_ms
    assert demand.systems_with(reference) == ["a", "b"]
    demand.put("a", [], NOW)
    assert demand.systems_with(reference) == ["b"]
    demand.put("b", [facts(1, "redis", DIGEST)], NOW + 1)
    assert demand.since_ms == {reference: NOW}, "told again is not wanted anew"
    demand.put("b", [facts(1, "nginx", DIGEST)], NOW)
    assert [str(found) for found in demand.since_ms] == ["docker.io/library/nginx:latest"]
