"""Versions in the order of the package managers; the tables are examples of their manuals and of real archives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_agent.packages.versions import alpine_is_newer, debian_is_newer, pacman_is_newer

DEBIAN = [
    ("1.0", "0.9"), ("1.10", "1.9"), ("1:0.1", "9.9"), ("1.0-2", "1.0-1"), ("1.0", "1.0~rc1"), ("1.0~rc2", "1.0~rc1"),
    ("1.0~rc1", "1.0~~"), ("1.0a", "1.0"), ("1.0+b1", "1.0a"), ("1.0-1+deb12u1", "1.0-1"), ("1.0-1.1", "1.0-1"),
    ("2.36-9+deb12u10", "2.36-9+deb12u9"), ("3.0.14-1~deb12u2", "3.0.9-1"), ("1.0-1", "1.0-1~bpo12+1"),
    ("2024a-0+deb12u1", "2023c-5+deb12u1"), ("0:1.0-a-2", "1.0-a-1"),
]  # fmt: skip
ALPINE = [
    ("1.0", "0.9"), ("1.10", "1.9"), ("1.36.1-r29", "1.36.1-r28"), ("1.36.1-r10", "1.36.1-r9"), ("1.2.1", "1.2-r9"),
    ("1.1", "1.1_alpha1"), ("1.3_alpha2", "1.3_alpha"), ("1.3_beta1", "1.3_alpha9"), ("1.0_rc1", "1.0_pre9"),
    ("0.1.0_alpha", "0.1.0_alpha_pre2"), ("1.0_p10-r0", "1.0_p9-r0"), ("1.8.5_p2", "1.8.5"), ("2.5.1a-r1", "2.5.1-r8"),
    ("9.8d", "9.8c-r1"), ("1.2.1", "1.2a"), ("1.2a", "1.2_p1"), ("1.03-r1", "1.02"), ("1.1", "1.09"),
    ("1.0.0_pre20210530193627-r0", "1.0.0_pre20191002222144-r0"), ("20240705-r1", "20240705-r0"), ("1.0_git2", "1.0"),
    ("1.0~2345-r0", "1.0~1234-r1"), ("1.0~1234", "1.0"),
    ("006", "1.06-r6"),
]  # fmt: skip
PACMAN = [
    ("1.0-2", "1.0-1"), ("1.0.1-1", "1.0-1"), ("1.0-1", "1.0rc-1"), ("1.0-1", "1.0beta-1"), ("1:1.0-1", "9.9-9"),
    ("6.10.arch1-1", "6.9.7.arch1-1"), ("14.1.1+r58+gfc9fb69ad62-1", "14.1.1+r1+g43b730b9134-1"),
    ("1.0.0", "1.0.a"), ("1.0b", "1.0a"),
]  # fmt: skip


@pytest.mark.parametrize(("newer", "older"), DEBIAN)
def test_debian(newer: str, older: str) -> None:
    assert debian_is_newer(newer, older)
    assert not debian_is_newer(older, newer)


@pytest.mark.parametrize(("newer", "older"), PACMAN)
def test_pacman(newer: str, older: str) -> None:
    assert pacman_is_newer(newer, older)
    assert not pacman_is_newer(older, newer)


@pytest.mark.parametrize(("newer", "older"), ALPINE)
def test_alpine(newer: str, older: str) -> None:
    assert alpine_is_newer(newer, older)
    assert not alpine_is_newer(older, newer)


@pytest.mark.parametrize("version", ["", "1.0bc", "1_foo", "1.0-1", "1..0", "9" * 50, "1.0\n", "\u0661.0"])
def test_what_is_no_version_to_apk_is_neither_newer_nor_older(version: str) -> None:
    assert not alpine_is_newer(version, "1.0")
    assert not alpine_is_newer("1.0", version)


@pytest.mark.parametrize(("a", "b"), [("1.0", "0:1.0"), ("1.0", "1.0-0"), ("1.01", "1.1")])
def test_the_same_to_debian(a: str, b: str) -> None:
    assert not debian_is_newer(a, b)
    assert not debian_is_newer(b, a)


versions = st.text("0123456789abz.+~-:", max_size=12) | st.text(max_size=6)


@given(versions, versions)
def test_of_any_two_at_most_one_is_newer(a: str, b: str) -> None:
    for is_newer in (alpine_is_newer, debian_is_newer, pacman_is_newer):
        assert not (is_newer(a, b) and is_newer(b, a))
        assert not is_newer(a, a)
