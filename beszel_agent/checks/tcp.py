"""Does a port take connections? Nothing is sent and nothing read."""

from beszel_agent.checks.network import Network
from beszel_agent.checks.outcome import Outcome
from beszel_protocol.checks import CheckDefinition
from beszel_protocol.targets import parse_host_port


async def check_tcp(definition: CheckDefinition, network: Network) -> Outcome:
    """Raise `CheckError`."""
    target = parse_host_port(definition.target)
    connected = await network.connect(target.host, target.port, allow_private=definition.allow_private)
    connected.socket.close()
    return Outcome(latency_ms=1000 * connected.seconds)
