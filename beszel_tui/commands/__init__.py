"""The command line and the palette: other ways to the actions that keys have."""
