"""What can be done at the hub: a name for each route, and five for each collection of records."""

import enum


class Verb(enum.StrEnum):
    """What the records API does with a collection."""

    LIST = "list"
    VIEW = "view"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Action(enum.StrEnum):
    """One a route, five a collection."""

    HEALTH = "health"
    AUTH_METHODS = "auth.methods"
    AUTH_WITH_PASSWORD = "auth.with_password"  # noqa: S105  # the name of an action
    AUTH_WITH_OTP = "auth.with_otp"
    AUTH_WITH_OAUTH2 = "auth.with_oauth2"
    REQUEST_OTP = "auth.request_otp"
    REQUEST_PASSWORD_RESET = "auth.request_password_reset"  # noqa: S105
    CONFIRM_PASSWORD_RESET = "auth.confirm_password_reset"  # noqa: S105
    AUTH_REFRESH = "auth.refresh"
    OAUTH2_REDIRECT = "auth.oauth2_redirect"
    RESET_PAGE = "auth.reset_page"
    LOG_OUT = "auth.log_out"
    UNIVERSAL_TOKEN = "universal_token"  # noqa: S105
    CONFIG_YAML = "config_yaml"
    INFO = "info"
    TEST_NOTIFICATION = "notifications.test"
    HEARTBEAT_STATUS = "heartbeat.status"
    TEST_HEARTBEAT = "heartbeat.test"
    JOBS = "jobs"
    UPDATE = "update"
    FIRST_RUN = "first_run"
    CREATE_FIRST_USER = "create_first_user"
    SERIES = "series"
    EXPORT = "export"
    EXPOSITION = "exposition"
    TRAFFIC = "traffic"
    TOP = "top"
    FORECAST = "forecast"
    FEED = "feed"
    REALTIME = "realtime"
    REALTIME_METRICS = "realtime.metrics"
    CONTAINER_LOGS = "container.logs"
    CONTAINER_INSPECT = "container.inspect"
    PROCESSES = "processes"
    SERVICE_DETAIL = "service.detail"
    SMART_REFRESH = "smart.refresh"
    AGENT_CONNECT = "agent.connect"
    USER_ALERTS = "user_alerts"
    ACKNOWLEDGE = "acknowledge"
    ALERT_TARGETS = "alert_targets"

    USERS_LIST = "users.list"
    USERS_VIEW = "users.view"
    USERS_CREATE = "users.create"
    USERS_UPDATE = "users.update"
    USERS_DELETE = "users.delete"

    API_TOKENS_LIST = "api_tokens.list"
    API_TOKENS_VIEW = "api_tokens.view"
    API_TOKENS_CREATE = "api_tokens.create"
    API_TOKENS_UPDATE = "api_tokens.update"
    API_TOKENS_DELETE = "api_tokens.delete"

    SUPERUSERS_LIST = "_superusers.list"
    SUPERUSERS_VIEW = "_superusers.view"
    SUPERUSERS_CREATE = "_superusers.create"
    SUPERUSERS_UPDATE = "_superusers.update"
    SUPERUSERS_DELETE = "_superusers.delete"

    SESSIONS_LIST = "sessions.list"
    SESSIONS_VIEW = "sessions.view"
    SESSIONS_CREATE = "sessions.create"
    SESSIONS_UPDATE = "sessions.update"
    SESSIONS_DELETE = "sessions.delete"

    EXTERNAL_AUTHS_LIST = "_externalAuths.list"
    EXTERNAL_AUTHS_VIEW = "_externalAuths.view"
    EXTERNAL_AUTHS_CREATE = "_externalAuths.create"
    EXTERNAL_AUTHS_UPDATE = "_externalAuths.update"
    EXTERNAL_AUTHS_DELETE = "_externalAuths.delete"

    TEAMS_LIST = "teams.list"
    TEAMS_VIEW = "teams.view"
    TEAMS_CREATE = "teams.create"
    TEAMS_UPDATE = "teams.update"
    TEAMS_DELETE = "teams.delete"

    FINGERPRINTS_LIST = "fingerprints.list"
    FINGERPRINTS_VIEW = "fingerprints.view"
    FINGERPRINTS_CREATE = "fingerprints.create"
    FINGERPRINTS_UPDATE = "fingerprints.update"
    FINGERPRINTS_DELETE = "fingerprints.delete"

    UNIVERSAL_TOKENS_LIST = "universal_tokens.list"
    UNIVERSAL_TOKENS_VIEW = "universal_tokens.view"
    UNIVERSAL_TOKENS_CREATE = "universal_tokens.create"
    UNIVERSAL_TOKENS_UPDATE = "universal_tokens.update"
    UNIVERSAL_TOKENS_DELETE = "universal_tokens.delete"

    AUDIT_LOG_LIST = "audit_log.list"
    AUDIT_LOG_VIEW = "audit_log.view"
    AUDIT_LOG_CREATE = "audit_log.create"
    AUDIT_LOG_UPDATE = "audit_log.update"
    AUDIT_LOG_DELETE = "audit_log.delete"

    SYSTEMS_LIST = "systems.list"
    SYSTEMS_VIEW = "systems.view"
    SYSTEMS_CREATE = "systems.create"
    SYSTEMS_UPDATE = "systems.update"
    SYSTEMS_DELETE = "systems.delete"

    SYSTEM_DETAILS_LIST = "system_details.list"
    SYSTEM_DETAILS_VIEW = "system_details.view"
    SYSTEM_DETAILS_CREATE = "system_details.create"
    SYSTEM_DETAILS_UPDATE = "system_details.update"
    SYSTEM_DETAILS_DELETE = "system_details.delete"

    USER_SETTINGS_LIST = "user_settings.list"
    USER_SETTINGS_VIEW = "user_settings.view"
    USER_SETTINGS_CREATE = "user_settings.create"
    USER_SETTINGS_UPDATE = "user_settings.update"
    USER_SETTINGS_DELETE = "user_settings.delete"

    SMART_DEVICES_LIST = "smart_devices.list"
    SMART_DEVICES_VIEW = "smart_devices.view"
    SMART_DEVICES_CREATE = "smart_devices.create"
    SMART_DEVICES_UPDATE = "smart_devices.update"
    SMART_DEVICES_DELETE = "smart_devices.delete"

    SYSTEMD_SERVICES_LIST = "systemd_services.list"
    SYSTEMD_SERVICES_VIEW = "systemd_services.view"
    SYSTEMD_SERVICES_CREATE = "systemd_services.create"
    SYSTEMD_SERVICES_UPDATE = "systemd_services.update"
    SYSTEMD_SERVICES_DELETE = "systemd_services.delete"

    CHECKS_LIST = "checks.list"
    CHECKS_VIEW = "checks.view"
    CHECKS_CREATE = "checks.create"
    CHECKS_UPDATE = "checks.update"
    CHECKS_DELETE = "checks.delete"

    NOTIFICATION_CHANNELS_LIST = "notification_channels.list"
    NOTIFICATION_CHANNELS_VIEW = "notification_channels.view"
    NOTIFICATION_CHANNELS_CREATE = "notification_channels.create"
    NOTIFICATION_CHANNELS_UPDATE = "notification_channels.update"
    NOTIFICATION_CHANNELS_DELETE = "notification_channels.delete"

    NOTIFICATION_DELIVERIES_LIST = "notification_deliveries.list"
    NOTIFICATION_DELIVERIES_VIEW = "notification_deliveries.view"
    NOTIFICATION_DELIVERIES_CREATE = "notification_deliveries.create"
    NOTIFICATION_DELIVERIES_UPDATE = "notification_deliveries.update"
    NOTIFICATION_DELIVERIES_DELETE = "notification_deliveries.delete"

    METRICS_LIST = "metrics.list"
    METRICS_VIEW = "metrics.view"
    METRICS_CREATE = "metrics.create"
    METRICS_UPDATE = "metrics.update"
    METRICS_DELETE = "metrics.delete"

    ALERT_RULES_LIST = "alert_rules.list"
    ALERT_RULES_VIEW = "alert_rules.view"
    ALERT_RULES_CREATE = "alert_rules.create"
    ALERT_RULES_UPDATE = "alert_rules.update"
    ALERT_RULES_DELETE = "alert_rules.delete"

    ALERTS_LIST = "alerts.list"
    ALERTS_VIEW = "alerts.view"
    ALERTS_CREATE = "alerts.create"
    ALERTS_UPDATE = "alerts.update"
    ALERTS_DELETE = "alerts.delete"

    ALERTS_HISTORY_LIST = "alerts_history.list"
    ALERTS_HISTORY_VIEW = "alerts_history.view"
    ALERTS_HISTORY_CREATE = "alerts_history.create"
    ALERTS_HISTORY_UPDATE = "alerts_history.update"
    ALERTS_HISTORY_DELETE = "alerts_history.delete"

    QUIET_HOURS_LIST = "quiet_hours.list"
    QUIET_HOURS_VIEW = "quiet_hours.view"
    QUIET_HOURS_CREATE = "quiet_hours.create"
    QUIET_HOURS_UPDATE = "quiet_hours.update"
    QUIET_HOURS_DELETE = "quiet_hours.delete"

    SYSTEM_STATS_LIST = "system_stats.list"
    SYSTEM_STATS_VIEW = "system_stats.view"
    SYSTEM_STATS_CREATE = "system_stats.create"
    SYSTEM_STATS_UPDATE = "system_stats.update"
    SYSTEM_STATS_DELETE = "system_stats.delete"
    CONTAINERS_LIST = "containers.list"
    CONTAINERS_VIEW = "containers.view"
    CONTAINERS_CREATE = "containers.create"
    CONTAINERS_UPDATE = "containers.update"
    CONTAINERS_DELETE = "containers.delete"

    CONTAINER_STATS_LIST = "container_stats.list"
    CONTAINER_STATS_VIEW = "container_stats.view"
    CONTAINER_STATS_CREATE = "container_stats.create"
    CONTAINER_STATS_UPDATE = "container_stats.update"
    CONTAINER_STATS_DELETE = "container_stats.delete"

    EVENTS_LIST = "events.list"
    EVENTS_VIEW = "events.view"
    EVENTS_CREATE = "events.create"
    EVENTS_UPDATE = "events.update"
    EVENTS_DELETE = "events.delete"

    @classmethod
    def of(cls, collection: str, verb: Verb) -> "Action":
        """The action of a collection; raise ValueError if the table has no such row."""
        return cls(f"{collection}.{verb}")
