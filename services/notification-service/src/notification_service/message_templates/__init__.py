"""The words of messages: templates in versions."""
