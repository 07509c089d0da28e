"""The filter grammar: text in, checked tree out.

    expression = term { ("&&" | "||") term }          "&&" binds tighter
    term       = "(" expression ")" | operand operator operand
    operator   = [ "?" ] ( "=" | "!=" | ">" | ">=" | "<" | "<=" | "~" | "!~" )
    operand    = path | number | quoted text | "true" | "false" | "null" | macro

Everything that does not fit, or is too much, is a `BadRequest` (400).
"""

from typing import Final

from beszel_hub.errors import BadRequest
from beszel_hub.records.lexer import END, Token, tokenize
from beszel_hub.records.like import parse_pattern
from beszel_hub.records.literals import Raw, coerce, parse_number, read_word
from beszel_hub.records.nodes import Comparison, Group, Literal, Node, Operand, Operator, Path
from beszel_hub.records.paths import Resolver
from beszel_hub.records.registry import Kind

MAX_LENGTH: Final = 3500
MAX_COMPARISONS: Final = 200
MAX_DEPTH: Final = 16
"""Of parentheses; SQLite's parser has room for about 30."""

_MIRRORED: Final = {
    Operator.GREATER: Operator.LESS,
    Operator.GREATER_EQUAL: Operator.LESS_EQUAL,
    Operator.LESS: Operator.GREATER,
    Operator.LESS_EQUAL: Operator.GREATER_EQUAL,
}
_LIKE: Final = frozenset({Operator.LIKE, Operator.NOT_LIKE})
_ID_KINDS: Final = frozenset({Kind.RELATION, Kind.RELATIONS, Kind.LIST})


def parse_filter(text: str, resolver: Resolver, now_ms: int) -> Node | None:
    """The tree, or None for an empty filter; raise `BadRequest` if it is not valid."""
    if len(text) > MAX_LENGTH:
        raise BadRequest(f"A filter has at most {MAX_LENGTH} characters.")
    if not text.strip():
        return None
    parser = _Parser(tokenize(text), resolver, now_ms)
    node = parser.parse_expression(0)
    parser.expect(END)
    return node


class _Parser:
    def __init__(self, tokens: list[Token], resolver: Resolver, now_ms: int) -> None:
        self._tokens = tokens
        self._position = 0
        self._resolver = resolver
        self._now_ms = now_ms
        self._comparisons = 0

    def expect(self, kind: str) -> Token:
        token = self._tokens[self._position]
        if token.kind != kind:
            raise BadRequest(f"The filter is not understood at character {token.position + 1}.")
        self._position += 1
        return token

    def parse_expression(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise BadRequest(f"A filter nests at most {MAX_DEPTH} parentheses.")
        alternatives = [[self._parse_term(depth)]]
        while self._tokens[self._position].kind == "join":
            join = self.expect("join")
            term = self._parse_term(depth)
            if join.text == "&&":
                alternatives[-1].append(term)
            else:
                alternatives.append([term])
        return _group([_group(members, is_all=True) for members in alternatives], is_all=False)

    def _parse_term(self, depth: int) -> Node:
        if self._tokens[self._position].kind == "open":
            self.expect("open")
            node = self.parse_expression(depth + 1)
            self.expect("close")
            return node
        return self._parse_comparison()

    def _parse_comparison(self) -> Comparison:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise BadRequest(f"A filter has at most {MAX_COMPARISONS} expressions.")
        left = self._parse_operand()
        operator = self.expect("operator").text
        right = self._parse_operand()
        return _check(left, Operator(operator.removeprefix("?")), right, any_of=operator.startswith("?"))

    def _parse_operand(self) -> "Path | _Written":
        token = self._tokens[self._position]
        if token.kind not in {"number", "text", "word"}:
            self.expect("operand")
        self._position += 1
        if token.kind == "text":
            return _Written(token.text, token.text)
        if token.kind == "number":
            return _Written(parse_number(token.text), token.text)
        is_value, value = read_word(token.text, self._now_ms)
        return _Written(value, None) if is_value else self._resolver.resolve(token.text)


class _Written:
    """A literal before it is known what it is compared with."""

    __slots__ = ("raw", "text")

    def __init__(self, raw: Raw, text: str | None) -> None:
        self.raw = raw
        self.text = text
        """As written, which is what a text field compares with; None for words."""

    def as_kind(self, kind: Kind) -> Literal:
        is_textual = kind in {Kind.TEXT, *_ID_KINDS}
        return Literal(self.text if is_textual and self.text is not None else coerce(self.raw, kind))

    def as_text(self) -> str:
        return self.text if self.text is not None else str(coerce(self.raw, Kind.TEXT) or "")


def _group(members: list[Node], *, is_all: bool) -> Node:
    return members[0] if len(members) == 1 else Group(members=tuple(members), is_all=is_all)


def _check(left: "Path | _Written", operator: Operator, right: "Path | _Written", *, any_of: bool) -> Comparison:
    if operator in _LIKE:
        return _check_like(left, operator, right, any_of=any_of)
    if isinstance(left, _Written) and isinstance(right, Path):
        left, right, operator = right, left, _MIRRORED.get(operator, operator)
    elif isinstance(left, Path) and isinstance(right, Path):
        if right.is_multiple:
            left, right, operator = right, left, _MIRRORED.get(operator, operator)
        _check_pair(left, right)
    kind = _kind_of(left)
    return Comparison(left=_operand(left, kind), operator=operator, right=_operand(right, kind), any_of=any_of)


def _check_like(left: "Path | _Written", operator: Operator, right: "Path | _Written", *, any_of: bool) -> Comparison:
    if isinstance(right, Path) and right.is_multiple:
        raise BadRequest("What has several values stands to the left of ~.")
    if isinstance(left, Path) and left.field.is_multiple and not left.relations:
        any_of = any_of or operator is Operator.LIKE  # `tags ~ 'x'` asks whether x is in the list
    pattern = parse_pattern(right.as_text()) if isinstance(right, _Written) else None
    return Comparison(
        left=_operand(left, Kind.TEXT), operator=operator, right=_operand(right, Kind.TEXT), any_of=any_of,
        pattern=pattern,
    )  # fmt: skip


def _check_pair(left: Path, right: Path) -> None:
    if right.is_multiple:
        raise BadRequest("Only one side of a comparison can have several values.")
    kinds = {_family(_kind_of(left)), _family(_kind_of(right))}
    if len(kinds) > 1 and Kind.JSON not in kinds:
        raise BadRequest(f"A {_kind_of(left)} cannot be compared with a {_kind_of(right)}.")


def _kind_of(operand: "Path | _Written") -> Kind:
    return operand.field.kind if isinstance(operand, Path) else Kind.JSON


def _family(kind: Kind) -> Kind:
    return Kind.TEXT if kind in _ID_KINDS else kind


def _operand(operand: "Path | _Written", kind: Kind) -> Operand:
    return operand if isinstance(operand, Path) else operand.as_kind(kind)
