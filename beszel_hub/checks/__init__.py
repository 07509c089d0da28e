"""Checks that agents make of other services: who defines them, and how each agent gets its own."""
