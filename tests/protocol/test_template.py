"""Templates fill in declared fields and evaluate nothing."""

import msgspec
import pytest

from beszel_protocol.template import Value, check_json, check_text, fill_json, fill_text

VALUES: dict[str, Value] = {"text": '${system} {0.__class__} "quoted"', "value": 93.5, "system": "web", "peak": None}


def test_values_are_filled_in_once_and_never_looked_at_again() -> None:
    assert fill_text("$$ ${text} at ${value} ${peak}!", VALUES) == '$ ${system} {0.__class__} "quoted" at 93.5 !'


def test_a_value_in_json_stays_a_value() -> None:
    template = '{"a": "${text}", "n": "${value}", "none": "${peak}", "deep": [{"b": "on ${system}"}], "keep": 5}'
    assert msgspec.json.decode(fill_json(template, VALUES)) == {
        "a": VALUES["text"], "n": 93.5, "none": None, "deep": [{"b": "on web"}], "keep": 5,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["${nonsense}", "$text", "${text.__class__}", "${}", "costs 5$"])
def test_what_is_not_declared_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="field"):
        check_text(text)
    with pytest.raises(ValueError, match="field"):
        check_json(msgspec.json.encode({"a": [text]}).decode())


@pytest.mark.parametrize("text", ["{", "[" * 30 + "]" * 30, "[" * 5000, "plain"])
def test_a_body_that_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="JSON"):
        check_json(text)


def test_good_templates_pass() -> None:
    check_text("plain {braces} 100 % $$5 ${title}")
    check_json('{"text": "${text}", "blocks": [1, null, true]}')
