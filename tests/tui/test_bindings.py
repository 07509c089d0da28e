from beszel_tui.bindings.everywhere import COMMAND, HELP
from beszel_tui.bindings.groups import GROUPS
from beszel_tui.commands.line import COMMANDS


def test_every_binding_has_an_id_a_description_and_a_tooltip() -> None:
    bindings = [binding for group in (*GROUPS.values(), HELP, COMMAND) for binding in group]
    for binding in bindings:
        assert binding.id, binding
        assert binding.description, binding
        assert binding.tooltip, binding
    ids = [binding.id for binding in bindings]
    assert len(set(ids)) == len(ids)


def test_a_key_does_one_thing_on_a_screen() -> None:
    for group in GROUPS.values():
        keys = [key for binding in group for key in binding.key.split(",")]
        assert len(set(keys)) == len(keys)


def test_commands_are_sorted_and_explained() -> None:
    names = [command.name for command in COMMANDS]
    assert names == sorted(names)
    assert all(command.help for command in COMMANDS)
