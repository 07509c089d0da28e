"""What every request passes: limits, headers, who asks, and the one place that shapes refusals."""
