"""Channels, the outbox of what they are to be told, and what is planned to be told while an alert lasts."""

from typing import Final

STATEMENTS: Final = (
    """
    CREATE TABLE notification_channels (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        target BLOB NOT NULL,
        hint TEXT NOT NULL,
        template TEXT NOT NULL,
        min_severity TEXT NOT NULL,
        rules TEXT NOT NULL,
        systems TEXT NOT NULL,
        tags TEXT NOT NULL,
        is_enabled BOOLEAN NOT NULL,
        sends_recoveries BOOLEAN NOT NULL,
        escalate_after_seconds INTEGER NOT NULL,
        repeat_seconds INTEGER NOT NULL,
        group_seconds INTEGER NOT NULL,
        per_hour INTEGER NOT NULL,
        is_weekly BOOLEAN NOT NULL,
        is_from_settings BOOLEAN NOT NULL,
        last_sent BIGINT,
        last_error TEXT NOT NULL,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    "CREATE INDEX notification_channels_user ON notification_channels (user_id)",
    """
    CREATE TABLE notification_deliveries (
        id TEXT NOT NULL PRIMARY KEY,
        channel_id TEXT NOT NULL REFERENCES notification_channels (id) ON DELETE CASCADE,
        position BIGINT NOT NULL,
        transition_id TEXT NOT NULL,
        alert_id TEXT NOT NULL,
        system_id TEXT NOT NULL,
        status TEXT NOT NULL,
        step TEXT NOT NULL,
        message TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        due BIGINT NOT NULL,
        reason TEXT NOT NULL,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX notification_deliveries_once ON notification_deliveries (transition_id, channel_id)",
    "CREATE UNIQUE INDEX notification_deliveries_order ON notification_deliveries (channel_id, position)",
    "CREATE INDEX notification_deliveries_due ON notification_deliveries (status, due)",
    "CREATE INDEX notification_deliveries_channel ON notification_deliveries (channel_id, status, updated)",
    "CREATE INDEX notification_deliveries_alert ON notification_deliveries (alert_id)",
    "CREATE INDEX notification_deliveries_updated ON notification_deliveries (updated)",
    """
    CREATE TABLE notification_plans (
        alert_id TEXT NOT NULL,
        channel_id TEXT NOT NULL REFERENCES notification_channels (id) ON DELETE CASCADE,
        step TEXT NOT NULL,
        due BIGINT NOT NULL,
        told INTEGER NOT NULL,
        PRIMARY KEY (alert_id, channel_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX notification_plans_due ON notification_plans (due)",
)
