from rich.cells import cell_len

from beszel_tui.plain.grid import in_columns


def test_columns_are_as_wide_as_what_is_seen() -> None:
    text = in_columns([("NAME", "CPU"), ("漢字", "1%"), ("caf\u0301e", "2%"), ("a longer one", "3%")])
    assert [cell_len(line[: line.rindex(" ")]) for line in text.splitlines()] == [13, 13, 13, 13]
    assert in_columns([("a", ""), ("b", "c")]) == "a\nb  c\n"
