"""Systems: their records, who sees them, whether they are up, and the tokens by which agents enrol."""
