"""Backups: one file with all that a hub on a data directory needs, made beside the running hub, and put back."""
