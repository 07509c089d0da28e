"""`beszel-tui local`: a private hub and an agent for this machine, as processes of their own."""
