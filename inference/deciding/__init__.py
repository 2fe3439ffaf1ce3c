"""From logits to a frozen decision: calibration, operating point, and the figures at it."""
