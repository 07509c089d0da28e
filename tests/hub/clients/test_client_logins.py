"""Every way to log in, as the published JavaScript client of PocketBase goes it: provider, code, reset, superuser."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import npm
from tests.support.identityprovider import IdentityProvider, identity_provider
from tests.support.mailserver import MailServer, mail_server
from tests.support.people import start_over
from tests.support.programs import clean_environment, run
from tests.support.runninghub import PASSWORD, running_hub

pytestmark = pytest.mark.system

HERE = Path(__file__).parent
EMAIL = "uma@example.org"


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    with mail_server(tmp_path) as server:
        yield server


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[IdentityProvider]:
    with identity_provider(tmp_path) as opened:
        opened.set_person("p-1", email=EMAIL, email_verified=True)
        yield opened


def test_the_client_for_javascript_logs_in(tmp_path: Path, mail: MailServer, provider: IdentityProvider) -> None:
    modules = npm.install(HERE / "package.json")
    settings = {
        "oidc_issuer": provider.issuer, "oidc_client_id": "hub", "oidc_client_secret": "secret",
        "login_by_email": True, "smtp_host": mail.host, "smtp_port": mail.port, "smtp_from": "hub@example.org",
        "smtp_tls": "none", "app_url": "https://hub.example.org",
    }  # fmt: skip
    with running_hub(tmp_path / "hub", **settings) as hub:
        start_over(hub)
        argv = [
            npm.node(), "--experimental-eventsource", "--disable-warning=ExperimentalWarning",
            str(HERE / "logins.mjs"), str(modules), hub.url, EMAIL, PASSWORD, str(tmp_path / "mail" / "new"),
        ]  # fmt: skip
        told = json.loads(run(argv, clean_environment(tmp_path)))
    assert told == {
        "methods": [True, True, False, "oidc"],
        "page": True,
        "oauth2": {"email": EMAIL, "id": "p-1", "isNew": False},
        "linked": [["oidc", "p-1"]],
        "unlinked": True,
        "otp": EMAIL,
        "otpTwice": 400,
        "asked": True,
        "reset": True,
        "old": 400,
        "new": EMAIL,
        "notSuper": 400,
        "superuser": ["ada@example.org", True],
        "refreshed": "ada@example.org",
        "unproved": 403,
        "verification": [True, True],
        "proved": True,
        "change": [True, True],
        "afterChange": False,
        "changed": "eva@example.org",
    }
