"""What one transaction does with a request: rules decide, stores write, and everyone concerned is told."""
