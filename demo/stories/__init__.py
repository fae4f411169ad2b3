"""The month's stories; a story that is played again adds nothing."""
