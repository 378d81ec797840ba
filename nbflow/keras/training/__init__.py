"""Training of models: data, compiled losses and metrics, loops."""
