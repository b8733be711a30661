"""What the data path knows of each family: how points are drawn, how a model is fitted to them, what is recorded."""
