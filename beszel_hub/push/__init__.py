"""Samples sent on, as they come, to databases that people already run: Prometheus remote-write, InfluxDB."""
