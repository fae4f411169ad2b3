"""How a message leaves: by e-mail, or by letter through the print room."""
