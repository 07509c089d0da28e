"""Takes over what an existing Beszel has: users, systems, tokens, the key and statistics of its data directory."""
