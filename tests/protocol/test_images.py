"""References of images, as people, engines and registries write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_protocol.containers import clean_containers
from beszel_protocol.images import MAX_DIGESTS, ImageReference, digests_of, is_digest, parse_image
from tests.support.containers import make_facts

ONE, TWO = (f"sha256:{digit * 64}" for digit in "12")


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("redis", "docker.io/library/redis:latest"),
        ("redis:7-alpine", "docker.io/library/redis:7-alpine"),
        ("henrygd/beszel:0.12", "docker.io/henrygd/beszel:0.12"),
        ("docker.io/redis", "docker.io/library/redis:latest"),
        ("index.docker.io/library/redis", "docker.io/library/redis:latest"),
        ("ghcr.io/owner/app/part:v1.2_3", "ghcr.io/owner/app/part:v1.2_3"),
        ("GHCR.io/owner/app", "ghcr.io/owner/app:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("registry.lan:5000/app:x", "registry.lan:5000/app:x"),
        ("registry.lan:5000/app", "registry.lan:5000/app:latest"),
        ("[2001:db8::1]:5000/app", "[2001:db8::1]:5000/app:latest"),
        ("a__b-d--e/f.g", "docker.io/a__b-d--e/f.g:latest"),
        (f"redis@{ONE}", f"docker.io/library/redis:latest@{ONE}"),
        (f"redis:7@{ONE}", f"docker.io/library/redis:7@{ONE}"),
    ],
)
def test_references(text: str, full: str) -> None:
    parsed = parse_image(text)
    assert str(parsed) == full
    assert parse_image(full) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "", ":", "/", "@", "Redis", "redis:", "redis:-x", "redis:" + "x" * 129, "a/../b", "a//b", "a/", "/a", "a b",
        "redis@sha256:1", "redis@", f"redis@{ONE.upper()}", ONE, "user:pass@evil.example/x", "evil.example:99999/x",
        "evil.example:0/x", "ev_il..example/x", "http://evil.example/x", "evil.example/x?y", "evil.example/x#y",
        "evil.example/x%2e", "evil.example/\u202ex", "x" * 600, "évil.example/x", "redis\n", "evil.example:5000",
    ],
)  # fmt: skip
def test_what_is_no_reference(text: str) -> None:
    assert parse_image(text) in {None, ImageReference("docker.io", "library/evil.example", "5000")}


@given(st.text(alphabet="aZ0._-:/@[]%\\ \n\u202e", max_size=40))
def test_nothing_gets_into_a_path_but_what_belongs_there(text: str) -> None:
    parsed = parse_image(text)
    if parsed is not None:
        assert parse_image(str(parsed)) == parsed
        assert ".." not in parsed.repository
        assert not set(parsed.repository) - set("abcdefghijklmnopqrstuvwxyz0123456789._-/")


def test_the_digests_of_an_image_are_those_of_its_repository() -> None:
    told = [f"redis@{TWO}", f"docker.io/library/redis@{ONE}", f"ghcr.io/x/redis@sha256:{'3' * 64}", "<none>@<none>"]
    assert digests_of(told, "redis:7") == [ONE, TWO]
    assert digests_of(told, "redis-stack") == []
    assert digests_of(told, ONE) == []
    assert len(digests_of([f"redis@sha256:{number:064x}" for number in range(100)], "redis")) == MAX_DIGESTS


def test_a_hub_believes_digests_only() -> None:
    (facts,) = clean_containers([make_facts(repo_digests=["x", ONE, "sha256:\x1b", *[TWO] * 50])])
    assert facts.repo_digests == [ONE, *[TWO] * (MAX_DIGESTS - 1)]
    assert is_digest(f"sha512:{'a' * 128}")
