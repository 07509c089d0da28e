"""What the hub writes to its users. Pure."""

from typing import Final

from beszel_hub.accounts.codes import CODE_LIFETIME_SECONDS
from beszel_hub.accounts.tokens import RESET_LIFETIME_SECONDS
from beszel_hub.mail.letter import Letter

RESET_PATH: Final = "/reset-password"


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
    """The link is made from the setting, never from what a request calls the hub: a stranger sends those."""
    way = f"Open\n\n{app_url}{RESET_PATH}#{token}\n" if app_url else f"Your token is\n\n{token}\n"
    return Letter(
        recipient=recipient,
        subject="A new password for the monitoring hub",
        text=(
            "Somebody, hopefully you, asked for a new password at the monitoring hub.\n\n"
            f"{way}\n"
            f"within {RESET_LIFETIME_SECONDS // 60} minutes and choose one; that ends every login and API token of\n"
            "yours. If it was not you, do nothing: your password stays as it is.\n"
        ),
    )
