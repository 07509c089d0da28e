"""What the hub refuses, with the HTTP status and the machine-readable code of each.

    HubError
    ├── BadRequest          400, with what is wrong by field
    │   ├── BatchFailed     one of several requests in a transaction, so none was done
    │   ├── BackupFailed    a backup cannot be made or put back, and why; nothing has changed
    │   └── InvalidBackup   a file is no backup, is damaged, or is of a newer version
    ├── Unauthorized        401, only where a token is required
    ├── Forbidden           403
    ├── NotFound            404, also for what the caller may not know of
    ├── RequestTimeout      408
    ├── Conflict            409
    ├── TooLarge            413
    ├── TooManyRequests     429
    ├── HeadersTooLarge     431
    ├── Unavailable         503, the work was not done and may be tried again
    │   ├── AgentAbsent     nobody is there to ask
    │   └── AgentBusy       the agent works at as much as it takes on
    ├── AgentFailed         502, the agent says that it cannot, or answers what makes no sense
    ├── AgentTimeout        504, the agent did not answer in time
    ├── CommandFailed       what the command line was asked for cannot be done
    └── StartError          the data directory or the network does not let the hub start
        └── InvalidSetting  a flag or an environment variable is not what it must be

One place in `door/` turns them into answers.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field of a request."""

    code: str
    message: str


NO_DETAILS: Final[Mapping[str, FieldError]] = {}


class HubError(Exception):
    """The root; `message` is meant for the caller and tells nothing internal."""

    status: ClassVar[int] = 500
    code = "internal_error"
    default_message: ClassVar[str] = "The hub failed to answer this request."

    def __init__(
        self, message: str = "", *, data: Mapping[str, FieldError] = NO_DETAILS, retry_after_seconds: int | None = None
    ) -> None:
        self.message = message or self.default_message
        self.data = data
        self.retry_after_seconds = retry_after_seconds
        super().__init__(self.message)

    def details(self) -> dict[str, Any]:
        """The `data` of the answer: complaints by field."""
        return {field: {"code": complaint.code, "message": complaint.message} for field, complaint in self.data.items()}


class BadRequest(HubError):
    status = 400
    code = "bad_request"
    default_message = "The request is not valid."


class BatchFailed(BadRequest):
    """`cause` is what the request at `index` would have been answered by itself."""

    code = "batch_failed"
    default_message = "Batch transaction failed."

    def __init__(self, index: int, cause: HubError) -> None:
        super().__init__()
        self.index = index
        self.cause = cause

    def details(self) -> dict[str, Any]:
        response = {"data": self.cause.details(), "message": self.cause.message, "status": self.cause.status}
        failure = {"code": "batch_request_failed", "message": "Batch request failed.", "response": response}
        return {"requests": {str(self.index): failure}}


class BackupFailed(BadRequest):
    code = "backup_failed"
    default_message = "The backup cannot be made."


class InvalidBackup(BadRequest):
    code = "invalid_backup"
    default_message = "This is no backup of a hub."


class Unauthorized(HubError):
    status = 401
    code = "unauthorized"
    default_message = "This needs a valid token."


class Forbidden(HubError):
    status = 403
    code = "forbidden"
    default_message = "This is not allowed."


class NotFound(HubError):
    status = 404
    code = "not_found"
    default_message = "There is nothing here."


class RequestTimeout(HubError):
    status = 408
    code = "request_timeout"
    default_message = "The request body takes too long."


class Conflict(HubError):
    status = 409
    code = "conflict"
    default_message = "This is there already."


class TooLarge(HubError):
    status = 413
    code = "too_large"
    default_message = "The request body is too large."


class TooManyRequests(HubError):
    status = 429
    code = "too_many_requests"
    default_message = "Too many attempts; try again later."


class HeadersTooLarge(HubError):
    status = 431
    code = "headers_too_large"
    default_message = "The request headers are too large."


class Unavailable(HubError):
    status = 503
    code = "unavailable"
    default_message = "The hub is too busy; try again."


class AgentAbsent(Unavailable):
    code = "agent_absent"
    default_message = "The agent of this system is not connected."


class AgentBusy(Unavailable):
    code = "agent_busy"
    default_message = "The agent of this system is busy with other requests; try again."


class AgentFailed(HubError):
    status = 502
    code = "agent_failed"
    default_message = "The agent of this system could not answer."


class AgentTimeout(HubError):
    status = 504
    code = "agent_timeout"
    default_message = "The agent of this system did not answer in time."


class CommandFailed(HubError):
    code = "command_failed"
    default_message = "This cannot be done."


class StartError(HubError):
    code = "start_error"
    default_message = "The hub cannot start."


class InvalidSetting(StartError):
    code = "invalid_setting"
    default_message = "A setting is not valid."


def invalid_field(field: str, code: str, message: str) -> BadRequest:
    """A refusal for one field."""
    return BadRequest(data={field: FieldError(code, message)})
