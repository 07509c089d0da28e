"""A hub that is killed between an alert and its message: nothing is lost, and what comes twice has the same key."""

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from beszel_hub.notifications import outbox
from tests.support.hookserver import Receiver, Request, receiving
from tests.support.programs import clean_environment, wait_until
from tests.support.transitions import Office, make_transition, open_office

COUNT = 12


@contextmanager
def postroom(directory: Path) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {**clean_environment(directory), "PYTHONPATH": str(Path.cwd())}
    process = subprocess.Popen([sys.executable, "-m", "tests.support.postroom", str(directory)], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def fire(office: Office, count: int) -> set[str]:
    """Alerts in transactions of their own."""
    for index in range(count):
        transition = make_transition(f"t{index}", alert_id=f"a{index}", user_ids=(office.user_id,))
        office.database.write_now(functools.partial(outbox.put, transition, now_ms=office.now_ms))
    return {f"t{index}" for index in range(count)}


def told(requests: list[Request]) -> list[str]:
    return [alert["id"] for request in requests for alert in request.document["alerts"]]


def has_more(receiver: Receiver, count: int) -> bool:
    return len(receiver.requests) > count


def is_all_sent(office: Office) -> bool:
    return all(row.status == "sent" for row in office.rows())


def test_killed_after_the_alert_and_before_the_message(tmp_path: Path) -> None:
    with receiving() as receiver:
        with open_office(tmp_path) as office:
            office.now_ms -= 10**12
            office.add_channel(receiver.url)
            expected = fire(office, COUNT)
        assert receiver.requests == []
        with postroom(tmp_path), open_office_again(tmp_path) as office:
            wait_until("all is sent", lambda: is_all_sent(office))
        assert len(receiver.requests) == 1
        assert sorted(told(receiver.requests)) == sorted(expected)


def test_killed_while_the_receiver_has_the_message_and_has_not_answered(tmp_path: Path) -> None:
    with receiving() as receiver, open_office(tmp_path) as office:
        office.now_ms -= 10**12
        office.add_channel(receiver.url)
        expected = fire(office, COUNT)
        with postroom(tmp_path) as first:
            receiver.before_answer = lambda: os.kill(first.pid, signal.SIGKILL)
            first.wait(20)
        receiver.before_answer = lambda: None
        after_kill(office, receiver)
        keys = {request.key for request in receiver.requests}
        assert len(keys) == 1
        assert len({request.body for request in receiver.requests}) == 1
        assert sorted(told(receiver.requests[-1:])) == sorted(expected)


def test_killed_again_and_again_at_any_moment(tmp_path: Path) -> None:
    """Every transition arrives; a message that comes twice has the same key and the same steps."""
    with receiving() as receiver, open_office(tmp_path) as office:
        office.now_ms -= 10**12
        office.add_channel(receiver.url)
        expected: set[str] = set()
        for round_number in range(4):
            for index in range(3):
                name = f"r{round_number}-{index}"
                transition = make_transition(name, alert_id=name, user_ids=(office.user_id,))
                office.database.write_now(functools.partial(outbox.put, transition, now_ms=office.now_ms))
                expected.add(name)
            with postroom(tmp_path) as process:
                count = len(receiver.requests)
                wait_until("a message is under way", functools.partial(has_more, receiver, count))
                process.kill()
        after_kill(office, receiver)
        by_key = {request.key: request.body for request in receiver.requests}
        assert all(by_key[request.key] == request.body for request in receiver.requests)
        messages = [Request("POST", "", {}, body) for body in by_key.values()]
        assert sorted(told(messages)) == sorted(expected)


def after_kill(office: Office, receiver: Receiver) -> None:
    assert receiver.requests
    with postroom(office.directory):
        wait_until("all is sent", lambda: is_all_sent(office))


@contextmanager
def open_office_again(directory: Path) -> Iterator[Office]:
    with open_office(directory, is_new=False) as office:
        yield office
