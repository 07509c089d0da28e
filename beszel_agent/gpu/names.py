"""What a GPU is called by those who sell it, from the lists that distributions install."""

from typing import Final

from beszel_agent.gpu.cards import Card
from beszel_agent.paths import HostPaths, read_text_or_none
from beszel_protocol.hygiene import clean_text

_AMD_IDS: Final = "/usr/share/libdrm/amdgpu.ids"
_PCI_IDS: Final = ("/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids")


def find_name(paths: HostPaths, card: Card) -> str | None:
    """None if no list knows it; then its address is its name."""
    told = read_text_or_none(card.device("product_name"))
    if told is None and card.driver == "amdgpu":
        told = find_amd_name(read_text_or_none(paths.root(_AMD_IDS)) or "", card.ids[1], card.revision)
    for path in _PCI_IDS if told is None else ():
        told = told or find_pci_name(paths.root(path), *card.ids)
    return clean_text(told).strip() or None if told is not None else None


def find_amd_name(text: str, device: str, revision: str) -> str | None:
    """From lines `device, revision, name`, each number in hexadecimal."""
    for line in text.splitlines():
        words = [word.strip() for word in line.split(",", 2)]
        if len(words) == 3 and (words[0].lower(), words[1].lower()) == (device, revision.lower().rjust(2, "0")):
            return words[2]
    return None


def find_pci_name(path: str, vendor: str, device: str) -> str | None:
    """What `pci.ids` has in brackets, or all of it: `Arc A770` of `DG2 [Arc A770]`. By lines, as the list is long."""
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:  # noqa: PTH123 - a path of the host
            is_ours = False
            for line in lines:
                if line[:1] not in {"\t", "#", "\n"}:
                    if is_ours:
                        return None
                    is_ours = line.startswith(vendor + " ")
                elif is_ours and line.startswith(f"\t{device} "):
                    name = line.strip().partition(" ")[2].strip()
                    inner = name.rpartition("[")[2].removesuffix("]") if name.endswith("]") else name
                    return inner or name
    except OSError:
        pass
    return None
