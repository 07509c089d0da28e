"""The ways to log in as `auth-methods` tells clients. Pure."""

from collections.abc import Sequence
from typing import Any

from beszel_hub.accounts.codes import CODE_LIFETIME_SECONDS, MFA_LIFETIME_SECONDS
from beszel_hub.accounts.logins import Policy


def describe_methods(policy: Policy, providers: Sequence[Any]) -> dict[str, Any]:
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
