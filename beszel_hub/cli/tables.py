"""Every table of the database, those that others refer to first. Views are none, nor is the list of migrations."""

from typing import Final

from beszel_hub.accounts.tables import ApiToken, Identity, LoginCode, Session, User
from beszel_hub.alerts.tables import EngineRow, HeldRow, HistoryRow, QuietRow, RuleRow, StateRow
from beszel_hub.audit.tables import AuditEntry
from beszel_hub.checks.tables import CheckRow, ConfigurationRow
from beszel_hub.components.tables import SmartDevice, SystemdService
from beszel_hub.images.tables import ImageDigestRow
from beszel_hub.inventory.tables import ContainerRow
from beszel_hub.metrics.tables import (
    ChunkRow,
    Happening,
    HistoryFloor,
    HistoryRemoval,
    HotSample,
    RollupDue,
    RollupRow,
    SpoolRow,
)
from beszel_hub.notifications.tables import ChannelRow, DeliveryRow, PlanRow
from beszel_hub.preferences.tables import UserSettings
from beszel_hub.store.tables import Table
from beszel_hub.systems.tables import (
    AgentBinding,
    AgentToken,
    DetailsRow,
    Membership,
    SystemRow,
    Team,
    TeamMember,
    TeamSystem,
)

TABLES: Final[tuple[type[Table], ...]] = (
    User,
    ApiToken,
    Session,
    Identity,
    LoginCode,
    UserSettings,
    SystemRow,
    Membership,
    DetailsRow,
    AgentToken,
    AgentBinding,
    Team,
    TeamMember,
    TeamSystem,
    CheckRow,
    ConfigurationRow,
    SmartDevice,
    SystemdService,
    ContainerRow,
    ImageDigestRow,
    RuleRow,
    StateRow,
    EngineRow,
    HistoryRow,
    QuietRow,
    HeldRow,
    ChannelRow,
    DeliveryRow,
    PlanRow,
    AuditEntry,
    SpoolRow,
    Happening,
    HistoryFloor,
    HistoryRemoval,
    RollupDue,
    HotSample,
    RollupRow,
    ChunkRow,
)
