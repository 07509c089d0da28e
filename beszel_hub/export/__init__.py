"""History and the newest readings in other programs' formats: CSV, JSON lines, Parquet, OpenMetrics, Prometheus."""
