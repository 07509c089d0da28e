"""One key: what it does, and how footer, help and palette call it."""

from textual.binding import Binding


def key(
    keys: str, action: str, description: str, tooltip: str, name: str, *, show: bool = False, display: str = ""
) -> Binding:
    """A binding with all that is told of it.

    `name` names it for good (people remap keys by it), `description` is what the footer has room for, `tooltip` is the
    sentence of the help page, and `display` is how the keys are written if not by their own names.
    """
    return Binding(keys, action, description, show=show, key_display=display or None, tooltip=tooltip, id=name)
