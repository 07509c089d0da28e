"""The agent: reads its host and streams what it reads to a hub."""
