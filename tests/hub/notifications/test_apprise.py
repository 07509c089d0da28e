"""Apprise in its own process: real deliveries, and what the process is shut off from."""

import asyncio
from typing import Any

import pytest

from beszel_hub.notifications.courier import Parcel
from beszel_hub.notifications.dispatch_apprise import dispatch
from beszel_hub.notifications.egress import FORBIDDEN, PRIVATE, Policy
from beszel_hub.notifications.failures import DeliveryFailed, TargetRefused
from tests.support.hookserver import receiving

OPEN = Policy(allows_private=True)


def parcel(url: str, policy: Policy = OPEN, **fields: Any) -> Parcel:
    return Parcel(url=url, key="key-1", title="Title", text="<b>Text", notify_type="failure", policy=policy, **fields)


def run(url: str, policy: Policy = OPEN, timeout_seconds: float = 30, **fields: Any) -> None:
    asyncio.run(dispatch(parcel(url, policy, **fields), timeout_seconds=timeout_seconds))


def test_a_message_arrives_with_its_key() -> None:
    with receiving() as receiver:
        run(f"json://127.0.0.1:{receiver.port}/x")
        (request,) = receiver.requests
    assert request.key == "key-1"
    assert (request.document["title"], request.document["message"], request.document["type"]) == (
        "Title", "<b>Text", "failure",
    )  # fmt: skip


def test_private_addresses_are_judged_when_they_are_connected_to() -> None:
    with receiving() as receiver:
        with pytest.raises(TargetRefused, match=PRIVATE):
            run(f"json://localhost:{receiver.port}/x", Policy())
        with pytest.raises(TargetRefused, match=FORBIDDEN):
            run("json://169.254.169.254/latest/meta-data")
        assert receiver.requests == []


def test_redirects_are_refused_even_if_the_url_asks_for_them() -> None:
    with receiving() as inner, receiving(302, headers={"Location": inner.url}) as outer:
        with pytest.raises(DeliveryFailed, match="HTTP 302"):
            run(f"json://127.0.0.1:{outer.port}/x?redirect=yes")
        assert inner.requests == []


def test_what_a_service_answers_decides_how_often_it_is_asked() -> None:
    with receiving(503, 401) as receiver:
        for is_lasting in (False, True):
            with pytest.raises(DeliveryFailed) as caught:
                run(f"json://127.0.0.1:{receiver.port}/x")
            assert caught.value.is_lasting is is_lasting


@pytest.mark.parametrize("url", ["nonsense", "syslog://", "json://"])
def test_what_is_no_service(url: str) -> None:
    with pytest.raises(TargetRefused):
        run(url, is_trial=True)


def test_a_trial_sends_nothing() -> None:
    with receiving() as receiver:
        run(f"json://127.0.0.1:{receiver.port}/x", is_trial=True)
        assert receiver.requests == []


def test_a_service_that_never_answers_is_ended() -> None:
    with receiving() as receiver:
        receiver.before_answer = lambda: asyncio.run(asyncio.sleep(3))
        with pytest.raises(DeliveryFailed, match="too long"):
            run(f"json://127.0.0.1:{receiver.port}/x?rto=60", timeout_seconds=1.5)
