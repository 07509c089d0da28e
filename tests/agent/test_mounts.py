"""Which filesystems count, on the mount tables of hosts as people run them."""

from pathlib import Path

import pytest

from beszel_agent.config import load_config
from beszel_agent.disk_rules import NO_RULES, DiskRules, read_rules
from beszel_agent.mounts import MAX_FILESYSTEMS, MountTable, choose_filesystems, parse_mounts
from beszel_agent.paths import HostPaths

UBUNTU = rb"""
29 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
30 29 0:21 / /proc rw - proc proc rw
31 29 8:1 / /boot/efi rw - vfat /dev/sda1 rw
32 29 7:0 / /snap/core20/2318 ro - squashfs /dev/loop0 ro
33 29 0:25 / /run rw - tmpfs tmpfs rw
34 29 8:17 / /mnt/my\040backup rw - ext4 /dev/sdb1 rw
35 29 7:9 / /media/image rw - ext4 /dev/loop9 rw
36 29 11:0 / /media/cdrom ro - iso9660 /dev/sr0 ro
37 29 0:90 / /mnt/nas rw - nfs4 nas:/export rw
38 29 8:2 /home/ada/src /srv/src rw - ext4 /dev/sda2 rw
39 29 0:91 / /mnt/win rw - fuseblk /dev/sdc1 rw
"""

BTRFS = b"""
29 1 0:30 /@ / rw - btrfs /dev/nvme0n1p2 rw,subvolid=256,subvol=/@
30 29 0:30 /@home /home rw - btrfs /dev/nvme0n1p2 rw,subvolid=257,subvol=/@home
31 29 0:30 /@/var/lib/docker/btrfs /var/lib/docker/btrfs rw - btrfs /dev/nvme0n1p2 rw
32 29 259:1 / /boot rw - xfs /dev/nvme0n1p1 rw
"""

PROXMOX = b"""
29 1 0:30 / / rw - zfs rpool/ROOT/pve-1 rw
30 29 0:31 / /rpool rw - zfs rpool rw
31 29 0:32 / /rpool/data/subvol-100-disk-0 rw - zfs rpool/data/subvol-100-disk-0 rw
32 29 0:33 / /etc/pve rw - fuse /dev/fuse rw
33 29 0:34 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw
"""

DOCKER = b"""
100 50 0:80 / / rw - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A
101 100 0:81 / /proc rw - proc proc rw
102 100 254:1 /var/lib/docker/containers/x/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda1 rw
103 100 254:1 /var/lib/docker/containers/x/hosts /etc/hosts rw - ext4 /dev/vda1 rw
104 100 254:1 /etc/os-release /host/os-release ro - ext4 /dev/vda1 rw
105 100 254:16 /srv/media /extra-filesystems/media ro - ext4 /dev/vdb rw
106 100 0:99 / /dev/shm rw - tmpfs shm rw
"""

OSTREE = b"""
29 1 0:30 / / ro - overlay composefs ro
30 29 8:4 / /sysroot ro - xfs /dev/sda4 rw
31 29 8:4 /ostree/deploy/fedora/var /var rw - xfs /dev/sda4 rw
32 29 8:3 / /boot rw - ext4 /dev/sda3 rw
"""

KUBERNETES = b"""
29 1 8:1 / / rw - ext4 /dev/sda1 rw
30 29 8:16 / /var/lib/kubelet/pods/1/volumes/kubernetes.io~csi/pvc/mount rw - ext4 /dev/sdb rw
31 29 0:55 / /run/containerd/io.containerd.runtime.v2.task/k8s.io/1/rootfs rw - overlay overlay rw
"""

OVERMOUNTED = b"""
20 1 0:2 / / rw - rootfs rootfs rw
29 20 179:2 / / rw - ext4 /dev/root rw
30 29 8:1 / /mnt rw - ext4 /dev/sda1 rw
31 30 8:2 / /mnt rw - ext4 /dev/sda2 rw
32 29 0:60 / /net rw - nfs nas:/ rw
33 32 8:3 / /net/local rw - ext4 /dev/sda3 rw
"""


@pytest.mark.parametrize(
    ("table", "points"),
    [
        (UBUNTU, ["/", "/boot/efi", "/mnt/my backup", "/mnt/win"]),
        (BTRFS, ["/", "/boot"]),
        (PROXMOX, ["/", "/rpool", "/rpool/data/subvol-100-disk-0"]),
        (DOCKER, ["/", "/extra-filesystems/media"]),
        (OSTREE, ["/", "/boot"]),
        (KUBERNETES, ["/"]),
        (OVERMOUNTED, ["/", "/mnt", "/net/local"]),
        (b"garbage\n1 2 3 - \n\xff\xfe\n", []),
    ],
    ids=["ubuntu", "btrfs", "proxmox", "docker", "ostree", "kubernetes", "overmounted", "garbage"],
)
def test_each_real_filesystem_counts_once(table: bytes, points: list[str]) -> None:
    assert [filesystem.point for filesystem in choose_filesystems(parse_mounts(table))] == points


def test_the_root_of_a_container_has_the_disk_below_it() -> None:
    root = choose_filesystems(parse_mounts(DOCKER))[0]
    assert (root.point, root.path, root.device, root.source) == ("/", "/", "254:1", "/dev/vda1")


def test_a_root_that_is_an_image_is_asked_of_the_disk_it_lies_on() -> None:
    root = choose_filesystems(parse_mounts(OSTREE))[0]
    assert (root.point, root.path, root.device) == ("/", "/sysroot", "8:4")


def test_a_later_mount_hides_an_earlier_one() -> None:
    assert [item.source for item in choose_filesystems(parse_mounts(OVERMOUNTED))] == [
        "/dev/root",
        "/dev/sda2",
        "/dev/sda3",
    ]


def test_what_may_hang_is_told_apart() -> None:
    """The type says so, or that of a mount on the way to it."""
    waiting = {
        filesystem.point
        for table in (UBUNTU, PROXMOX, OVERMOUNTED)
        for filesystem in choose_filesystems(parse_mounts(table))
        if filesystem.may_wait
    }
    assert waiting == {"/boot/efi", "/mnt/win", "/", "/rpool", "/rpool/data/subvol-100-disk-0", "/net/local"}
    assert not choose_filesystems(parse_mounts(UBUNTU))[0].may_wait


def test_there_is_a_bound_and_the_root_is_within_it() -> None:
    lines = [f"{n} 29 8:{n} / /a{n} rw - ext4 /dev/sd{n} rw" for n in range(2, 200)]
    found = choose_filesystems(parse_mounts("\n".join([*lines, "1 0 8:1 / / rw - ext4 /dev/sda rw"]).encode()))
    assert len(found) == MAX_FILESYSTEMS
    assert found[0].point == "/"


def rules(root: str | None = None, *extras: str) -> DiskRules:
    config = load_config(
        {"FILESYSTEM": root or "", "EXTRA_FILESYSTEMS": ",".join(extras)}, {}, Path("/dev/null")
    ).config
    return read_rules(HostPaths(sys="/nowhere"), config)


def choose(table: bytes, wanted: DiskRules) -> list[tuple[str, str]]:
    return [(item.name, item.point) for item in choose_filesystems(parse_mounts(table), wanted)]


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("/mnt/my backup", [("/", "/mnt/my backup"), ("/boot/efi", "/boot/efi"), ("/mnt/win", "/mnt/win")]),
        ("sdb", [("/", "/mnt/my backup"), ("/boot/efi", "/boot/efi"), ("/mnt/win", "/mnt/win")]),
        ("/dev/sdb1/", [("/", "/mnt/my backup"), ("/boot/efi", "/boot/efi"), ("/mnt/win", "/mnt/win")]),
        (
            "sd",
            [("/", "/"), ("/boot/efi", "/boot/efi"), ("/mnt/my backup", "/mnt/my backup"), ("/mnt/win", "/mnt/win")],
        ),
    ],
)
def test_the_owner_says_what_stands_for_the_root(root: str, expected: list[tuple[str, str]]) -> None:
    assert choose(UBUNTU, rules(root)) == expected


def test_what_was_asked_for_counts_whatever_it_is() -> None:
    """Network filesystems, images, memory; by its own name or a given one, the root never a second time."""
    found = choose(UBUNTU, rules(None, "/mnt/nas__NAS", "/run", "loop9__Image", "/__Again", "/dev/sdb1__NAS", "sda2"))
    assert found == [
        ("/", "/"),
        ("/boot/efi", "/boot/efi"),
        ("Image", "/media/image"),
        ("/mnt/my backup", "/mnt/my backup"),
        ("NAS", "/mnt/nas"),
        ("/mnt/win", "/mnt/win"),
        ("/run", "/run"),
    ]


def test_disks_bound_into_a_container_have_the_names_they_were_given() -> None:
    table = DOCKER + b"107 100 0:50 / /extra-filesystems/nvme0n1__Big\\040Tank ro - zfs tank rw\n"
    assert choose(table, NO_RULES) == [
        ("/", "/"),
        ("media", "/extra-filesystems/media"),
        ("Big Tank", "/extra-filesystems/nvme0n1__Big Tank"),
    ]


def test_a_view_that_is_read_only_is_not_a_filesystem_that_is() -> None:
    assert not any(item.read_only for item in choose_filesystems(parse_mounts(DOCKER)))
    assert not choose_filesystems(parse_mounts(OSTREE))[0].read_only
    remounted = UBUNTU.replace(b"rw,relatime shared:1 - ext4 /dev/sda2 rw", b"rw shared:1 - ext4 /dev/sda2 ro,errors=x")
    assert [item.point for item in choose_filesystems(parse_mounts(remounted)) if item.read_only] == ["/"]


def test_a_filesystem_that_turned_read_only_is_noticed_though_the_kernel_does_not_tell(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    table = tmp_path / "self/mountinfo"
    table.write_bytes(UBUNTU)
    mounts = MountTable(HostPaths(proc=str(tmp_path)))
    before = mounts.filesystems(0.0)
    assert mounts.filesystems(61.0) is before
    table.write_bytes(UBUNTU.replace(b"/dev/sda2 rw", b"/dev/sda2 ro"))
    after = mounts.filesystems(122.0)
    assert [item.read_only for item in after] == [True, False, False, False]
