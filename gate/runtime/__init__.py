"""Output streams that never block, and the threads that carry out blocking calls."""
