"""Parameters of a request about history, read one by one; what is wrong with each is gathered by name. Pure."""

from collections.abc import Mapping, Sequence

from beszel_hub.errors import BadRequest, FieldError
from beszel_hub.records.dates import parse_date
from beszel_protocol.addresses import Address, InvalidAddress, parse_addresses
from beszel_protocol.timestamps import LATEST_MS

MAX_TEXT_LENGTH = 8192


class Parameters:
    """Of one request; ask for all, then `check`."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._errors: dict[str, FieldError] = {}

    def check(self, message: str) -> None:
        """Raise `BadRequest` if one of those asked for was wrong."""
        if self._errors:
            raise BadRequest(message, data=self._errors)

    @property
    def are_right(self) -> bool:
        """So far."""
        return not self._errors

    def refuse(self, name: str, code: str, message: str) -> None:
        self._errors[name] = FieldError(f"validation_{code}", message)

    def system(self) -> str:
        system_id = self._texts.get("system", "")
        if not system_id:
            self.refuse("system", "required", "Names the system.")
        return system_id

    def addresses(self, most: int) -> tuple[Address, ...]:
        """Of series that the catalogue knows."""
        text = self._texts.get("metric", "")
        if not text:
            self.refuse("metric", "required", "One or more addresses of series, such as cpu.usage_percent.")
            return ()
        if len(text) > MAX_TEXT_LENGTH:
            self.refuse("metric", "max_length", f"At most {MAX_TEXT_LENGTH} characters.")
            return ()
        try:
            addresses = tuple(dict.fromkeys(parse_addresses(text)))
        except InvalidAddress as error:
            self.refuse("metric", "invalid", f"{error}.")
            return ()
        unknown = [str(address) for address in addresses if address.metric is None]
        if unknown:
            self.refuse("metric", "unknown", f"There is no metric {unknown[0]!r}.")
        elif len(addresses) > most:
            self.refuse("metric", "max_items", f"At most {most} series at once.")
        return addresses

    def span(self, now_ms: int, usual_ms: int) -> tuple[int, int]:
        """`from` and `to`; the last `usual_ms` unless they say otherwise."""
        to_ms = self.instant("to", now_ms)
        from_ms = self.instant("from", to_ms - usual_ms)
        if from_ms >= to_ms and self.are_right:
            self.refuse("from", "invalid", "Must be before `to`.")
        return max(0, from_ms), to_ms

    def instant(self, name: str, default_ms: int) -> int:
        """Milliseconds since the epoch, RFC 3339, or PocketBase's form of a date."""
        text = self._texts.get(name, "").strip()
        if not text:
            return default_ms
        if text.isascii() and text.isdecimal() and len(text) > 8:
            if len(text) <= 15 and int(text) <= LATEST_MS:
                return int(text)
        else:
            try:
                return parse_date(text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text)
            except (ValueError, OverflowError):
                pass
        self.refuse(name, "invalid_date", "Milliseconds since 1970, or a date such as 2026-01-02T03:04:05Z.")
        return default_ms

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        text = self._texts.get(name, "")
        if not text:
            return default
        if text.isascii() and text.isdecimal() and len(text) <= 5 and low <= int(text) <= high:
            return int(text)
        self.refuse(name, "out_of_range", f"A whole number from {low} to {high}.")
        return default

    def number(self, name: str, default: float | None) -> float | None:
        text = self._texts.get(name, "")
        if not text:
            return default
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if len(text) <= 32 and abs(number) < 1e18:
            return number
        self.refuse(name, "invalid", "A number.")
        return default

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """One of the choices, the first if none is named."""
        text = self._texts.get(name, "") or choices[0]
        if text not in choices:
            self.refuse(name, "invalid", f"One of {', '.join(choices)}.")
            return choices[0]
        return text
