"""Checks of other services from this host: defined at the hub, told in samples; not loaded while there are none."""
