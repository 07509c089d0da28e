"""What the programs of beszel-suite say to each other: metrics, samples, messages, handshake, feed.

Nothing in here does I/O; signing, verifying, clocks and random bytes are arguments.
"""
