"""Images of a case from files or stored frames, and what a network reads of them; free of torch."""
