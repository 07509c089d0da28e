"""Letters: nothing that users or requests bring makes another header or another recipient."""

import pytest

from beszel_hub.mail.letter import Letter, compose, read_address

NOW_MS = 1_700_000_000_000


def written(recipient: str = "uma@example.org", subject: str = "hello", text: str = "body\n") -> bytes:
    letter = Letter(recipient=recipient, subject=subject, text=text)
    return compose(letter, sender="Hub <hub@example.org>", message_id="<1@example.org>", now_ms=NOW_MS).as_bytes()


def test_a_letter_has_the_headers_of_one() -> None:
    text = written().decode()
    assert text.startswith("From: Hub <hub@example.org>\r\nTo: uma@example.org\r\nSubject: hello\r\n")
    assert "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n" in text
    assert "Message-ID: <1@example.org>\r\n" in text
    assert "Auto-Submitted: auto-generated\r\n" in text
    assert text.endswith("\r\n\r\nbody\r\n")


@pytest.mark.parametrize("subject", ["a\r\nBcc: eve@example.org", "a\nBcc: eve@example.org", "a\x00\x1b[2J\r\n\r\nb"])
def test_a_subject_makes_no_header(subject: str) -> None:
    head = written(subject=subject).partition(b"\r\n\r\n")[0].decode()
    assert not [line for line in head.split("\r\n") if line.lower().startswith("bcc")]
    assert "\x1b" not in head


@pytest.mark.parametrize(
    "address",
    [
        "", "uma", "@example.org", "uma@", "uma@example.org\r\nBcc: eve@example.org", "uma@example.org\x00",
        "a b@example.org", "uma@exa mple.org", "uma,eve@example.org", "<uma@example.org>, eve",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is no e-mail address"):
        compose(Letter(recipient=address, subject="", text=""), sender="hub@example.org", message_id="", now_ms=0)


def test_domains_in_other_letters_are_written_in_punycode() -> None:
    assert read_address("uma@bücher.example").domain == "xn--bcher-kva.example"
    assert b"To: uma@xn--bcher-kva.example\r\n" in written("uma@bücher.example")


def test_text_in_other_letters_arrives() -> None:
    assert b'charset="utf-8"' in written(text="Grüße\n")
