"""Published results about self-consuming loops, each held against what the engine derives."""
