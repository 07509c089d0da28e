"""Deliveries from the outbox to real receivers: once, in order, tried again, given up with a reason."""

import asyncio
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beszel_hub.mail.smtp import Mailer, SmtpServer
from beszel_hub.notifications import backoff, http_client, outbox
from beszel_hub.notifications.egress import PRIVATE
from beszel_hub.notifications.postroom import BROKEN, SEALED, Postroom
from beszel_hub.notifications.sender import Sender
from beszel_hub.notifications.tables import DeliveryRow
from beszel_hub.permissions import Role
from beszel_hub.store.secrets import Secret
from tests.support.hookserver import Receiver, receiving
from tests.support.mailserver import mail_server
from tests.support.programs import wait_until
from tests.support.transitions import Office, make_transition, open_office


def put(office: Office, transition_id: str = "t1", **changes: Any) -> None:
    transition = make_transition(transition_id, user_ids=(office.user_id,), **changes)
    office.database.write_now(lambda: outbox.put(transition, now_ms=office.now_ms))


def work(office: Office, until: Callable[[], bool], *, mailer: Mailer | None = None, **options: Any) -> None:
    """Run the postroom on a clock that jumps ahead with every look, until something is so."""
    sender = Sender(app_url="https://hub.example.org", send_letter=None if mailer is None else mailer.send)

    def clock() -> int:
        office.now_ms += 20_000
        return office.now_ms

    async def run() -> None:
        postroom = Postroom(office.database, options.pop("secret", office.secret), clock, sender, **options)
        postroom.tick_seconds = 0.01
        task = asyncio.create_task(postroom.run())
        try:
            await asyncio.to_thread(wait_until, "the postroom is done", until)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def statuses(office: Office) -> list[str]:
    return [row.status for row in office.rows()]


def is_done(office: Office) -> Callable[[], bool]:
    return lambda: "waiting" not in statuses(office)


def test_a_webhook_tells_everything(tmp_path: Path) -> None:
    with open_office(tmp_path) as office, receiving() as receiver:
        office.add_channel(receiver.url)
        put(office)
        work(office, is_done(office))
        (request,) = receiver.requests
        assert request.document["key"] == request.key
        (alert,) = request.document["alerts"]
        assert (alert["id"], alert["system"], alert["value"], alert["kind"]) == ("t1", "web", 93.5, "fired")
        assert alert["link"] == "https://hub.example.org/system/systemsystem001"
        assert statuses(office) == ["sent"]


def test_a_template_is_the_body(tmp_path: Path) -> None:
    with open_office(tmp_path) as office, receiving() as receiver:
        office.add_channel(receiver.url, template='{"text": "${title}", "v": "${value}"}')
        put(office, system_name='"}, {"injected": "')
        work(office, is_done(office))
        assert receiver.requests[0].document == {"text": 'Warning: "}, {"injected": " · CPU', "v": 93.5}


def test_a_target_that_fails_twice_gets_each_message_with_the_same_key(tmp_path: Path) -> None:
    with open_office(tmp_path) as office, receiving(503, 500) as receiver:
        office.add_channel(receiver.url)
        put(office)
        work(office, is_done(office))
        assert len({request.key for request in receiver.requests}) == 1
        assert len({request.body for request in receiver.requests}) == 1
        assert (len(receiver.requests), office.rows()[0].attempts) == (3, 3)


def test_apprise_fails_twice_and_then_succeeds_with_the_same_key(tmp_path: Path) -> None:
    with open_office(tmp_path) as office, receiving(500, 502) as receiver:
        office.add_channel(f"json://127.0.0.1:{receiver.port}/x", "apprise")
        put(office)
        work(office, is_done(office))
        assert len(receiver.requests) == 3
        assert len({request.key for request in receiver.requests}) == 1
        assert receiver.requests[2].document["title"] == "Warning: web · CPU"


def test_mail_arrives_with_a_message_id_made_of_the_key(tmp_path: Path) -> None:
    with open_office(tmp_path) as office, mail_server(tmp_path) as server:
        mailer = Mailer(
            SmtpServer(host=server.host, port=server.port, sender="hub@example.org", security="none"), office.clock
        )
        office.add_channel("owner@example.org", "email")
        put(office, system_name="x\r\nBcc: all@example.org", name="<b>bold</b>")
        work(office, is_done(office), mailer=mailer)
        letter = server.next_letter()
        assert letter["To"] == "owner@example.org"
        assert letter["Bcc"] is None
        assert letter["Message-ID"] == f"<{office.rows()[0].message}@example.org>"
        assert letter.get_content_type() == "text/plain"
        assert "Bcc" in str(letter["Subject"])


def test_no_header_comes_of_a_subject(tmp_path: Path) -> None:
    """Neither of what is filled in, nor of a template that came past its check."""
    with open_office(tmp_path) as office, mail_server(tmp_path) as server:
        mailer = Mailer(
            SmtpServer(host=server.host, port=server.port, sender="hub@example.org", security="none"), office.clock
        )
        template = "[${severity}] ${system}\r\nBcc: all@example.org\r\n\r\n${rule}\x07\u2028 ${count}"
        office.add_channel("owner@example.org", "email", subject_template=template)
        put(office, system_name="x\r\nCc: all@example.org\r\n\r\nbody", name="a\nb\rc")
        work(office, is_done(office), mailer=mailer)
        letter = server.next_letter()
        assert (letter["Bcc"], letter["Cc"]) == (None, None)
        assert letter["To"] == "owner@example.org"
        subject = "".join(str(letter["Subject"]).splitlines())
        assert subject == "[warning] x Cc: all@example.org body Bcc: all@example.org a b c 1"


def test_a_subject_is_the_title_of_other_channels_too(tmp_path: Path) -> None:
    with open_office(tmp_path) as office, receiving() as receiver:
        office.add_channel(receiver.url, subject_template="${count} on ${system}: ${value}")
        put(office)
        work(office, is_done(office))
        assert receiver.requests[0].document["title"] == "1 on web: 93.5"


def test_a_hub_without_a_mail_server_says_so(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.add_channel("owner@example.org", "email")
        put(office)
        work(office, is_done(office))
        assert (office.rows()[0].status, "SMTP_HOST" in office.rows()[0].reason) == ("dead", True)


@pytest.mark.parametrize(
    ("role", "networks", "status", "reason"),
    [("user", (), "dead", PRIVATE), ("user", ("127.0.0.0/8",), "sent", ""), ("admin", (), "sent", "")],
)
def test_private_targets_by_policy(
    tmp_path: Path, role: Role, networks: tuple[str, ...], status: str, reason: str
) -> None:
    with open_office(tmp_path, role) as office, receiving() as receiver:
        office.add_channel(receiver.url)
        put(office)
        work(office, is_done(office), networks=networks)
        assert [(row.status, row.reason) for row in office.rows()] == [(status, reason)]
        assert len(receiver.requests) == (status == "sent")


def test_what_is_refused_for_good_is_given_up(tmp_path: Path) -> None:
    with open_office(tmp_path) as office, receiving(410, 410, 410) as receiver:
        office.add_channel(receiver.url)
        put(office)
        work(office, is_done(office))
        assert [(row.status, row.reason) for row in office.rows()] == [("dead", "it answers HTTP 410")]
        assert len(receiver.requests) == backoff.MAX_LASTING_ATTEMPTS


def test_a_target_sealed_with_another_secret_is_not_guessed_at(tmp_path: Path) -> None:
    with open_office(tmp_path) as office, receiving() as receiver:
        office.add_channel(receiver.url)
        put(office)
        work(office, is_done(office), secret=Secret(b"other" * 7))
        assert [(row.status, row.reason) for row in office.rows()] == [("dead", SEALED)]
        assert receiver.requests == []


def has_come(receiver: Receiver, count: int) -> bool:
    return len(receiver.requests) >= count


def test_one_slow_channel_holds_up_no_other(tmp_path: Path) -> None:
    with open_office(tmp_path) as office, receiving() as slow, receiving() as quick:
        office.add_channel(slow.url, channel_id="slowslowslow001")
        office.add_channel(quick.url)
        slow.before_answer = lambda: (quick.wait_for(3), None)[1]
        for index in range(3):
            put(office, f"t{index}", alert_id=f"a{index}")
            work(office, functools.partial(has_come, quick, index + 1))
        work(office, is_done(office))
        told = {alert["id"] for request in slow.requests for alert in request.document["alerts"]}
        assert told == {"t0", "t1", "t2"}


def test_a_message_that_breaks_the_sender_is_tried_as_seldom_as_any_other_and_shows_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def break_down(*_: Any, **__: Any) -> int:
        raise RuntimeError("https://hooks.example.org/secret-token")

    monkeypatch.setattr(http_client, "send", break_down)
    with open_office(tmp_path) as office:
        office.add_channel("https://hooks.example.org/secret-token")
        put(office)
        work(office, lambda: office.rows()[0].attempts >= 3)
        assert office.rows()[0].reason == BROKEN
    assert "RuntimeError in break_down" in caplog.text
    assert "secret-token" not in caplog.text


def test_a_row_that_nobody_can_read_ends_no_hub(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_office(tmp_path) as office, receiving() as receiver:
        office.add_channel(receiver.url)
        put(office)
        sound = office.rows()[0].step
        office.database.write_now(lambda: DeliveryRow.update(step={}).execute())

        def is_mended() -> bool:
            if "the outbox cannot be worked on" in caplog.text:
                office.database.write_now(lambda: DeliveryRow.update(step=sound).execute())
            return statuses(office) == ["sent"]

        work(office, is_mended)
