"""Who is written to: asked of the services that own suppliers and customers, never kept here."""
