"""What may be said: templates in versions."""
