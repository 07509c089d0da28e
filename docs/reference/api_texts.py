"""What the page of the API says beside what the code knows: a sentence a route and a collection, and bodies to try."""

from typing import Any, Final

ROUTES: Final[dict[tuple[str, str], str]] = {
    ("GET", "/"): "The web view.",
    ("GET", "/system/{id}"): "The web view with that system opened: where the links of messages lead.",
    ("GET", "/api/health"): "Whether the hub and its database are well.",
    ("GET", "/api/beszel/first-run"): "Whether the first user is still to be made.",
    ("POST", "/api/beszel/create-user"): "Makes the first user, an administrator, while there is none.",
    ("GET", "/api/beszel/info"): "The hub's public key, for `KEY` of agents, and its version.",
    ("GET", "/api/beszel/getkey"): "The same, by its older name.",
    ("GET", "/api/beszel/processes"): "What runs on a host now: `system`, `by` (`cpu`, `memory`, `io`), `limit`.",
    ("GET", "/api/beszel/systemd/info"): "What a service's manager knows of it: `system`, `service`.",
    ("POST", "/api/beszel/smart/refresh"): "Has a host read the health of its disks now: `system`.",
    ("GET", "/api/beszel/containers/logs"): "What a container wrote: `system`, `container`, `tail`, `since`, `follow`.",
    ("GET", "/api/beszel/containers/info"): "How a container is configured: `system`, `container`.",
    ("GET", "/api/beszel/update"): "The newest version and its page, if `CHECK_UPDATES` is set.",
    ("GET", "/api/beszel/series"): "The numbers behind a chart.",
    (
        "GET",
        "/api/beszel/export",
    ): "[A file of history](../export.md): `format`, `system`, `metric`, `from`, `to` …",
    ("GET", "/api/beszel/metrics"): "The newest readings, [for Prometheus](../export.md) to scrape.",
    ("GET", "/api/beszel/traffic"): "What a system sent and received, by month.",
    ("GET", "/api/beszel/top"): "The systems that had the most of a series.",
    ("GET", "/api/beszel/forecast"): "When a series reaches a limit, such as a disk its size.",
    ("GET", "/api/beszel/feed"): "WebSocket: [the live feed](../protocol.md).",
    ("GET", "/api/beszel/agent-connect"): "WebSocket: where agents connect.",
    ("GET", "/api/beszel/config-yaml"): "All systems in the form of `config.yml`.",
    ("GET", "/api/beszel/universal-token"): "One's own universal token; `enable=1` or `0` makes or ends it.",
    ("POST", "/api/beszel/user-alerts"): "Makes alerts of one of Beszel's kinds: `name`, `value`, `min`, `systems`.",
    ("DELETE", "/api/beszel/user-alerts"): "Deletes alerts of one of Beszel's kinds: `name`, `systems`.",
    ("POST", "/api/beszel/alerts/acknowledge"): "Says that somebody looks after an alert: `id` of its history.",
    ("GET", "/api/beszel/alerts-yaml"): "The rules for everybody in the form of `alerts.yml`, for administrators.",
    ("GET", "/api/beszel/alerts/targets"): "What rules can watch, with label and unit.",
    ("GET", "/api/beszel/alerts/templates"): "Sets of rules that the hub has ready.",
    ("POST", "/api/beszel/alerts/templates"): "Makes the rules of one: `template`, `system` or `tag`, `user`.",
    ("POST", "/api/beszel/alerts/test"): "Tries a rule on the past of a `system`: `rule` or `draft`, `since_seconds`.",
    ("GET", "/api/beszel/store"): "What the database takes, by tier and by system, for administrators.",
    ("GET", "/api/backups"): "[Backups](../guide/backups.md) there are: `key`, `size`, `modified`, `restoring`.",
    ("POST", "/api/backups"): "Makes one, `name` or nothing, and answers once it is complete.",
    ("GET", "/api/backups/{key}"): "The file, by a login or by `?token=` of `/api/files/token`.",
    ("DELETE", "/api/backups/{key}"): "Deletes it; takes back a restore of it.",
    ("POST", "/api/backups/{key}/restore"): "Checks it; the next start of the hub puts it back.",
    ("POST", "/api/files/token"): "A `token` of three minutes for downloads.",
    ("POST", "/api/beszel/log-out"): "Ends logins.",
    ("GET", "/api/realtime"): "The event stream (SSE).",
    ("POST", "/api/realtime"): "What a client of the event stream hears: `clientId`, `subscriptions`.",
    ("POST", "/api/batch"): "Several writes in one transaction.",
    ("GET", "/api/collections/{collection}/records"): "A page of records.",
    ("POST", "/api/collections/{collection}/records"): "Creates a record.",
    ("GET", "/api/collections/{collection}/records/{id}"): "One record.",
    ("PATCH", "/api/collections/{collection}/records/{id}"): "Changes the fields that the body has.",
    ("DELETE", "/api/collections/{collection}/records/{id}"): "Removes a record.",
}
OF_LOGINS: Final[dict[str, str]] = {
    "auth-methods": "How one can log in.",
    "auth-with-password": "`identity`, `password` → `token`, `record`.",
    "auth-refresh": "A new token for the one that is shown.",
    "request-otp": "Sends a code by mail.",
    "auth-with-otp": "`otpId`, `password` (the code) → `token`, `record`.",
    "auth-with-oauth2": "Logs in with what an identity provider answered.",
    "request-password-reset": "Sends a mail with a token for a new password.",
    "request-verification": "Sends a new user, who waits for that, a mail with a token: `email`.",
    "confirm-verification": "`token`: the address is theirs, and they may log in.",
    "request-email-change": "Sends a mail with a token to one's own new address: `newEmail`.",
    "confirm-email-change": "`token`, `password`: takes that address, which ends every login.",
    "confirm-password-reset": "`token`, `password`, `passwordConfirm`: sets a new password.",
}

COLLECTIONS: Final[dict[str, str]] = {
    "users": "People. Everybody sees and changes themselves, administrators everybody.",
    "_superusers": "Administrators, under the name that PocketBase has for them.",
    "api_tokens": "Long-lived tokens for programs; the text is shown once, when one is made.",
    "sessions": "One's logins; deleting one ends it.",
    "_externalAuths": "Who one is at identity providers; deleting one unlinks it.",
    "systems": "Monitored hosts.",
    "system_details": "What a host is; `id` is that of the system.",
    "teams": "Users who are members of every system with one of the team's tags.",
    "fingerprints": "What agents enrol with, and which host a system is bound to.",
    "universal_tokens": "Tokens by which any new agent becomes a system of their owner.",
    "smart_devices": "Disks and what they say of their health, as last told.",
    "systemd_services": "Services as last told; `state` and `sub` are Beszel's numbers.",
    "user_settings": "A document of one's own for clients; its `emails` and `webhooks` are channels.",
    "notification_channels": "Where notifications go; `url` goes in and never out.",
    "notification_deliveries": "What channels were told, what waits, and what was given up and why.",
    "audit_log": "Who changed what, only ever added to.",
    "checks": "What agents try from where they are: HTTP, TCP, ping, DNS.",
    "alert_rules": "[Rules of alerts](../guide/alerts.md): one's own, and those for everybody (`user` is empty).",
    "alerts": "One's own rules of the kinds that Beszel knows, one a system and kind.",
    "alerts_history": "What fired, of one's own rules and of those for everybody; `alert_id` is the rule.",
    "quiet_hours": "When one wants to hear nothing.",
    "containers": "Containers as last seen.",
    "container_stats": "What containers used, in Beszel's short keys.",
    "events": "What happened on hosts.",
    "system_stats": "What hosts used, in Beszel's short keys, at its tiers.",
    "metrics": (
        "Stored samples, one record for each part; the last hour unless the filter says otherwise. `resolution = 60`, "
        "`600` or `28800` lists buckets of so many seconds instead: the numbers of a sample as they are kept of the "
        "interval."
    ),
}

EXAMPLES: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "users": (
        {"email": "new@example.org", "password": "a long password", "role": "user"},
        {"role": "readonly"},
    ),
    "systems": (
        {"name": "web-1", "host": "192.0.2.1", "port": "45876", "tags": ["prod"]},
        {"status": "paused"},
    ),
    "teams": ({"name": "databases", "tags": ["db"]}, {"tags": ["db", "cache"]}),
    "notification_channels": (
        {"name": "mail", "kind": "email", "url": "me@example.org", "severity": "warning"},
        {"repeat": 3600, "enabled": False},
    ),
    "user_settings": ({"settings": {"chartTime": "1h"}}, {"settings": {"chartTime": "24h"}}),
}
"""Bodies for a create and an update; the id is chosen by the page."""

ROUTE_LINES: Final = r"""
curl -sf "$HUB/api/health"

curl -sf "$HUB/api/beszel/first-run"

curl -sf "$HUB/api/beszel/info" -H "Authorization: $TOKEN"

curl -sf "$HUB/api/collections/users/auth-methods"

curl -sf "$HUB/api/collections/users/auth-refresh" -H "Authorization: $TOKEN" -X POST

curl -sf "$HUB/api/beszel/series?system=$SYSTEM&metric=cpu.usage_percent&points=60" -H "Authorization: $TOKEN"

curl -sf "$HUB/api/beszel/export?system=$SYSTEM&metric=cpu.usage_percent&format=csv" -H "Authorization: $TOKEN"

curl -sf "$HUB/api/beszel/metrics" -H "Authorization: $TOKEN"

curl -sf "$HUB/api/beszel/store" -H "Authorization: $TOKEN"

curl -sf "$HUB/api/backups" -H "Authorization: $TOKEN" --json '{"name": "example.zip"}' -w '%{http_code}\n'
curl -sf "$HUB/api/backups" -H "Authorization: $TOKEN"
curl -sf "$HUB/api/backups/example.zip" -H "Authorization: $TOKEN" -o example.zip && rm example.zip
curl -sf "$HUB/api/backups/example.zip/restore" -H "Authorization: $TOKEN" -X POST
curl -sf "$HUB/api/backups/example.zip" -H "Authorization: $TOKEN" -X DELETE

curl -sf "$HUB/api/files/token" -H "Authorization: $TOKEN" -X POST

curl -sfG "$HUB/api/collections/systems/records" -H "Authorization: $TOKEN" \
  --data-urlencode "filter=status != 'paused' && users.id ?= '$USER_ID'" \
  -d sort=-created,name -d fields=id,name,status

curl -sfG "$HUB/api/collections/metrics/records" -H "Authorization: $TOKEN" \
  --data-urlencode "filter=system = '$SYSTEM' && type = 'cpu' && timestamp > '2026-01-01'" -d perPage=1

curl -sf "$HUB/api/batch" -H "Authorization: $TOKEN" --json '{"requests": [
  {"method": "POST", "url": "/api/collections/systems/records", "body": {"id": "examplebatch001", "name": "nas"}},
  {"method": "DELETE", "url": "/api/collections/systems/records/examplebatch001"}]}'

curl -sfN -m 1 "$HUB/api/realtime" || [ $? = 28 ]  # stays open
"""
"""Lines to copy, one block each."""
