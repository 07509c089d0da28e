"""What can go wrong in the terminal client.

TuiError
├── ConfigError            a setting that cannot be used
├── ThemeError             a theme file that cannot be used
├── FilterError            a filter line that does not parse
├── CommandError           a line of the command line that cannot be carried out
├── FormError              a field of a form that cannot be read
├── RequestError           a system or metric of a command that does not exist, or not like that
├── DrawingError           plotext cannot be used on this machine
├── LocalError             `beszel-tui local` could not start its hub or agent
└── ClientError
    ├── HubUnreachable     no answer, or none that is a hub's
    ├── Unauthorized       the token or the password is not accepted
    ├── CodeNeeded         the password is right, and the hub wants a second proof
    └── HubRefused         the hub answered, with an error
"""

from typing import ClassVar


class TuiError(Exception):
    code: ClassVar[str] = "error"


class ConfigError(TuiError):
    code = "config"


class ThemeError(TuiError):
    code = "theme"


class FilterError(TuiError):
    code = "filter"


class CommandError(TuiError):
    code = "command"


class FormError(TuiError):
    code = "form"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class RequestError(TuiError):
    code = "request"


class DrawingError(TuiError):
    code = "drawing"


class LocalError(TuiError):
    code = "local"


class ClientError(TuiError):
    code = "client"


class HubUnreachable(ClientError):
    code = "hub_unreachable"


class Unauthorized(ClientError):
    code = "unauthorized"


class CodeNeeded(ClientError):
    code = "code_needed"

    def __init__(self, mfa_id: str) -> None:
        super().__init__("the hub wants a code as well")
        self.mfa_id = mfa_id


class HubRefused(ClientError):
    code = "hub_refused"

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
