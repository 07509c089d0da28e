"""What something is for, in forms: all systems, one, those with a tag, or those that are marked."""

from collections.abc import Sequence
from typing import Final

from beszel_tui.errors import FormError, RequestError
from beszel_tui.state.alerts import AlertView
from beszel_tui.state.form import FormField, Record, Values, required
from beszel_tui.state.request import find_system
from beszel_tui.state.selectors import natural_key

_KINDS: Final = (("all", "all systems, also later ones"), ("system", "one system"), ("tag", "systems with a tag"))


def scope_fields(view: AlertView, marked: Sequence[str] = ()) -> tuple[FormField, ...]:
    names = tuple(sorted((row.name for row in view.state.systems.values()), key=natural_key))
    tags = tuple(sorted({tag for row in view.state.systems.values() for tag in row.tags or ()}, key=natural_key))
    several = (("marked", f"the {len(marked)} marked systems"),) if len(marked) > 1 else ()
    return (
        FormField("scope", "For", (*several, *_KINDS)),
        FormField("system", "System", hint="web-1", suggestions=names, is_shown=lambda v: v["scope"] == "system"),
        FormField("tag", "Tag", hint="prod", suggestions=tags, is_shown=lambda v: v["scope"] == "tag"),
    )


def scope_values(view: AlertView, system: str, tag: str, marked: Sequence[str] = ()) -> dict[str, str]:
    if len(marked) > 1:
        return {"scope": "marked", "system": "", "tag": ""}
    system = system or (marked[0] if marked else "")
    kind = "system" if system else "tag" if tag else "all"
    return {"scope": kind, "system": view.system_name(system) if system else "", "tag": tag}


def read_scope(values: Values, view: AlertView, marked: Sequence[str] = ()) -> list[Record]:
    """The fields that say so, of each record to be made. Raises `FormError`."""
    if values["scope"] == "marked":
        return [{"system": system_id, "tag": ""} for system_id in marked]
    if values["scope"] == "tag":
        return [{"system": "", "tag": required(values, "tag", "which tag?", most=100)}]
    if values["scope"] == "system":
        return [{"system": read_system(required(values, "system", "which system?"), view, "system"), "tag": ""}]
    return [{"system": "", "tag": ""}]


def read_system(name: str, view: AlertView, field: str) -> str:
    """The id of the system of that name. Raises `FormError`."""
    try:
        return find_system(view.state.systems.values(), name).id
    except RequestError as error:
        raise FormError(field, str(error)) from error
