"""Who this agent is: the fingerprint of its host and its own key.

Both are made once and kept in the data directory, so that neither a new kernel nor a new disk makes a new host of it.
"""

import hashlib
import os
from typing import Final, NamedTuple

from beszel_agent.datadir import DataDir
from beszel_agent.errors import DataDirError
from beszel_agent.host import read_cpu_model, read_host_id, read_hostname
from beszel_agent.paths import HostPaths
from beszel_protocol.handshake import decode_bytes, encode_bytes
from beszel_protocol.messages import MessageError

FINGERPRINT_FILE: Final = "fingerprint"
KEY_FILE: Final = "agent.key"
SEED_BYTES: Final = 32

_FINGERPRINT_BYTES: Final = 24
_NOBODYS_UUIDS: Final = frozenset(
    {
        "03000200-0400-0500-0006-000700080009",  # left by many makers of boards in everything they sell
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    }
)


class Identity(NamedTuple):
    fingerprint: str
    """48 hex digits."""
    seed: bytes
    """Of the agent's Ed25519 key (RFC 8032 calls these 32 random bytes the private key)."""


def load_identity(data_dir: DataDir, paths: HostPaths) -> Identity:
    """What the data directory holds; what is missing there is made and kept. Raise `DataDirError`."""
    return Identity(load_fingerprint(data_dir, paths), _load_seed(data_dir))


def load_fingerprint(data_dir: DataDir, paths: HostPaths) -> str:
    kept = data_dir.read(FINGERPRINT_FILE)
    if kept:
        return kept
    fingerprint = make_fingerprint(paths)
    data_dir.write(FINGERPRINT_FILE, fingerprint)
    return fingerprint


def reset_identity(data_dir: DataDir, paths: HostPaths) -> Identity:
    """Forget fingerprint and key, as after cloning a machine, and make new ones."""
    data_dir.remove(FINGERPRINT_FILE)
    data_dir.remove(KEY_FILE)
    return load_identity(data_dir, paths)


def make_fingerprint(paths: HostPaths) -> str:
    """The same that Beszel's agent makes of this host, so that a host keeps its identity when it changes over."""
    host_id = read_host_id(paths)
    if host_id is None or host_id in _NOBODYS_UUIDS:
        host_id = read_hostname(paths) + (read_cpu_model(paths) or "")
    return hashlib.sha256(host_id.encode()).digest()[:_FINGERPRINT_BYTES].hex()


def _load_seed(data_dir: DataDir) -> bytes:
    kept = data_dir.read(KEY_FILE)
    if not kept:
        seed = os.urandom(SEED_BYTES)
        data_dir.write(KEY_FILE, encode_bytes(seed))
        return seed
    try:
        return decode_bytes(kept, SEED_BYTES)
    except MessageError as error:
        raise DataDirError(
            f"{data_dir.path / KEY_FILE} is damaged; `beszel-agent fingerprint reset` makes a new one"
        ) from error
