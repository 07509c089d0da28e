"""Readers of GPUs, one a way of reading them."""
