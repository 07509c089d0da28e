"""The ways to log in as `auth-methods` tells clients. Pure."""

from collections.abc import Sequence
from typing import Any

from beszel_hub.accounts.codes import CODE_LIFETIME_SECONDS, MFA_LIFETIME_SECONDS
from beszel_hub.accounts.idtoken import Profile
from beszel_hub.accounts.logins import Policy
from beszel_hub.accounts.ways import Way


def describe_profile(profile: Profile, *, is_new: bool) -> dict[str, Any]:
    """PocketBase's `meta`; the provider's own tokens stay with the hub, which has no use for them either."""
    return {
        "id": profile.subject, "name": profile.name, "username": profile.username, "email": profile.email,
        "avatarURL": profile.picture, "avatarUrl": profile.picture, "isNew": is_new, "rawUser": {}, "accessToken": "",
        "refreshToken": "", "expiry": "",
    }  # fmt: skip


def describe_methods(policy: Policy, providers: Sequence[Way]) -> dict[str, Any]:
    """PocketBase's body, with the names that its older clients look for."""
    return {
        "password": {"enabled": policy.password, "identityFields": ["email", "username"]},
        "oauth2": {"enabled": bool(providers), "providers": providers},
        "mfa": {"enabled": bool(policy.mfa), "duration": MFA_LIFETIME_SECONDS if policy.mfa else 0},
        "otp": {"enabled": policy.has_codes, "duration": CODE_LIFETIME_SECONDS if policy.has_codes else 0},
        "usernamePassword": policy.password,
        "emailPassword": policy.password,
        "authProviders": providers,
    }
