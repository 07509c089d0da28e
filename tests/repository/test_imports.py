"""What no program of the suite does with data from outside: revive objects of any class from it, or run it as code."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = ("beszel_agent", "beszel_hub", "beszel_protocol", "beszel_tui")
REVIVING = frozenset({"_pickle", "cloudpickle", "dill", "jsonpickle", "marshal", "pickle", "shelve"})
RUNNING = frozenset({"compile", "eval", "exec"})
YAML_LOADERS = frozenset({"full_load", "load", "load_all", "unsafe_load", "unsafe_load_all"})


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_program_revives_objects_or_runs_texts(program: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / program).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Call) and _is_dangerous(node)
    ]
    assert not found


def _is_dangerous(node: ast.Import | ast.ImportFrom | ast.Call) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] in REVIVING for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] in REVIVING
    called = node.func
    if isinstance(called, ast.Name) and called.id in RUNNING:
        return True
    is_yaml = isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "yaml"
    if isinstance(called, ast.Attribute) and is_yaml and called.attr in YAML_LOADERS:
        return not any(keyword.arg == "Loader" and "Safe" in ast.unparse(keyword.value) for keyword in node.keywords)
    return any(keyword.arg == "shell" for keyword in node.keywords)


@pytest.mark.parametrize(
    ("text", "is_dangerous"),
    [
        ("import pickle", True), ("from marshal import loads", True), ("eval(x)", True), ("yaml.load(x)", True),
        ("yaml.load(x, Loader=yaml.CSafeLoader)", False), ("run(x, shell=True)", True), ("re.compile(x)", False),
        ("yaml.safe_load(x)", False), ("import json", False),
    ],
)  # fmt: skip
def test_what_counts(text: str, is_dangerous: bool) -> None:
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom | ast.Call)]
    assert any(map(_is_dangerous, nodes)) is is_dangerous
