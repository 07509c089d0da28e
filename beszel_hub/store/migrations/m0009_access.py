"""Logins that can be listed and ended, ways in without a password, teams, enrolment records, and the audit log."""

from typing import Final

from beszel_hub.store.migrations.spelling import Spelled

STATEMENTS: Final = (
    """
    CREATE TABLE sessions (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        method TEXT NOT NULL,
        address TEXT NOT NULL,
        agent TEXT NOT NULL,
        expires BIGINT NOT NULL,
        last_used BIGINT NOT NULL,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    "CREATE INDEX sessions_user ON sessions (user_id, last_used)",
    "CREATE INDEX sessions_expires ON sessions (expires)",
    """
    CREATE TABLE identities (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        provider TEXT NOT NULL,
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX identities_subject ON identities (issuer, subject)",
    "CREATE INDEX identities_user ON identities (user_id)",
    """
    CREATE TABLE login_codes (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        kind TEXT NOT NULL CHECK (kind IN ('otp', 'mfa')),
        method TEXT NOT NULL,
        digest BLOB NOT NULL,
        attempts INTEGER NOT NULL,
        expires BIGINT NOT NULL
    )
    """,
    "CREATE INDEX login_codes_user ON login_codes (user_id)",
    "CREATE INDEX login_codes_expires ON login_codes (expires)",
    """
    CREATE TABLE teams (
        id TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        tags TEXT NOT NULL,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX teams_name ON teams (lower(name))",
    """
    CREATE TABLE team_members (
        team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        PRIMARY KEY (team_id, user_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX team_members_user ON team_members (user_id)",
    # What tags give to teams, worked out whenever a tag or a team changes: lists of systems need no JSON then.
    """
    CREATE TABLE team_systems (
        team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
        system_id TEXT NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
        PRIMARY KEY (team_id, system_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX team_systems_system ON team_systems (system_id)",
    # One record a system that has a token or an agent, as Beszel's clients know it; the id is the system's.
    """
    CREATE VIEW fingerprints AS
    SELECT systems.id AS id, systems.id AS system_id, agent_tokens.token_id AS token_id, agent_tokens.sealed AS sealed,
        coalesce(agent_bindings.fingerprint, '') AS fingerprint,
        coalesce(agent_tokens.created, agent_bindings.enrolled) AS created,
        CASE WHEN agent_bindings.enrolled > coalesce(agent_tokens.created, 0)
            THEN agent_bindings.enrolled ELSE agent_tokens.created END AS updated
    FROM systems
    LEFT JOIN agent_tokens ON agent_tokens.system_id = systems.id
    LEFT JOIN agent_bindings ON agent_bindings.system_id = systems.id
    WHERE agent_tokens.id IS NOT NULL OR agent_bindings.system_id IS NOT NULL
    """,
    """
    CREATE TABLE audit_log (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL,
        user_name TEXT NOT NULL,
        session_id TEXT NOT NULL,
        token_id TEXT NOT NULL,
        address TEXT NOT NULL,
        action TEXT NOT NULL,
        collection TEXT NOT NULL,
        record_id TEXT NOT NULL,
        changes TEXT NOT NULL,
        created BIGINT NOT NULL
    )
    """,
    "CREATE INDEX audit_log_created ON audit_log (created)",
    Spelled(
        sqlite=(
            """
            CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE ON audit_log
            BEGIN SELECT RAISE(ABORT, 'the audit log is only ever added to'); END
            """,
        ),
        postgresql=(
            """
            CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE integrity_constraint_violation USING MESSAGE = 'the audit log is only ever added to';
            END $$
            """,
            """
            CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE ON audit_log
            FOR EACH ROW EXECUTE FUNCTION refuse_change()
            """,
        ),
    ),
)
