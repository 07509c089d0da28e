"""Metrics: validated ingest, raw history with retention, latest values, and the queries over them."""
