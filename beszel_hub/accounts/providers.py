"""The identity providers of the settings: one by its issuer, others by their name, one by its endpoints."""

from typing import Final
from urllib.parse import urlsplit

from beszel_hub.accounts.known import CUSTOM, CUSTOM_FIELDS, CUSTOM_SCOPES, KNOWN, Endpoints, Issuer
from beszel_hub.accounts.oauth2 import Client, OAuth2Provider
from beszel_hub.accounts.provider import OidcProvider, Settings
from beszel_hub.accounts.ways import Provider
from beszel_hub.clock import Clock
from beszel_hub.config import HubConfig
from beszel_hub.errors import InvalidSetting
from beszel_hub.store.secrets import Secret

_PURPOSE: Final = b"beszel-hub-identity-provider-v1"


def make_providers(config: HubConfig, secret: Secret, clock: Clock) -> list[Provider]:
    """In the order in which people are to see them; raise `InvalidSetting` for one that nobody knows."""
    key = secret.derive(_PURPOSE)
    found: list[Provider] = []
    if config.oidc_issuer:
        settings = Settings(
            name="oidc", display_name=config.oidc_name, issuer=config.oidc_issuer, client_id=config.oidc_client_id,
            client_secret=config.oidc_client_secret or "", scopes=config.oidc_scopes,
        )  # fmt: skip
        found.append(OidcProvider(settings, key, clock))
    for name, client_id, client_secret in config.oauth2_clients:
        found.append(_make(config, Client(name=name, id=client_id, secret=client_secret), key, clock))
    return found


def _make(config: HubConfig, client: Client, key: bytes, clock: Clock) -> Provider:
    known = _custom(config) if client.name == CUSTOM else KNOWN.get(client.name)
    if known is None:
        names = ", ".join([*sorted(KNOWN), CUSTOM])
        raise InvalidSetting(f"OAUTH2_CLIENTS names {client.name[:50]!r}, which is none of {names}")
    if isinstance(known, Issuer):
        settings = Settings(
            name=client.name, display_name=known.display_name, issuer=known.url, client_id=client.id,
            client_secret=client.secret,
        )  # fmt: skip
        return OidcProvider(settings, key, clock)
    return OAuth2Provider(client, known, key, clock)


def _custom(config: HubConfig) -> Endpoints:
    if not config.oauth2_custom:
        raise InvalidSetting(f"{CUSTOM} in OAUTH2_CLIENTS needs OAUTH2_CUSTOM")
    authorize, token, userinfo, *scopes = config.oauth2_custom
    return Endpoints(
        display_name=urlsplit(authorize).hostname or CUSTOM, authorize=authorize, token=token, userinfo=userinfo,
        scopes=tuple(scopes) or CUSTOM_SCOPES, fields=CUSTOM_FIELDS,
    )  # fmt: skip
