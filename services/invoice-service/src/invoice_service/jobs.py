"""What runs by the calendar or when woken."""

from datetime import timedelta

from council_common.service.jobs import Job

from invoice_service.intake.invoice_imports.processing import PROCESS_IMPORTS, ImportJob

JOBS: tuple[Job, ...] = (Job(PROCESS_IMPORTS, ImportJob().run, every=timedelta(seconds=5)),)
