"""Rules, where their alerts stand, what has happened, and when whom to leave in peace.

States and history reference neither rule nor system: either may have been deleted a moment before the engine writes.
"""

from typing import Final

STATEMENTS: Final = (
    """
    CREATE TABLE alert_rules (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
        system_id TEXT REFERENCES systems (id) ON DELETE CASCADE,
        tag TEXT,
        name TEXT NOT NULL,
        conditions TEXT NOT NULL,
        match TEXT NOT NULL,
        severity TEXT NOT NULL,
        enabled BOOLEAN NOT NULL,
        for_seconds INTEGER NOT NULL,
        recover_seconds INTEGER NOT NULL,
        repeat_seconds INTEGER NOT NULL,
        escalate_value REAL,
        escalate_seconds INTEGER NOT NULL,
        preset TEXT NOT NULL,
        preset_value REAL,
        preset_minutes INTEGER,
        origin TEXT NOT NULL CHECK (origin IN ('api', 'file')),
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX alert_rules_preset ON alert_rules (user_id, system_id, preset) WHERE preset <> ''",
    "CREATE UNIQUE INDEX alert_rules_file ON alert_rules (name) WHERE origin = 'file'",
    """
    CREATE TABLE alert_states (
        rule_id TEXT NOT NULL,
        system_id TEXT NOT NULL,
        target TEXT NOT NULL,
        phase TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (rule_id, system_id, target)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE alert_engine (
        id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
        alive BIGINT NOT NULL
    )
    """,
    """
    CREATE VIEW beszel_alerts AS
    SELECT id, user_id, system_id, preset AS name, coalesce(preset_value, 0) AS value, preset_minutes AS min,
        EXISTS (SELECT 1 FROM alert_states WHERE rule_id = alert_rules.id AND phase = 'firing') AS triggered,
        created, updated
    FROM alert_rules WHERE preset <> ''
    """,
    """
    CREATE TABLE alerts_history (
        id TEXT NOT NULL PRIMARY KEY,
        rule_id TEXT NOT NULL,
        user_id TEXT,
        system_id TEXT NOT NULL,
        name TEXT NOT NULL,
        target TEXT NOT NULL,
        severity TEXT NOT NULL,
        value REAL,
        peak REAL,
        threshold REAL,
        outcome TEXT NOT NULL,
        reason TEXT NOT NULL,
        acknowledged BIGINT,
        acknowledged_by TEXT,
        created BIGINT NOT NULL,
        resolved BIGINT
    )
    """,
    "CREATE INDEX alerts_history_created ON alerts_history (created)",
    "CREATE INDEX alerts_history_user ON alerts_history (user_id, created)",
    "CREATE INDEX alerts_history_system ON alerts_history (system_id)",
    """
    CREATE TABLE quiet_hours (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        system_id TEXT REFERENCES systems (id) ON DELETE CASCADE,
        rule_id TEXT REFERENCES alert_rules (id) ON DELETE CASCADE,
        tag TEXT,
        type TEXT NOT NULL CHECK (type IN ('one-time', 'daily', 'weekly')),
        start BIGINT NOT NULL,
        "end" BIGINT NOT NULL,
        timezone TEXT NOT NULL,
        days TEXT NOT NULL,
        note TEXT NOT NULL,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    "CREATE INDEX quiet_hours_user ON quiet_hours (user_id)",
    """
    CREATE TABLE alerts_held (
        id INTEGER NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        body TEXT NOT NULL,
        created BIGINT NOT NULL
    )
    """,
    "CREATE INDEX alerts_held_user ON alerts_held (user_id)",
)
