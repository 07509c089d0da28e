"""Which of two versions of a package is newer, as its package manager has it. Pure.

Debian's order is that of deb-version(7), pacman's that of vercmp(8), which is also RPM's,
Alpine's that of apk-package(5).
"""

import re
from itertools import zip_longest
from typing import Final

_DIGITS: Final = frozenset("0123456789")
_RPM_ALNUM: Final = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


_ALPINE: Final = re.compile(
    r"([0-9]{1,40})((?:\.[0-9]{1,40})*)([a-z]?)((?:_[a-z]+[0-9]{0,40})*)(~[0-9a-f]+)?(?:-r([0-9]{1,40}))?"
)
_ALPINE_SUFFIX: Final = re.compile(r"_([a-z]+)([0-9]*)")
_BEFORE: Final = ("alpha", "beta", "pre", "rc")
_AFTER: Final = ("cvs", "svn", "git", "hg", "p")
_BEFORE_END, _AT_END, _REVISION, _COMMIT, _SUFFIX, _LETTER, _NUMBER = range(7)
"""What is newer where one version has the one and the other the other."""


def alpine_is_newer(candidate: str, installed: str) -> bool:
    """False if one of them is no version that apk would take."""
    new, old = _alpine_order(candidate), _alpine_order(installed)
    return new is not None and old is not None and new > old


def debian_is_newer(candidate: str, installed: str) -> bool:
    return _compare_debian(candidate, installed) > 0


def pacman_is_newer(candidate: str, installed: str) -> bool:
    return _compare_pacman(candidate, installed) > 0


def _alpine_order(version: str) -> list[tuple[int | str, ...]] | None:
    """Of any two the larger list is that of the newer version; None if it is none."""
    found = _ALPINE.fullmatch(version)
    if found is None:
        return None
    first, others, letter, suffixes, commit, revision = found.groups()
    order: list[tuple[int | str, ...]] = [(_NUMBER, 1, int(first), "")]
    # What begins with a zero compares like the digits of a fraction.
    order += [
        (_NUMBER, 0, 0, part) if part[0] == "0" else (_NUMBER, 1, int(part), "") for part in others.split(".")[1:]
    ]
    order += [(_LETTER, letter)] if letter else []
    for name, number in _ALPINE_SUFFIX.findall(suffixes):
        if name not in _BEFORE + _AFTER:
            return None
        kind, names = (_BEFORE_END, _BEFORE) if name in _BEFORE else (_SUFFIX, _AFTER)
        order.append((kind, names.index(name), int(number) if number else -1))
    order += [(_COMMIT, commit)] if commit else []
    order += [(_REVISION, int(revision))] if revision else []
    return [*order, (_AT_END,)]


def _compare_debian(a: str, b: str) -> int:
    (epoch_a, upstream_a, revision_a), (epoch_b, upstream_b, revision_b) = _split(a), _split(b)
    return (
        _sign(epoch_a - epoch_b) or _compare_debian_part(upstream_a, upstream_b)
        or _compare_debian_part(revision_a or "0", revision_b or "0")
    )  # fmt: skip


def _compare_debian_part(a: str, b: str) -> int:
    """Text and numbers take turns; in text a tilde is before the end, the end before letters, letters before others."""
    for (text_a, number_a), (text_b, number_b) in zip_longest(_turns(a), _turns(b), fillvalue=("", 0)):
        for order_a, order_b in zip_longest(map(_debian_order, text_a), map(_debian_order, text_b), fillvalue=0):
            if order_a != order_b:
                return _sign(order_a - order_b)
        if number_a != number_b:
            return _sign(number_a - number_b)
    return 0


def _debian_order(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256


def _turns(text: str) -> list[tuple[str, int]]:
    turns = []
    position = 0
    while position < len(text):
        start = position
        while position < len(text) and text[position] not in _DIGITS:
            position += 1
        digits = position
        while position < len(text) and text[position] in _DIGITS:
            position += 1
        turns.append((text[start:digits], int(text[digits:position] or 0)))
    return turns


def _compare_pacman(a: str, b: str) -> int:
    (epoch_a, version_a, release_a), (epoch_b, version_b, release_b) = _split(a), _split(b)
    order = _sign(epoch_a - epoch_b) or _compare_segments(version_a, version_b)
    # A release counts only where both have one.
    return order or (_compare_segments(release_a, release_b) if release_a and release_b else 0)


def _compare_segments(a: str, b: str) -> int:
    """A segment is a run of digits or of letters, a number is newer than letters, whatever is between separates."""
    for part_a, part_b in zip_longest(_segments(a), _segments(b)):
        if part_a is None or part_b is None:
            rest, sign = (part_b, -1) if part_a is None else (part_a, 1)
            # `1.0.1` is newer than `1.0`, but `1.0rc` is older.
            return sign if rest.isdigit() else -sign
        if part_a.isdigit() != part_b.isdigit():
            return 1 if part_a.isdigit() else -1
        # Numbers of one length compare as their digits do.
        width = max(len(part_a), len(part_b)) if part_a.isdigit() else 0
        if part_a.zfill(width) != part_b.zfill(width):
            return 1 if part_a.zfill(width) > part_b.zfill(width) else -1
    return 0


def _segments(text: str) -> list[str]:
    segments: list[str] = []
    previous = ""
    for character in text:
        if character in _RPM_ALNUM:
            if previous in _RPM_ALNUM and previous and (previous in _DIGITS) == (character in _DIGITS):
                segments[-1] += character
            else:
                segments.append(character)
        previous = character
    return segments


def _split(version: str) -> tuple[int, str, str]:
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    return int(epoch) if epoch.isdecimal() else 0, upstream if dash else rest, revision if dash else ""


def _sign(difference: int) -> int:
    return (difference > 0) - (difference < 0)
