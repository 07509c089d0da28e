"""The live feed: a broker with bounded queues, and the WebSocket that clients read it from."""
