"""Screens: each a file and its style sheet. A screen's handlers live in the screen."""
