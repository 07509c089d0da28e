"""What the hub writes to its users. Pure.

Links are made from the setting, never from what a request calls the hub: a stranger sends those.
"""

from typing import Final

from beszel_hub.accounts.codes import CODE_LIFETIME_SECONDS
from beszel_hub.accounts.tokens import RESET_LIFETIME_SECONDS, VERIFICATION_LIFETIME_SECONDS
from beszel_hub.mail.letter import Letter

RESET_PATH: Final = "/reset-password"
VERIFY_PATH: Final = "/verify-email"
CHANGE_PATH: Final = "/change-email"


def code_letter(recipient: str, code: str) -> Letter:
    return Letter(
        recipient=recipient,
        subject=f"{code} is your code",
        text=(
            f"Your code for the monitoring hub is {code}\n\n"
            f"It holds for {CODE_LIFETIME_SECONDS // 60} minutes. If you are not logging in right now, somebody else\n"
            "has your address, and perhaps your password; tell nobody this code.\n"
        ),
    )


def reset_letter(recipient: str, token: str, app_url: str) -> Letter:
    return Letter(
        recipient=recipient,
        subject="A new password for the monitoring hub",
        text=(
            "Somebody, hopefully you, asked for a new password at the monitoring hub.\n\n"
            f"{_way(token, app_url, RESET_PATH)}\n"
            f"within {RESET_LIFETIME_SECONDS // 60} minutes and choose one; that ends every login and API token of\n"
            "yours. If it was not you, do nothing: your password stays as it is.\n"
        ),
    )


def verification_letter(recipient: str, token: str, app_url: str) -> Letter:
    return Letter(
        recipient=recipient,
        subject="Your e-mail address at the monitoring hub",
        text=(
            "There is an account with this e-mail address at the monitoring hub.\n\n"
            f"{_way(token, app_url, VERIFY_PATH)}\n"
            f"within {VERIFICATION_LIFETIME_SECONDS // 86400} days if it is yours; then you can log in.\n"
            "If you expect no such account, do nothing: it stays shut.\n"
        ),
    )


def change_letter(recipient: str, token: str, app_url: str) -> Letter:
    return Letter(
        recipient=recipient,
        subject="A new e-mail address at the monitoring hub",
        text=(
            "A user of the monitoring hub wants this to be their e-mail address from now on.\n\n"
            f"{_way(token, app_url, CHANGE_PATH)}\n"
            f"within {RESET_LIFETIME_SECONDS // 60} minutes if that is you, and have your password ready.\n"
            "If it is not, do nothing: nothing changes.\n"
        ),
    )


def _way(token: str, app_url: str, path: str) -> str:
    return f"Open\n\n{app_url}{path}#{token}\n" if app_url else f"Your token is\n\n{token}\n\nUse it"
