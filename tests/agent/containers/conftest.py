"""Engines are started once for all tests of this folder, and have no containers when a test begins."""

from collections.abc import Iterator

import pytest

from tests.support.engines import Engine, docker_engine, podman_engine


@pytest.fixture(scope="session")
def docker_service() -> Iterator[Engine]:
    with docker_engine() as engine:
        yield engine


@pytest.fixture(scope="session")
def podman_service() -> Iterator[Engine]:
    with podman_engine() as engine:
        yield engine


@pytest.fixture(scope="session")
def networked_podman_service() -> Iterator[Engine]:
    with podman_engine(with_network=True) as engine:
        yield engine


@pytest.fixture
def docker(docker_service: Engine) -> Iterator[Engine]:
    yield docker_service
    docker_service.clear()


@pytest.fixture
def podman(podman_service: Engine) -> Iterator[Engine]:
    yield podman_service
    podman_service.clear()


@pytest.fixture
def networked_podman(networked_podman_service: Engine) -> Iterator[Engine]:
    yield networked_podman_service
    networked_podman_service.clear()


@pytest.fixture(params=["docker", "podman"])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    return found
