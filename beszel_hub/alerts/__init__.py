"""Alerts: rules over what systems tell, the engine that watches them, quiet hours, and what has happened."""
