"""The database: one writer thread, a few readers, numbered migrations, and the hub's secret."""
