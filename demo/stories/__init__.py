"""The month's stories, each told to the platform in a way that may be told again and adds nothing."""
