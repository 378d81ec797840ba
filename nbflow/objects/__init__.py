"""Objects by name and by configuration: what Keras calls serialization."""
