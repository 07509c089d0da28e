"""URLs as Beszel's clients store them."""

import pytest

from beszel_hub.notifications.shoutrrr import translate
from beszel_hub.notifications.targets import read_any, read_target


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("discord://token@123", "discord://123/token"),
        ("discord://123/token", "discord://123/token"),
        ("slack://hook:AAA-BBB-CCC@webhook", "slack://AAA/BBB/CCC"),
        ("telegram://12:abc@telegram?chats=@chan,-100", "tgram://12:abc/chan/-100"),
        ("gotify://push.example.org/sub/token", "gotifys://push.example.org/sub/token"),
        ("gotify://10.0.0.2:8080/token?disabletls=yes", "gotify://10.0.0.2:8080/token"),
        ("ntfy://ntfy.sh/topic", "ntfys://ntfy.sh/topic"),
        ("ntfy://me:pa%20ss@ntfy.example.org:8443/t?scheme=http", "ntfy://me:pa%20ss@ntfy.example.org:8443/t"),
        ("pushover://shoutrrr:apitoken@userkey/?devices=a,b", "pover://userkey@apitoken/a/b"),
        ("mattermost://bot@chat.example.org/token/town", "mmosts://bot@chat.example.org/token?to=town"),
        ("matrix://u:p@m.example.org/?rooms=!a:b", "matrixs://u:p@m.example.org/%21a%3Ab"),
        ("googlechat://chat.googleapis.com/v1/spaces/S/messages?key=K&token=T", "gchat://S/K/T"),
        ("zulip://bot@x.org:key@org.zulipchat.com/?stream=ops&topic=t", "zulip://bot@org/key/ops?topic=t"),
        ("smtp://u:p@mail.example.org:587/?from=a@b.c&to=d@e.f", "mailtos://u:p@mail.example.org:587?to=d%40e.f&from=a%40b.c"),
        ("generic://hooks.example.org/in?x=1&template=json&@auth=2", "https://hooks.example.org/in?x=1"),
        ("generic+http://10.0.0.1:81/in", "http://10.0.0.1:81/in"),
        ("pagerduty://key@api", "pagerduty://key@api"),
        ("ntfys://ntfy.sh/topic", "ntfys://ntfy.sh/topic"),
    ],
)  # fmt: skip
def test_translation(theirs: str, ours: str) -> None:
    assert translate(theirs) == ours


def test_kinds_and_hints_show_no_secret() -> None:
    assert read_any("generic://h.example.org/secret")[::2] == ("webhook", "https://h.example.org/…")
    assert read_any("discord://secret@123")[::2] == ("apprise", "discord://…")
    assert read_target("webhook", "http://h.example.org:81/secret").hint == "http://h.example.org:81/…"
    assert read_target("email", "Me <me@example.org>").hint == "me@example.org"


@pytest.mark.parametrize(
    "text", ["logger://", "nonsense", "syslog://", "file:///etc/passwd", "x://a b", "json://" + "a" * 3000]
)
def test_what_is_nobodys_channel(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        read_any(text)


@pytest.mark.parametrize(
    "text", ["file:///etc/passwd", "https://user:pw@example.org/", "http://exa mple.org", "ftp://x.org"]
)
def test_what_is_no_web_page(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        read_target("webhook", text)


@pytest.mark.parametrize("text", ["x", "a@b.c\r\nBcc: d@e.f", "a@b.c, d@e.f", "<a@b.c>, <d@e.f>"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        read_target("email", text)
