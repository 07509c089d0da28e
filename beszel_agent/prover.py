"""Has a challenge answered, in a process that ends with it, so that what the proofs need does not stay in memory."""

import asyncio
import logging
import os
import sys
from typing import Final

import msgspec

from beszel_agent.errors import LinkError
from beszel_agent.proofs import Answer, Question, answer
from beszel_protocol.messages import HANDSHAKE_TIMEOUT_SECONDS

_MAX_ANSWER_BYTES: Final = 1 << 20

log = logging.getLogger(__name__)


async def answer_challenge(question: Question) -> Answer:
    """Raise `LinkError` if the proofs cannot be made here at all."""
    try:
        return await _answer_in_process(question)
    except (OSError, msgspec.DecodeError) as error:
        # No more processes allowed here, or no interpreter to start: then here, for the price in memory.
        log.debug("the proofs are made in this process: %s", error)
    try:
        return await asyncio.to_thread(answer, question)
    except ImportError as error:
        raise LinkError(f"the handshake needs `cryptography`: {error}") from error


async def _answer_in_process(question: Question) -> Answer:
    """The token and the key go through a pipe, never through arguments or the environment."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        # Not the current directory: whoever can write there could have their code imported.
        "-P",
        "-m",
        "beszel_agent.proofs",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
        limit=_MAX_ANSWER_BYTES,
    )
    try:
        async with asyncio.timeout(HANDSHAKE_TIMEOUT_SECONDS):
            output, _ = await process.communicate(msgspec.json.encode(question))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return msgspec.json.decode(output, type=Answer)


def _environment() -> dict[str, str]:
    """Only what the interpreter needs: it imports from where this one does, and sees no setting of the agent."""
    kept = {name: os.environ[name] for name in ("LANG", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT") if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
