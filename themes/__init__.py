"""Colours of the terminal client and the web view: one TOML a theme. Installed as `beszel_themes`."""
