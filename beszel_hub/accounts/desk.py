"""Everything about accounts, made from the settings and put together."""

import logging
from typing import Final, Literal

from beszel_hub.accounts import codes, sessions
from beszel_hub.accounts.addresses import Addresses
from beszel_hub.accounts.collection import superusers_collection, users_collection
from beszel_hub.accounts.credential_collections import (
    api_tokens_collection,
    identities_collection,
    sessions_collection,
)
from beszel_hub.accounts.filetokens import FileTokens
from beszel_hub.accounts.first import FirstUser
from beszel_hub.accounts.hashing import PasswordHasher
from beszel_hub.accounts.logins import Logins, Policy
from beszel_hub.accounts.mailroom import Mailroom
from beszel_hub.accounts.outsiders import Outsiders
from beszel_hub.accounts.providers import make_providers
from beszel_hub.accounts.recovery import Recovery
from beszel_hub.accounts.service import Accounts
from beszel_hub.audit.journal import Journal
from beszel_hub.clock import Clock
from beszel_hub.config import HubConfig
from beszel_hub.errors import HubError, InvalidSetting
from beszel_hub.mail.letter import read_address
from beszel_hub.mail.smtp import Mailer, Security, SmtpServer
from beszel_hub.records.registry import Collection
from beszel_hub.store.database import Database
from beszel_hub.store.secrets import Secret

_log = logging.getLogger(__name__)

_CODES: Final = b"beszel-hub-login-codes-v1"


class Desk:
    """Where people come to the hub."""

    def __init__(self, config: HubConfig, database: Database, secret: Secret, clock: Clock, journal: Journal) -> None:
        self._config = config
        self._database = database
        self._clock = clock
        self._journal = journal
        code_key = secret.derive(_CODES)
        self.accounts = Accounts(
            database, secret, clock, journal, PasswordHasher(), shares_all=config.share_all_systems
        )
        policy = make_policy(config)
        self.mailer = make_mailer(config, clock)
        self.mailroom = Mailroom(
            database, secret, clock, self.mailer, code_key=code_key, code_digits=policy.code_digits,
            app_url=config.app_url,
        )  # fmt: skip
        self.logins = Logins(database, self.accounts, journal, clock, policy, code_key, self.mailroom.welcome)
        self.file_tokens = FileTokens(database, secret, clock)
        self.first_user = FirstUser(database, self.accounts, clock, journal)
        self.recovery = Recovery(database, secret, clock, self.accounts, journal)
        self.addresses = Addresses(database, secret, clock, self.accounts, journal)
        self.outsiders = Outsiders(
            database, self.accounts, self.logins, journal, clock, providers=make_providers(config, secret, clock),
            may_make=config.user_creation,
        )  # fmt: skip

    def collections(self) -> tuple[Collection, ...]:
        return (
            users_collection(self.accounts, self._journal, self._clock),
            superusers_collection(self.accounts, self._journal, self._clock),
            api_tokens_collection(self.accounts, self._clock),
            sessions_collection(self.accounts),
            identities_collection(),
        )

    async def open(self) -> None:
        """Make the administrator of the settings, if there is nobody yet."""
        await self.accounts.revalidate()
        if not self._config.user_email or not await self.first_user.is_due():
            return
        try:
            await self.first_user.create(self._config.user_email, self._config.user_password or "")
        except HubError as error:
            complaints = "; ".join(complaint.message for complaint in error.data.values())
            _log.error("USER_EMAIL and USER_PASSWORD make no user: %s", complaints or error.message)

    async def tidy(self) -> None:
        """Forget what has expired."""
        now_ms = self._clock()

        def write() -> None:
            sessions.purge_sessions(now_ms)
            codes.purge_codes(now_ms)

        await self._database.write(write)
        await self._journal.trim(self._database)

    def close(self) -> None:
        self.accounts.close()


def make_policy(config: HubConfig) -> Policy:
    mfa: Literal["", "superusers"] = "superusers" if config.mfa_otp == "superusers" else ""
    return Policy(
        password=not config.disable_password_auth, email_code=config.login_by_email,
        mfa="true" if config.mfa_otp == "true" else mfa,
    )  # fmt: skip


def make_mailer(config: HubConfig, clock: Clock) -> Mailer | None:
    """None without a mail server; raise `InvalidSetting` for a sender that cannot be one."""
    if not config.has_mail:
        return None
    try:
        read_address(config.smtp_from)
    except ValueError as error:
        raise InvalidSetting(f"SMTP_FROM must be an e-mail address: {error}") from error
    security: Security = "tls" if config.smtp_tls == "tls" else "none" if config.smtp_tls == "none" else "starttls"
    server = SmtpServer(
        host=config.smtp_host, port=config.smtp_port, sender=config.smtp_from, username=config.smtp_username,
        password=config.smtp_password or "", security=security,
    )  # fmt: skip
    return Mailer(server, clock)
