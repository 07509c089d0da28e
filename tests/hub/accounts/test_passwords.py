"""Hashes, and how fast one may guess."""

from concurrent.futures import ThreadPoolExecutor

import bcrypt
import pytest

from beszel_hub.accounts.passwords import (
    DEFAULT_COST,
    UNUSABLE_HASH,
    Cost,
    WeakPassword,
    check_password,
    dummy_hash,
    hash_password,
    is_bcrypt,
    verify_password,
)
from beszel_hub.accounts.throttle import ACCOUNT_LIMIT, ADDRESS_LIMIT, MAX_BUCKETS, PAIR_LIMIT, Limit, LoginThrottle

PASSWORD = "correct horse"
FAST = Cost(memory_kib=64, iterations=1)


def test_a_password_fits_its_own_hash_only() -> None:
    phc = hash_password("correct horse", FAST)
    assert phc.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert verify_password("correct horse", phc)
    assert hash_password("correct horse", FAST) != phc, "salted"
    for other in ("correct hors", "Correct horse", "correct horse ", ""):
        assert not verify_password(other, phc)


def test_the_default_is_what_owasp_names() -> None:
    phc = hash_password("correct horse", DEFAULT_COST)
    assert phc.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert verify_password("correct horse", phc)


def test_many_at_once_do_not_wait_for_each_other() -> None:
    phc = hash_password("correct horse", FAST)
    with ThreadPoolExecutor(4) as threads:
        results = [threads.submit(verify_password, "correct horse", phc) for _ in range(200)]
        assert all(result.result(timeout=20) for result in results)


@pytest.mark.parametrize(
    "phc",
    ["", "x", "$argon2id$", "$2b$12$abcdefghijklmnopqrstuv", dummy_hash(FAST)[:-5]],
    ids=["empty", "x", "no fields", "bcrypt", "cut off"],
)
def test_what_is_no_hash_fits_nothing(phc: str) -> None:
    assert not verify_password("correct horse", phc)


def test_length_is_bounded_on_both_sides() -> None:
    check_password("12345678")
    check_password("é" * 256)
    for password in ("", "1234567", "x" * 257):
        with pytest.raises(WeakPassword):
            check_password(password)


def test_no_password_fits_the_dummy() -> None:
    assert dummy_hash(FAST) == dummy_hash(FAST)
    assert not verify_password("", dummy_hash(FAST))


def test_both_buckets_empty_and_refill() -> None:
    throttle = LoginThrottle(Limit(3, 10), Limit(2, 100))
    assert [throttle.take("a", "uma", 0) for _ in range(3)] == [0, 0, 100]
    assert throttle.take("a", "otto", 0) == 0, "the refused attempt took nothing"
    assert throttle.take("a", "rea", 0) == 10
    assert throttle.take("b", "UMA", 50_000) == 50
    assert throttle.take("a", "rea", 10_000) == 0
    assert throttle.take("b", "uma", 100_000) == 0


def test_what_is_given_back_does_not_exceed_the_burst() -> None:
    throttle = LoginThrottle(Limit(2, 10), Limit(2, 10))
    for _ in range(5):
        assert throttle.take("a", "uma", 0) == 0
        throttle.give_back("a", "uma", 0)
    assert [throttle.take("a", "uma", 0) for _ in range(3)] == [0, 0, 10]


def test_an_ipv6_customer_is_one_address() -> None:
    throttle = LoginThrottle(Limit(1, 10), Limit(99, 10))
    assert throttle.take("2001:db8::1", "a", 0) == 0
    assert throttle.take("2001:db8::ffff:2", "b", 0) > 0
    assert throttle.take("2001:db8:0:1::1", "c", 0) == 0
    assert throttle.take("192.0.2.1", "d", 0) == 0
    assert throttle.take("::ffff:192.0.2.1", "e", 0) > 0
    assert throttle.take("not an address", "f", 0) == 0


def test_memory_is_bounded() -> None:
    throttle = LoginThrottle()
    for number in range(MAX_BUCKETS + 500):
        throttle.take(f"address {number}", f"account {number}", 0)
    assert len(throttle._addresses._levels) == len(throttle._accounts._levels) == MAX_BUCKETS


def test_a_clock_that_goes_back_frees_nobody() -> None:
    throttle = LoginThrottle(Limit(1, 10), Limit(1, 10))
    assert throttle.take("a", "uma", 100_000) == 0
    assert throttle.take("a", "uma", 0) == 10


def test_a_day_of_guessing_at_one_account_is_little() -> None:
    assert 86400 / ACCOUNT_LIMIT.refill_seconds < 5000
    assert 86400 / ADDRESS_LIMIT.refill_seconds < 6000


def test_strangers_keep_nobody_from_their_own_desk() -> None:
    throttle = LoginThrottle(Limit(99, 10), Limit(2, 100), Limit(2, 100))
    assert throttle.take("desk", "uma", 0) == 0
    throttle.give_back("desk", "Uma", 0)
    assert [throttle.take(f"stranger {number}", "uma", 0) for number in range(3)] == [0, 0, 100]
    assert throttle.take("elsewhere", "uma", 0) == 100
    assert throttle.take("desk", "UMA", 0) == 0
    assert [throttle.take("desk", "uma", 0) for _ in range(2)] == [0, 100], "at the desk too it is a bucket"


def test_one_stranger_keeps_nobody_from_a_new_place() -> None:
    """However long they guess: what one network may is less than what comes back to the account."""
    throttle = LoginThrottle()
    guesses = sum(throttle.take("192.0.2.1", "uma", second * 1000) == 0 for second in range(0, 86_400, 5))
    assert guesses <= PAIR_LIMIT.burst + 86_400 / PAIR_LIMIT.refill_seconds
    assert throttle.take("198.51.100.7", "uma", 86_400_000) == 0


def test_familiar_places_are_bounded() -> None:
    throttle = LoginThrottle()
    for number in range(MAX_BUCKETS + 5):
        throttle.give_back(f"address {number}", "uma", 0)
    assert len(throttle._familiar) == MAX_BUCKETS


def test_hashes_by_bcrypt_are_checked_too() -> None:
    stored = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    assert is_bcrypt(stored)
    assert verify_password(PASSWORD, stored)
    assert not verify_password(PASSWORD + "!", stored)
    assert not verify_password("a\0b", stored)


def test_bcrypt_looks_at_72_bytes_as_it_did_before() -> None:
    stored = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert verify_password("x" * 90, stored)
    assert not verify_password("x" * 71, stored)


@pytest.mark.parametrize("text", ["", "$2a$31$" + "a" * 53, "$2a$10$" + "a" * 52, "$2x$10$" + "a" * 53, UNUSABLE_HASH])
def test_what_is_no_hash_by_bcrypt_opens_nothing(text: str) -> None:
    assert not is_bcrypt(text)
    assert not verify_password(PASSWORD, text)
