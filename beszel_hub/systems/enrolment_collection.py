"""What agents enrol with, as records: `fingerprints` as Beszel's clients know them, and a user's `universal_tokens`."""

from typing import Final

from beszel_hub.clock import Clock
from beszel_hub.errors import BadRequest, NotFound, invalid_field
from beszel_hub.permissions import Actor
from beszel_hub.records.registry import CREATED, ID, UPDATED, Change, Collection, Field, Kind, Row, TableSource
from beszel_hub.store.secrets import Secret
from beszel_hub.systems import queries, tokens, universal
from beszel_hub.systems.service import Systems
from beszel_hub.systems.tables import AgentBinding, AgentToken, Fingerprint
from beszel_protocol.handshake import token_id

FINGERPRINTS_ID: Final = "pbc_3663931638"
"""As Beszel's clients know it."""

_TOKEN: Final = Field(
    name="token", attribute="sealed", in_create=True, in_update=True, min_length=tokens.MIN_TOKEN_LENGTH,
    max_length=tokens.MAX_TOKEN_LENGTH, is_opaque=True,
)  # fmt: skip
_TOKEN_ID: Final = Field(name="tokenId", attribute="token_id")
"""What an agent shows of its token; also needed to unseal it."""


def make_fingerprints_collection(secret: Secret, clock: Clock, systems: Systems) -> Collection:
    """The token and the agent of each system. Writing an empty token makes a new one, an empty fingerprint forgets."""

    async def on_change(_: Change) -> None:
        await systems.refresh()

    source = FingerprintsSource(secret, clock)
    return Collection(
        name="fingerprints", id=FINGERPRINTS_ID, on_change=on_change,
        fields=(
            ID,
            Field(
                name="system", attribute="system_id", kind=Kind.RELATION, target="systems", in_create=True,
                is_required=True,
            ),
            _TOKEN,
            _TOKEN_ID,
            Field(name="fingerprint", in_update=True),
            CREATED,
            UPDATED,
        ),
        show=lambda actor, row: _show_token(secret, actor, row),
        source=TableSource(
            table=Fingerprint, scope=lambda actor: queries.visible_to(actor, Fingerprint.system_id),
            create=source.create, update=source.update, delete=source.delete,
        ),
    )  # fmt: skip


def make_universal_tokens_collection(secret: Secret, clock: Clock) -> Collection:
    """One's own open universal tokens. Without `expires` a new one is permanent."""

    def create(actor: Actor, values: Row) -> str:
        if actor.system_ids is not None:
            raise BadRequest
        now_ms, expires_ms = clock(), values.get("expires")
        if expires_ms and expires_ms <= now_ms:
            raise invalid_field("expires", "validation_invalid_date", "This lies in the past.")
        text = universal.issue(
            secret, actor.user_id or "", now_ms, token=values.get("token") or "", expires_ms=expires_ms
        )
        return str(AgentToken.get(AgentToken.token_id == token_id(text)).id)

    return Collection(
        name="universal_tokens", id="universal_tokens",
        fields=(
            ID,
            Field(name="user", attribute="owner_id", kind=Kind.RELATION, target="users"),
            _TOKEN,
            _TOKEN_ID,
            Field(name="expires", kind=Kind.DATE, in_create=True),
            CREATED,
        ),
        show=lambda actor, row: _show_token(secret, actor, row),
        source=TableSource(
            table=AgentToken, scope=lambda actor: queries.visible_universal_tokens(actor, clock()), create=create,
            delete=lambda _, row_id: universal.close(row_id, clock()),
        ),
    )  # fmt: skip


class FingerprintsSource:
    """Writes what a request asked for; every method runs inside `Database.write`."""

    def __init__(self, secret: Secret, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    def create(self, actor: Actor, values: Row) -> str:
        """Give a system that has neither token nor agent its first token."""
        system_id = str(values["system"])
        if not queries.is_visible(actor, system_id):
            raise invalid_field("system", "validation_missing_rel_records", "There is no such record.")
        if Fingerprint.get_or_none(Fingerprint.id == system_id) is not None:
            raise invalid_field("system", "validation_not_unique", "This system has a fingerprint record.")
        tokens.issue_system_token(self._secret, system_id, self._clock(), values.get("token") or "")
        return system_id

    def update(self, _: Actor, system_id: str, values: Row) -> None:
        row = Fingerprint.get_or_none(Fingerprint.id == system_id)
        if row is None:
            raise NotFound
        if "token" in values and not self._is_present(row, values["token"]):
            tokens.issue_system_token(self._secret, system_id, self._clock(), values["token"])
        fingerprint = values.get("fingerprint", row.fingerprint)
        if fingerprint not in {"", row.fingerprint}:
            raise invalid_field("fingerprint", "validation_not_allowed", "Only an agent can say what its own is.")
        if not fingerprint:
            AgentBinding.delete().where(AgentBinding.system_id == system_id).execute()

    def delete(self, _: Actor, system_id: str) -> None:
        """No agent of this system gets in any more, until it is given another token."""
        AgentToken.delete().where(AgentToken.system_id == system_id).execute()
        AgentBinding.delete().where(AgentBinding.system_id == system_id).execute()

    def _is_present(self, row: Fingerprint, token: str) -> bool:
        """Clients send whole records back, so the token may be there to stay as it is."""
        return bool(token) and token_id(token) == row.token_id


def _show_token(secret: Secret, actor: Actor, row: Row) -> Row:
    """Readers see that there is a token, not the token."""
    may_write = actor.role in {"admin", "user"} and actor.scope != "read"
    sealed = row["token"] if may_write else None
    return {**row, "token": "" if sealed is None else tokens.unseal(secret, row["tokenId"], sealed) or ""}
