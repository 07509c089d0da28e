"""Users' settings, and the components of hosts that are told seldom."""

from typing import Final

STATEMENTS: Final = (
    """
    CREATE TABLE user_settings (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
        settings TEXT NOT NULL,
        created BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    """
    CREATE TABLE smart_devices (
        id TEXT NOT NULL PRIMARY KEY,
        system_id TEXT NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        model TEXT NOT NULL,
        state TEXT NOT NULL,
        capacity BIGINT,
        temp REAL,
        firmware TEXT NOT NULL,
        serial TEXT NOT NULL,
        type TEXT NOT NULL,
        hours BIGINT,
        cycles BIGINT,
        attributes TEXT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    "CREATE INDEX smart_devices_system ON smart_devices (system_id)",
    """
    CREATE TABLE systemd_services (
        id TEXT NOT NULL PRIMARY KEY,
        system_id TEXT NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        state INTEGER NOT NULL,
        sub INTEGER NOT NULL,
        cpu REAL NOT NULL,
        cpu_peak REAL NOT NULL,
        memory BIGINT NOT NULL,
        mem_peak BIGINT NOT NULL,
        updated BIGINT NOT NULL
    )
    """,
    "CREATE INDEX systemd_services_system ON systemd_services (system_id)",
)
