"""What can go wrong in the agent.

AgentError
├── ConfigError         a setting is missing, malformed or unknown: exit status 2
├── DataDirError        the data directory cannot be used, or another agent uses it
├── SpoolError          what lies in the spool cannot be used
│   ├── SpoolDamaged    it is not what was written
│   └── SpoolTooNew     a later version wrote it
├── Unavailable         this host has nothing for a collector to read; not a failure
├── ReadingFailed       a source is there but could not be read or understood
│   ├── ReadingIncomplete   one of several could not; `part` is what the others told
│   └── EngineFailed    a container engine does not answer, or not as it should
├── CheckError          a check that the hub has defined has no good result
│   ├── TargetDown      its target did not do what was asked of it
│   └── CheckRefused    it may not or cannot be made from here, which says nothing about its target
├── RequestRefused      the hub asked for something that an action does not give; `code` goes into the answer
└── LinkError           a connection to the hub ended or did not come about
    ├── HubRefused      the hub said why it does not take this agent; `code` is the hub's
    └── HubSilent       the hub did not answer, or did not confirm, in time
"""

from beszel_protocol.sample import Metrics


class AgentError(Exception):
    code = "agent_error"


class ConfigError(AgentError):
    code = "config_error"


class DataDirError(AgentError):
    code = "data_dir_error"


class SpoolError(AgentError):
    code = "spool_error"


class SpoolDamaged(SpoolError):
    code = "spool_damaged"


class SpoolTooNew(SpoolError):
    code = "spool_too_new"


class Unavailable(AgentError):
    code = "unavailable"


class ReadingFailed(AgentError):
    code = "reading_failed"


class CheckError(AgentError):
    code = "check_error"


class TargetDown(CheckError):
    code = "target_down"


class CheckRefused(CheckError):
    code = "check_refused"


class ReadingIncomplete(ReadingFailed):
    code = "reading_incomplete"

    def __init__(self, reason: str, part: Metrics) -> None:
        super().__init__(reason)
        self.part = part


class EngineFailed(ReadingFailed):
    code = "engine_failed"


class RequestRefused(AgentError):
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
