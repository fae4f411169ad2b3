"""What the books show people: computed when asked, never stored."""
