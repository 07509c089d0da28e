"""Who may be asked: the list, what it leads to, and what no list opens."""

import pytest

from beszel_hub.config import load_config
from beszel_hub.errors import InvalidSetting
from beszel_hub.images.failures import RegistryRefused
from beszel_hub.images.policy import Policy
from beszel_hub.settings import read_registries
from beszel_protocol.reach import Reach

LOCAL = "http://127.0.0.1:5000"


@pytest.mark.parametrize(
    ("listed", "registry", "base"),
    [
        ("public", "docker.io", "https://registry-1.docker.io/"),
        ("public", "ghcr.io", "https://ghcr.io/"),
        ("public", "registry.example.org:5000", "https://registry.example.org:5000/"),
        ("docker.io", "docker.io", "https://registry-1.docker.io/"),
        ("docker.io", "ghcr.io", None),
        ("ghcr.io", "docker.io", None),
        ("GHCR.IO", "ghcr.io", "https://ghcr.io/"),
        (LOCAL, "127.0.0.1:5000", f"{LOCAL}/"),
        (LOCAL, "127.0.0.1", None),
        (f"public,{LOCAL}", "127.0.0.1:5000", f"{LOCAL}/"),
        ("http://registry.lan", "registry.lan", "http://registry.lan/"),
        ("http://registry.lan", "registry.lan:443", None),
        ("registry.lan", "registry.lan", "https://registry.lan/"),
        ("registry.lan:5000", "registry.lan:5000", "https://registry.lan:5000/"),
        ("public", "no name", None),
    ],
)
def test_where_a_registry_is(listed: str, registry: str, base: str | None) -> None:
    policy = Policy(read_registries(listed))
    if base is None:
        with pytest.raises(RegistryRefused):
            policy.base_of(registry)
    else:
        assert str(policy.base_of(registry)) == base


@pytest.mark.parametrize(
    ("listed", "realm", "limit"),
    [
        ("public", "https://auth.docker.io/token", Reach.PUBLIC),
        ("docker.io", "https://auth.docker.io/token", Reach.PRIVATE),
        ("public", "http://auth.docker.io/token", None),
        ("ghcr.io", "https://evil.example/token", None),
        ("public", "ftp://evil.example/", None),
        ("public", "https://user:pass@evil.example/", None),
        ("public", "", None),
        (f"public,{LOCAL}", f"{LOCAL}/token?x=1", Reach.PRIVATE),
        (f"public,{LOCAL}", "https://127.0.0.1:5000/token", Reach.PUBLIC),
    ],
)
def test_where_a_registry_may_lead(listed: str, realm: str, limit: Reach | None) -> None:
    policy = Policy(read_registries(listed))
    if limit is None:
        with pytest.raises(RegistryRefused):
            policy.other(realm)
    else:
        assert policy.limit_of(policy.other(realm)) is limit


@pytest.mark.parametrize("text", [",", "ftp://x", "https://x/path", "ghcr.io/owner", "a b", "user@ghcr.io", "x:0"])
def test_lists_that_make_no_sense_are_refused_at_the_start(text: str) -> None:
    with pytest.raises(InvalidSetting, match="IMAGE_REGISTRIES must be a comma-separated list"):
        load_config({}, {"IMAGE_REGISTRIES": text})


def test_the_setting() -> None:
    config = load_config({}, {"IMAGE_REGISTRIES": f" docker.io, {LOCAL} ", "CHECK_IMAGE_UPDATES": "1"}).config
    assert config.check_image_updates
    assert config.image_registries == ("https://registry-1.docker.io/", "https://auth.docker.io/", f"{LOCAL}/")
