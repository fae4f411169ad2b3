"""The one rule of contact details: what is taken down is what a carrier will take (GOV.UK Notify's checks)."""
