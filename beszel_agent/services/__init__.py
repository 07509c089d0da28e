"""Services of the host, as their manager tells them: systemd over D-Bus, OpenRC by its files."""
