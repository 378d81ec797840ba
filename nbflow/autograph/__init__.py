"""AutoGraph: Python control flow over tensors becomes ops of the graph, from the source of the function."""
