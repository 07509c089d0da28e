"""How the hub is dialled, and that nothing but a trusted certificate will do."""

import asyncio
from pathlib import Path

import pytest

from beszel_agent.config import Config
from beszel_agent.endpoint import make_endpoint
from beszel_agent.errors import ConfigError
from beszel_agent.settings import parse_hub_url
from beszel_protocol.handshake import token_id
from beszel_protocol.version import VERSION
from tests.support.certificates import make_certificates
from tests.support.linkagent import linked
from tests.support.linkhub import LinkHub


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8090", "ws://127.0.0.1:8090/api/beszel/agent-connect"),
        ("https://example.org/below/", "wss://example.org:443/below/api/beszel/agent-connect"),
        ("http://[::1]:1", "ws://[::1]:1/api/beszel/agent-connect"),
    ],
)
def test_the_url_that_is_dialled(url: str, expected: str) -> None:
    endpoint = make_endpoint(parse_hub_url(url), "a token", Config())
    assert endpoint.url == expected
    assert endpoint.headers == (("X-Beszel", VERSION), ("X-Token-Id", token_id("a token")))
    assert (endpoint.tls is None) == url.startswith("http:")
    assert "a token" not in str(endpoint)


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_an_authority_that_cannot_be_used(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "ca.pem").write_text(text)
    config = Config(ca_file=str(tmp_path / "ca.pem"))
    with pytest.raises(ConfigError, match="CA_FILE"):
        make_endpoint(parse_hub_url("https://hub"), "a token", config)


def test_a_certificate_that_nobody_vouches_for_is_refused_and_ca_file_vouches(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)

    async def main() -> None:
        hub = LinkHub(tls=certificates.server)
        async with asyncio.timeout(30), hub.running():
            async with linked(hub) as agent:
                assert "CA_FILE adds an authority" in await agent.until_problem("certificate is not trusted")
            assert hub.hellos == []
            async with linked(hub, config=Config(ca_file=str(certificates.ca_file))) as agent:
                agent.append()
                await hub.until("enrolled", lambda: hub.enrolments)
                await agent.until_confirmed()

    asyncio.run(main())
