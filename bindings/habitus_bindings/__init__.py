"""The engine in other tongues. One module per tongue; none imports another."""
