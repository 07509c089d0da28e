"""The messages of the agent link, version 1: JSON text frames, each an object with a `type`.

Unknown fields are ignored; an unknown type decodes to None, for the receiver to count. What does not decode:

    MessageError
    ├── MalformedFrame      not a JSON object with a `type`: the connection ends with close code 1007
    └── InvalidMessage      a known type with a wrong or missing field
"""

from typing import Any, Final, Literal, TypeAlias, TypeVar

import msgspec

from beszel_protocol.checks import CheckDefinition
from beszel_protocol.containers import ContainerFacts, clean_containers
from beszel_protocol.details import HostDetails
from beszel_protocol.hygiene import clean
from beszel_protocol.sample import Metrics

MAX_FRAME_BYTES: Final = 1 << 20
"""Of an inflated frame; a longer one ends the connection with close code 1009."""
MAX_BATCH_BYTES: Final = 256 << 10
"""Of the records in one `samples`."""
MAX_RANGES: Final = 64
MAX_SEQUENCE: Final = 2**53 - 1

PING_INTERVAL_SECONDS: Final = 20.0
PONG_TIMEOUT_SECONDS: Final = 40.0
"""After a ping; with its interval a dead peer is noticed within 60 s."""
HANDSHAKE_TIMEOUT_SECONDS: Final = 10.0

MAX_PROCESS_PATTERNS: Final = 32
MAX_PROCESS_PATTERN_LENGTH: Final = 64

MIN_INTERVAL_SECONDS: Final = 1.0
MAX_INTERVAL_SECONDS: Final = 300.0

CLOSE_UNAUTHENTICATED: Final = 4401
CLOSE_FORBIDDEN: Final = 4403
CLOSE_REPLACED: Final = 4409
CLOSE_INVALID_PAYLOAD: Final = 1007
CLOSE_TOO_BIG: Final = 1009
CLOSE_RESTARTING: Final = 1012

RefusalCode: TypeAlias = Literal[
    "unknown_token", "fingerprint_mismatch", "key_mismatch", "duplicate_host", "agent_too_old", "bad_proof",
    "protocol_error", "tls_required", "timeout", "too_many_connections",
]  # fmt: skip

REFUSAL_CLOSE_CODES: Final[dict[str, int]] = {
    "unknown_token": CLOSE_UNAUTHENTICATED,
    "bad_proof": CLOSE_UNAUTHENTICATED,
    "duplicate_host": CLOSE_REPLACED,
}
"""Every other refusal closes with `CLOSE_FORBIDDEN`."""

Range: TypeAlias = tuple[int, int]
"""First and last sequence of a run, both included."""


class MessageError(Exception):
    """What arrived is no message of the link."""

    code = "message_error"


class MalformedFrame(MessageError):
    code = "malformed_frame"


class InvalidMessage(MessageError):
    code = "invalid_message"


class _Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Settings shared by all messages."""


# Agent to hub


class Hello(_Message, frozen=True, kw_only=True, tag="hello"):
    protocol: int
    nonce: str
    version: str


class Enrol(_Message, frozen=True, kw_only=True, tag="enrol"):
    """`body` is signed byte for byte as it stands in the frame, so no canonical form of JSON is needed."""

    body: msgspec.Raw
    proof: str
    signature: str


class EnrolBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    fingerprint: str
    agent_key: str
    name: str
    details: HostDetails
    spool_id: str
    boot_id: str
    boot_ms: int
    start_id: str = ""
    """Random for every start of the agent; two that take turns are two machines, though they share everything else."""


class Sample(_Message, frozen=True, kw_only=True, tag="sample"):
    sequence: int
    timestamp: str
    boot_ms: int
    metrics: Metrics


class Event(_Message, frozen=True, kw_only=True, tag="event"):
    """Something that happened between samples."""

    sequence: int
    timestamp: str
    boot_ms: int
    kind: str
    subject: str
    text: str = ""
    attributes: dict[str, str | int | float | bool] | None = None


class Gap(_Message, frozen=True, kw_only=True, tag="gap"):
    """Stands for records that were dropped before the hub had them."""

    sequence: int
    from_: str = msgspec.field(name="from")
    to: str
    reason: str


class Samples(_Message, frozen=True, kw_only=True, tag="samples"):
    """Backfill, oldest first. Each record is decoded by itself: a bad one does not spoil its neighbours."""

    records: list[msgspec.Raw]
    boot_id: str = ""
    """Of the boot of the host that all of them were made in, if it is not the one in `enrol`."""


class Details(_Message, frozen=True, kw_only=True, tag="details"):
    details: HostDetails


class Containers(_Message, frozen=True, kw_only=True, tag="containers"):
    """All containers of the host, after the welcome and whenever something of them changed.

    One that is not in here is gone. An agent that can tell of no containers at all sends none of these.
    """

    containers: list[ContainerFacts]


class Configured(_Message, frozen=True, kw_only=True, tag="configured"):
    revision: int


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    message: str


class Response(_Message, frozen=True, kw_only=True, tag="response"):
    id: int
    result: Any = None
    error: ErrorBody | None = None
    more: bool = False


# Hub to agent


class Challenge(_Message, frozen=True, kw_only=True, tag="challenge"):
    nonce: str
    public_key: str
    signature: str


class Configuration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the hub wants of an agent, as a whole: each takes the place of the one before."""

    revision: int = 0
    """Rises with every change, for one system."""
    checks: list[CheckDefinition] = []
    processes: list[str] = []
    """Patterns of names, in which `*` stands for anything, of processes that are to be counted."""


class Welcome(_Message, frozen=True, kw_only=True, tag="welcome"):
    system_id: str
    interval_seconds: float
    stored: list[Range]
    configuration: Configuration = Configuration()
    padding_bytes: int = 0
    """With so many the hub pads whatever is urgent, so an agent need not wake for fewer; 0 if it does not pad."""


class Refused(_Message, frozen=True, kw_only=True, tag="refused"):
    """The code is one of `RefusalCode`; a newer hub may know others."""

    code: str
    message: str


class Ack(_Message, frozen=True, kw_only=True, tag="ack"):
    """The sequences of this spool that are committed at the hub."""

    stored: list[Range]


class Interval(_Message, frozen=True, kw_only=True, tag="interval"):
    seconds: float


class Configure(_Message, frozen=True, kw_only=True, tag="configure"):
    configuration: Configuration


class Request(_Message, frozen=True, kw_only=True, tag="request"):
    id: int
    action: str
    params: dict[str, Any] = {}
    timeout_seconds: float = 10.0


class Cancel(_Message, frozen=True, kw_only=True, tag="cancel"):
    id: int


Record: TypeAlias = Sample | Event | Gap
FromAgent: TypeAlias = Hello | Enrol | Sample | Event | Gap | Samples | Details | Containers | Configured | Response
FromHub: TypeAlias = Challenge | Welcome | Refused | Ack | Interval | Configure | Request | Cancel
Message: TypeAlias = FromAgent | FromHub

_Head = msgspec.defstruct("_Head", [("type", str)])
_RecordHead = msgspec.defstruct("_RecordHead", [("sequence", int)])
_KNOWN_TYPES: Final = frozenset(struct.__struct_config__.tag for struct in (*FromAgent.__args__, *FromHub.__args__))

_UNDECODABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Brackets nested thousands deep end the decoder with RecursionError."""

_encoder: Final = msgspec.json.Encoder()
_from_agent: Final = msgspec.json.Decoder(FromAgent)
_from_hub: Final = msgspec.json.Decoder(FromHub)
_record: Final = msgspec.json.Decoder(Record)
_enrol_body: Final = msgspec.json.Decoder(EnrolBody)
_head: Final = msgspec.json.Decoder(_Head)
_record_head: Final = msgspec.json.Decoder(_RecordHead)

T = TypeVar("T")


def encode(message: Message | EnrolBody) -> bytes:
    """The exact bytes of the text frame.

    A name may come from where names need not be text, such as that of a file; what is no letter of it becomes `?`.
    """
    try:
        return _encoder.encode(message)
    except UnicodeEncodeError:
        return _encoder.encode(_as_text(msgspec.to_builtins(message)))


def _as_text(value: Any) -> Any:
    """The same with texts that UTF-8 can hold."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_as_text(key): _as_text(item) for key, item in value.items()}
    return [_as_text(item) for item in value] if isinstance(value, list | tuple) else value


def decode_from_agent(data: bytes | str) -> FromAgent | None:
    """Validate a frame that an agent sent; records and inventories come cleaned. None if its type is unknown here."""
    message = _decode(_from_agent, data)
    if isinstance(message, Sample | Event | Gap):
        return clean_record(message)
    if isinstance(message, Containers):
        return Containers(containers=clean_containers(message.containers))
    return message


def decode_from_hub(data: bytes | str) -> FromHub | None:
    """Validate a frame that a hub sent. None if its type is unknown here."""
    return _decode(_from_hub, data)


def decode_record(data: bytes | msgspec.Raw) -> Record:
    """Validate and clean one record of a `samples` batch."""
    record = _decode(_record, bytes(data))
    if record is None:
        raise InvalidMessage("a batch holds samples, events and gaps")
    return clean_record(record)


def decode_enrol_body(body: bytes | msgspec.Raw) -> EnrolBody:
    """Validate and clean the body of an `enrol`."""
    try:
        decoded = _enrol_body.decode(bytes(body))
    except msgspec.ValidationError as error:
        raise InvalidMessage(str(error)) from error
    except _UNDECODABLE as error:
        raise MalformedFrame(str(error)) from error
    return msgspec.structs.replace(clean(decoded), details=clean(decoded.details))


def sequence_of(data: bytes | str | msgspec.Raw) -> int | None:
    """The sequence of a record that did not validate, so that it can be marked as consumed."""
    try:
        sequence = _record_head.decode(bytes(data) if isinstance(data, msgspec.Raw) else data).sequence  # type: ignore[attr-defined]
    except _UNDECODABLE:
        return None
    return sequence if 0 <= sequence <= MAX_SEQUENCE else None


def clean_record(record: Record) -> Record:
    if not 0 <= record.sequence <= MAX_SEQUENCE:
        raise InvalidMessage("a sequence lies between 0 and 2^53 - 1")
    return clean(record)


def _decode(decoder: msgspec.json.Decoder[T], data: bytes | str) -> T | None:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        if _type_of(data) not in _KNOWN_TYPES:
            return None
        raise InvalidMessage(str(error)) from error
    except _UNDECODABLE as error:
        raise MalformedFrame(str(error)) from error


def _type_of(data: bytes | str) -> str:
    try:
        return _head.decode(data).type  # type: ignore[attr-defined, no-any-return]
    except _UNDECODABLE as error:
        raise MalformedFrame("a frame is a JSON object with a `type`") from error
