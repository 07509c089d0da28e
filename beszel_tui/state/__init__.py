"""What the client knows, and how it changes: values and pure functions. No I/O, no widgets."""
