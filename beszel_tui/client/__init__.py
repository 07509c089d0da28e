"""The hub's public API as the client uses it: HTTP, the feed, the stored session. No Textual."""
