"""A run as work to be done: devices and processes, chunks, files that are whole or absent, and what was kept."""
