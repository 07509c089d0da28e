"""Widgets: wiring between Textual and `renderables`. They are told what to show and tell what happened."""
