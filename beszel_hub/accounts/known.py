"""Identity providers that are known by name, in PocketBase's spelling: those with an issuer, and those without.

Whether an address is *verified* decides whether it may open an account. GitHub and Gitea say so in a list of addresses,
Discord in a field; Microsoft says nothing that can be trusted, since a tenant writes what it likes into `mail`.
"""

from typing import Final

import msgspec


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """Where a provider says what about somebody; empty for what it does not tell."""

    subject: str
    email: str = ""
    is_email_verified: str = ""
    name: str = ""
    username: str = ""
    picture: str = ""


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """A provider of plain OAuth2 (RFC 6749), which has no ID token and is asked who somebody is."""

    display_name: str
    authorize: str
    token: str
    userinfo: str
    emails: str = ""
    """Lists `{email, primary, verified}`, where the profile does not tell whether an address is verified."""
    scopes: tuple[str, ...]
    fields: Fields


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """A provider of OpenID Connect."""

    display_name: str
    url: str


CUSTOM: Final = "oidc2"
"""PocketBase's name for a second provider that somebody configured by hand."""
CUSTOM_SCOPES: Final = ("openid", "email", "profile")
CUSTOM_FIELDS: Final = Fields(
    subject="sub", email="email", is_email_verified="email_verified", name="name", username="preferred_username",
    picture="picture",
)  # fmt: skip

KNOWN: Final[dict[str, Endpoints | Issuer]] = {
    "discord": Endpoints(
        display_name="Discord", authorize="https://discord.com/oauth2/authorize",
        token="https://discord.com/api/oauth2/token",  # noqa: S106  # an address
        userinfo="https://discord.com/api/users/@me", scopes=("identify", "email"),
        fields=Fields(
            subject="id", email="email", is_email_verified="verified", name="global_name", username="username"
        ),
    ),
    "gitea": Endpoints(
        display_name="Gitea", authorize="https://gitea.com/login/oauth/authorize",
        token="https://gitea.com/login/oauth/access_token",  # noqa: S106
        userinfo="https://gitea.com/api/v1/user", emails="https://gitea.com/api/v1/user/emails",
        scopes=("read:user",),
        fields=Fields(subject="id", name="full_name", username="login", picture="avatar_url"),
    ),
    "github": Endpoints(
        display_name="GitHub", authorize="https://github.com/login/oauth/authorize",
        token="https://github.com/login/oauth/access_token",  # noqa: S106
        userinfo="https://api.github.com/user", emails="https://api.github.com/user/emails",
        scopes=("read:user", "user:email"),
        fields=Fields(subject="id", name="name", username="login", picture="avatar_url"),
    ),
    "gitlab": Issuer(display_name="GitLab", url="https://gitlab.com"),
    "google": Issuer(display_name="Google", url="https://accounts.google.com"),
    "microsoft": Endpoints(
        display_name="Microsoft", authorize="https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        token="https://login.microsoftonline.com/common/oauth2/v2.0/token",  # noqa: S106
        userinfo="https://graph.microsoft.com/v1.0/me", scopes=("User.Read",),
        fields=Fields(subject="id", email="mail", name="displayName"),
    ),
}  # fmt: skip
