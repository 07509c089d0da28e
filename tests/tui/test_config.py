from pathlib import Path

import pytest

from beszel_protocol.units import ByteFamily
from beszel_tui.config import Flags, find_paths, load_settings, normalize_hub
from beszel_tui.errors import ConfigError


def environment(home: Path, **values: str) -> dict[str, str]:
    return {"HOME": str(home), "LANG": "C.UTF-8", **values}


def write_config(home: Path, text: str) -> None:
    folder = home / ".config" / "beszel-tui"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(text)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://hub.example.net/", "https://hub.example.net"),
        ("hub.example.net", "https://hub.example.net"),
        ("hub.example.net:8090", "https://hub.example.net:8090"),
        ("localhost:8090", "http://localhost:8090"),
        ("127.0.0.1:8090", "http://127.0.0.1:8090"),
        ("http://hub/sub/path/", "http://hub/sub/path"),
        (" http://hub ", "http://hub"),
    ],
)
def test_addresses_of_hubs(given: str, expected: str) -> None:
    assert normalize_hub(given) == expected


@pytest.mark.parametrize(
    "given", ["", "ftp://hub", "http://", "http://hub?x=1", "http://u:p@hub", "http://hub:port", "http://[::1"]
)
def test_what_is_no_address(given: str) -> None:
    with pytest.raises(ConfigError, match="not the address of a hub"):
        normalize_hub(given)


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    write_config(tmp_path, 'profile = "a"\ntheme = "paper"\n[profiles.a]\nhub = "https://a.example"\n')
    assert load_settings(Flags(), environment(tmp_path)).hub == "https://a.example"
    assert load_settings(Flags(), environment(tmp_path)).theme == "paper"
    given = environment(tmp_path, BESZEL_HUB="https://b.example", BESZEL_THEME="contrast")
    assert load_settings(Flags(), given).hub == "https://b.example"
    assert load_settings(Flags(), given).theme == "contrast"
    flags = Flags(hub="https://c.example", theme="midnight")
    assert load_settings(flags, given).hub == "https://c.example"
    assert load_settings(flags, given).theme == "midnight"


def test_a_token_of_one_hub_is_not_sent_to_another(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret\n")
    write_config(tmp_path, f'profile = "a"\n[profiles.a]\nhub = "https://a.example"\ntoken_file = "{token}"\n')
    assert load_settings(Flags(), environment(tmp_path)).token == "secret"
    assert load_settings(Flags(hub="https://b.example"), environment(tmp_path)).token is None
    assert load_settings(Flags(), environment(tmp_path, BESZEL_HUB="https://b.example")).token is None
    assert load_settings(Flags(hub="https://a.example/"), environment(tmp_path)).token == "secret"


def test_where_tokens_come_from(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("one\n")
    second.write_text("two\n")
    given = environment(tmp_path, BESZEL_TOKEN_FILE=str(first))
    assert load_settings(Flags(), given).token == "one"
    assert load_settings(Flags(token_file=str(second)), given).token == "two"
    assert load_settings(Flags(), {**given, "BESZEL_TOKEN": " three "}).token == "three"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_token_file_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="the token file"):
        load_settings(Flags(token_file=str(path)), environment(tmp_path))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("theme = 5", "theme"),
        ("colour = 'x'", "colour"),
        ("[thresholds]\nwarning = -1", "warning"),
        ("symbols = 'runes'", "symbols"),
        ("not toml", "config.toml"),
    ],
)
def test_a_config_file_with_a_mistake_is_named(tmp_path: Path, text: str, says: str) -> None:
    write_config(tmp_path, text)
    with pytest.raises(ConfigError, match=says):
        load_settings(Flags(), environment(tmp_path))


def test_an_unknown_profile_names_the_known(tmp_path: Path) -> None:
    write_config(tmp_path, '[profiles.a]\nhub = "https://a.example"\n')
    with pytest.raises(ConfigError, match=r"no profile 'b'.*there: a"):
        load_settings(Flags(profile="b"), environment(tmp_path))


def test_units_thresholds_and_symbols(tmp_path: Path) -> None:
    write_config(tmp_path, 'rates = "bits"\ndegrees = "fahrenheit"\nsymbols = "block"\n[thresholds]\nwarning = 50\n')
    settings = load_settings(Flags(), environment(tmp_path))
    assert settings.looks.rates is ByteFamily.BITS
    assert settings.looks.units.fahrenheit
    assert settings.thresholds == (50, 90)
    assert settings.looks.symbols == "block"
    with pytest.raises(ConfigError, match="braille, block or ascii"):
        load_settings(Flags(symbols="runes"), environment(tmp_path))


@pytest.mark.parametrize(
    ("locale", "symbols"), [("C", "ascii"), ("POSIX", "ascii"), ("C.UTF-8", "braille"), ("de_DE.UTF-8", "braille")]
)
def test_symbols_follow_the_locale(tmp_path: Path, locale: str, symbols: str) -> None:
    assert load_settings(Flags(), {"HOME": str(tmp_path), "LC_ALL": locale}).looks.symbols == symbols


def test_folders_follow_the_xdg_rules(tmp_path: Path) -> None:
    paths = find_paths({"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "s"), "XDG_CONFIG_HOME": "relative"})
    assert paths.local == tmp_path / "s" / "beszel-tui" / "local"
    assert paths.config_file == tmp_path / ".config" / "beszel-tui" / "config.toml"
