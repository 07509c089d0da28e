"""What runs on the host, read from `/proc/<pid>`."""
