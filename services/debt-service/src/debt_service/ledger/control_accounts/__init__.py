"""The receivables control account against what receivables owe, and where they differ."""
