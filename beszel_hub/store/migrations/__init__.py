"""The schema's history: numbered modules, each frozen once it was released, in one explicit tuple.

A module has `STATEMENTS`: SQL that takes the schema from the number before to its own, in one transaction.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from beszel_hub.store.migrations import (
    m0001_accounts,
    m0002_systems,
    m0003_metrics,
    m0004_boots,
    m0005_checks,
    m0006_containers,
    m0007_tiers,
    m0008_preferences,
    m0009_access,
    m0011_alerts,
    m0012_notifications,
    m0013_images,
    m0014_subjects,
    m0015_names,
)
from beszel_hub.store.migrations.spelling import Spelled


class Migration(NamedTuple):
    number: int
    name: str
    statements: Sequence[str | Spelled]


MIGRATIONS: Final = (
    Migration(1, "accounts", m0001_accounts.STATEMENTS),
    Migration(2, "systems", m0002_systems.STATEMENTS),
    Migration(3, "metrics", m0003_metrics.STATEMENTS),
    Migration(4, "boots", m0004_boots.STATEMENTS),
    Migration(5, "checks", m0005_checks.STATEMENTS),
    Migration(6, "containers", m0006_containers.STATEMENTS),
    Migration(7, "tiers", m0007_tiers.STATEMENTS),
    Migration(8, "preferences", m0008_preferences.STATEMENTS),
    Migration(9, "access", m0009_access.STATEMENTS),
    Migration(11, "alerts", m0011_alerts.STATEMENTS),
    Migration(12, "notifications", m0012_notifications.STATEMENTS),
    Migration(13, "images", m0013_images.STATEMENTS),
    Migration(14, "subjects", m0014_subjects.STATEMENTS),
    Migration(15, "names", m0015_names.STATEMENTS),
)
