"""The ways through a loop, each a compiled step: sufficient statistics, counts of types, or the data themselves."""
