"""What runs on the hosts, as last seen: their containers, and the questions about one that only its agent answers."""
