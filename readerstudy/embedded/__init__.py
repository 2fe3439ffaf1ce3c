"""PostgreSQL and the broker as plain child processes on loopback: no administrator, no system service."""
