"""Disks and services of hosts as they were last told: parts of samples that come seldom."""
