"""The middleware of the application, outermost first."""

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from beszel_hub.accounts.service import Accounts
from beszel_hub.config import HubConfig
from beszel_hub.door.answers import AnswerMiddleware
from beszel_hub.door.headers import SecurityHeadersMiddleware
from beszel_hub.door.identity import ActorMiddleware
from beszel_hub.door.limits import LimitMiddleware


def middleware(config: HubConfig, accounts: Accounts) -> list[Middleware]:
    """Everything a request passes before its route."""
    stack = [Middleware(SecurityHeadersMiddleware), Middleware(AnswerMiddleware), Middleware(LimitMiddleware)]
    if config.allowed_origins:
        stack.append(
            Middleware(
                CORSMiddleware, allow_origins=list(config.allowed_origins), allow_credentials=False,
                allow_methods=["GET", "POST", "PATCH", "DELETE"], allow_headers=["Authorization", "Content-Type"],
            )
        )  # fmt: skip
    stack.append(Middleware(ActorMiddleware, accounts=accounts, config=config))
    return stack
