"""Sends one message the way its channel goes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from beszel_hub.mail.letter import Letter
from beszel_hub.mail.smtp import MailFailed
from beszel_hub.notifications import http_client, webhook
from beszel_hub.notifications.courier import Parcel
from beszel_hub.notifications.dispatch_apprise import dispatch
from beszel_hub.notifications.egress import Policy
from beszel_hub.notifications.failures import DeliveryFailed, TargetRefused
from beszel_hub.notifications.message import Message, Step, compose
from beszel_hub.notifications.targets import Target

HTTP_TIMEOUT_SECONDS: Final = 15.0
APPRISE_TIMEOUT_SECONDS: Final = 40.0

SendLetter = Callable[[Letter, str], Awaitable[None]]
"""Given the letter and the idempotency key; raises `MailFailed`."""


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said, and where."""

    target: Target
    key: str
    steps: Sequence[Step]
    policy: Policy
    template: str = ""
    subject_template: str = ""


class Sender:
    """`send_letter` is None on a hub without a mail server."""

    def __init__(self, *, app_url: str, send_letter: SendLetter | None) -> None:
        self._app_url = app_url
        self._send_letter = send_letter

    async def send(self, errand: Errand) -> None:
        """Return once the target has taken the message; else raise `DeliveryFailed`."""
        match errand.target.kind:
            case "webhook":
                await self._send_webhook(errand)
            case "email":
                await self._send_email(errand)
            case "apprise":
                await self._send_apprise(errand)

    async def check(self, target: Target, policy: Policy) -> None:
        """Whether a service of Apprise knows the URL; nothing is sent. Raise `TargetRefused` if none does."""
        if target.kind == "apprise":
            parcel = Parcel(
                url=target.text, key="", title="", text="", notify_type="info", policy=policy, is_trial=True
            )
            await dispatch(parcel, timeout_seconds=APPRISE_TIMEOUT_SECONDS)

    async def _send_webhook(self, errand: Errand) -> None:
        message = self._compose(errand)
        try:
            call = webhook.to_call(errand.target.text, message, app_url=self._app_url, template=errand.template)
        except ValueError as error:
            raise TargetRefused("it is no URL of a web page") from error
        await http_client.send(call, errand.policy, timeout_seconds=HTTP_TIMEOUT_SECONDS)

    async def _send_email(self, errand: Errand) -> None:
        if self._send_letter is None:
            raise TargetRefused("this hub has no mail server; its operator sets SMTP_HOST")
        message = self._compose(errand, template=errand.template)
        letter = Letter(recipient=errand.target.text, subject=message.title, text=_with_link(message) + "\n")
        try:
            await self._send_letter(letter, errand.key)
        except MailFailed as error:
            raise DeliveryFailed("the mail server did not take it") from error

    async def _send_apprise(self, errand: Errand) -> None:
        message = self._compose(errand, template=errand.template, has_markup=True)
        parcel = Parcel(
            url=errand.target.text, key=message.key, title=message.title, text=_with_link(message),
            notify_type=_notify_type(message), policy=errand.policy,
        )  # fmt: skip
        await dispatch(parcel, timeout_seconds=APPRISE_TIMEOUT_SECONDS)

    def _compose(self, errand: Errand, *, template: str = "", has_markup: bool = False) -> Message:
        return compose(
            errand.key, errand.steps, app_url=self._app_url, template=template,
            subject_template=errand.subject_template, has_markup=has_markup,
        )  # fmt: skip


def _with_link(message: Message) -> str:
    return f"{message.text}\n{message.link}" if message.link else message.text


def _notify_type(message: Message) -> str:
    if message.is_good_news:
        return "success"
    return {"info": "info", "warning": "warning", "critical": "failure"}[message.severity]
