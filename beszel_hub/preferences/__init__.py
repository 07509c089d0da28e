"""What users keep at the hub for their clients: one document each."""
