"""E-mail addresses that a mail server has refused: nobody is written to there until an officer says so."""
