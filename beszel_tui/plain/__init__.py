"""For scripts, pipes and screen readers: what the screens show, line after line, without a screen."""
