"""What can go wrong in the agent.

AgentError
├── ConfigError         a setting is missing, malformed or unknown: exit status 2
├── DataDirError        the data directory cannot be used, or another agent uses it
├── Unavailable         this host has nothing for a collector to read; not a failure
├── ReadingFailed       a source is there but could not be read or understood
│   └── EngineFailed    a container engine does not answer, or not as it should
├── ActionRefused       what the hub asked for cannot be done; `code` says why
└── LinkError           a connection to the hub ended or did not come about
    ├── HubRefused      the hub said why it does not take this agent; `code` is the hub's
    └── HubSilent       the hub did not answer, or did not confirm, in time
"""


class AgentError(Exception):
    code = "agent_error"


class ConfigError(AgentError):
    code = "config_error"


class DataDirError(AgentError):
    code = "data_dir_error"


class Unavailable(AgentError):
    code = "unavailable"


class ReadingFailed(AgentError):
    code = "reading_failed"


class EngineFailed(ReadingFailed):
    code = "engine_failed"


class ActionRefused(AgentError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class LinkError(AgentError):
    code = "link_error"


class HubRefused(LinkError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class HubSilent(LinkError):
    code = "hub_silent"


def describe(error: BaseException) -> str:
    """One line for people."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__
