"""Imports are worked through one slice after the other."""

from council_common.long_work.turns import job_of

from invoice_service.intake.invoice_imports.importing import IMPORT_INVOICES

JOBS = (job_of(IMPORT_INVOICES),)
