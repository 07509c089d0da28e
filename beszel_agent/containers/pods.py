"""What a container of a pod is called: from the bundle of its runtime, or from the name of its log."""

import re
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from beszel_agent.errors import ReadingFailed
from beszel_agent.paths import HostPaths, list_names, read_text
from beszel_protocol.hygiene import clean_text

_BUNDLES: Final = (
    "/run/containerd/io.containerd.runtime.v2.task/k8s.io/{id}/config.json",
    "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/{id}/config.json",
    "/run/containerd/io.containerd.runtime.v2.task/default/{id}/config.json",
    "/run/containers/storage/overlay-containers/{id}/userdata/config.json",
)
"""Of containerd, of k3s, of nerdctl, of CRI-O; only root may read them."""
_LOGS: Final = "/var/log/containers"
"""Links that the kubelet makes: `<pod>_<namespace>_<container>-<id>.log`; everybody may list them."""
_LOG_NAME: Final = re.compile(
    r"(?P<pod>[^_]+)_(?P<namespace>[^_]+)_(?P<container>.+)-(?P<id>[0-9a-f]{64})\.log", re.ASCII
)


class PodContainer(NamedTuple):
    container: str | None
    pod: str | None
    namespace: str | None
    image: str | None = None
    restarts: int | None = None
    is_sandbox: bool = False
    """It only holds the namespaces of its pod."""


class _Bundle(msgspec.Struct, frozen=True):
    """Of OCI's `config.json` nothing but this is even decoded: the rest holds environment and arguments."""

    annotations: dict[str, str] = {}


class PodNames:
    def __init__(self, paths: HostPaths) -> None:
        self._paths = paths
        self._bundle = msgspec.json.Decoder(_Bundle)

    def find(self, full_id: str) -> PodContainer | None:
        """None if nothing tells. `full_id` is 64 hexadecimal digits."""
        for place in _BUNDLES:
            try:
                text = read_text(self._paths.root(place.format(id=full_id)))
                return read_annotations(self._bundle.decode(text).annotations)
            except (OSError, ReadingFailed, msgspec.DecodeError):
                continue
        return self._find_log(full_id)

    def _find_log(self, full_id: str) -> PodContainer | None:
        names = list_names(self._paths.root(_LOGS))
        for name in names:
            match = _LOG_NAME.fullmatch(name)
            if match is not None and match["id"] == full_id:
                restarts = _restarts(Path(self._paths.root(_LOGS), name))
                return PodContainer(match["container"], match["pod"], match["namespace"], restarts=restarts)
        # Where others have logs and this one has none, it is one that never writes: the pod's sandbox.
        return PodContainer(None, None, None, is_sandbox=True) if any(map(_LOG_NAME.fullmatch, names)) else None


def read_annotations(annotations: dict[str, str]) -> PodContainer:
    """As containerd's CRI plugin, CRI-O and nerdctl write them."""

    def first(*names: str) -> str | None:
        return next((clean_text(annotations[name]) or None for name in names if annotations.get(name)), None)

    kind = first("io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType")
    return PodContainer(
        container=first("io.kubernetes.cri.container-name", "io.kubernetes.container.name", "nerdctl/name"),
        pod=first("io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"),
        namespace=first("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"),
        image=first("io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName"),
        restarts=_number(first("io.kubernetes.container.restartCount")),
        is_sandbox=kind == "sandbox",
    )


def _restarts(link: Path) -> int | None:
    """The log's own name is its number: `/var/log/pods/…/2.log` after two restarts."""
    try:
        return _number(link.readlink().stem)
    except OSError:
        return None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 10 else None
