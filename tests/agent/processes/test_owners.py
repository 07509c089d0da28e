"""Whose a process is, from what the kernel and the user database say."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beszel_agent.paths import HostPaths
from beszel_agent.processes.owners import (
    Owners,
    Place,
    name_containers,
    parse_cgroup,
    parse_passwd,
    place_of,
    unescape,
)
from beszel_protocol.sample import ProcessMetrics

ID = "3f4e" + "0" * 60
SHORT = "3f4e00000000"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", Place()),
        ("/init.scope", Place(None, "init.scope")),
        ("/system.slice/nginx.service", Place(None, "nginx.service")),
        ("/system.slice/system-getty.slice/getty@tty1.service", Place(None, "getty@tty1.service")),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Maps-1.scope",
            Place(None, "app-org.gnome.Maps-1.scope"),
        ),
        (f"/system.slice/docker-{ID}.scope", Place(SHORT, None)),
        (f"/docker/{ID}", Place(SHORT, None)),
        (f"/../{ID}/init.scope", Place(SHORT, None)),
        (f"/machine.slice/libpod-{ID}.scope/container", Place(SHORT, None)),
        (f"/machine.slice/libpod-conmon-{ID}.scope", Place(None, f"libpod-conmon-{ID}.scope")),
        (
            f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-{ID}.scope",
            Place(SHORT, None),
        ),
        (f"/kubepods/burstable/pod6d5f/{ID}", Place(SHORT, None)),
        (f"/system.slice/containerd.service/pod1.slice:cri-containerd:{ID}", Place(SHORT, "containerd.service")),
        (f"/docker/{ID}/docker/{'a' * 64}", Place(SHORT, None)),
        ("/lxc.payload.mail/system.slice/postfix.service", Place("mail", None)),
        ("/lxc/mail", Place("mail", None)),
        (r"/machine.slice/machine-qemu\x2d1\x2dvm.scope", Place("qemu-1-vm", None)),
        (f"/system.slice/{'z' * 64}", Place()),
    ],
)
def test_place_of(path: str, expected: Place) -> None:
    assert place_of(path) == expected


def test_the_line_that_tells_most_is_taken() -> None:
    assert parse_cgroup("4:cpu:/\n1:name=systemd:/system.slice/a.service\n0::/\n") == Place(None, "a.service")
    assert parse_cgroup(f"4:cpu:/docker/{ID}\n") == Place(SHORT, None)
    assert parse_cgroup("0::/a:b/c.service\n") == Place(None, "c.service")
    assert parse_cgroup("") == Place()


def test_containers_are_called_by_their_names_where_these_are_known() -> None:
    known, strange, guest, free = (
        ProcessMetrics(pid=pid, name="sh", container=container)
        for pid, container in enumerate((SHORT, "a" * 12, "mail", None), start=1)
    )
    named = name_containers([known, strange, guest, free], {SHORT: "web"})
    assert named == [ProcessMetrics(pid=1, name="sh", container="web"), strange, guest, free]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("plain.service", "plain.service"),
        (r"dev-disk-by\x2duuid.service", "dev-disk-by-uuid.service"),
        (r"caf\xc3\xa9.service", "café.service"),
        (r"\x1b[31m.service", "[31m.service"),
        (r"cut\x2", r"cut\x2"),
        (r"no\xzz.service", r"no\xzz.service"),
    ],
)
def test_unescape(unit: str, expected: str) -> None:
    assert unescape(unit) == expected


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    parse_cgroup(text)
    parse_passwd(text)
    assert not {"\x1b", "\n", "\u202e"} & set(unescape(text))


def test_the_answer_is_remembered_for_a_minute(tmp_path: Path) -> None:
    (tmp_path / "proc" / "7").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    status, passwd = tmp_path / "proc" / "7" / "status", tmp_path / "etc" / "passwd"
    status.write_text("Name:\tdaemon\nUid:\t0\t0\t0\t0\n")
    passwd.write_text("root:x:0:0\nnobody:x:65534:1::/:\nbroken\n")
    owners = Owners(HostPaths(proc=str(tmp_path / "proc"), etc=str(tmp_path / "etc"), keep_open=False))
    assert owners.owner_of(7, 1, 0.0).user == "root"
    status.write_text("Name:\tdaemon\nUid:\t0\t65534\t0\t0\n")  # it dropped its privileges
    assert owners.owner_of(7, 1, 30.0).user == "root"
    assert owners.owner_of(7, 2, 30.0).user == "nobody"  # another process with the same number
    owners.forget(61.0)
    assert owners.owner_of(7, 1, 61.0).user == "nobody"
    status.unlink()
    assert owners.owner_of(8, 1, 61.0).user is None
