"""The hub: stores what agents send, decides who sees it, serves it. Headless."""
