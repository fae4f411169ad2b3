"""Approved runs are issued slice by slice."""

from council_common.long_work.turns import job_of

from debt_service.recovery.dunning_runs.issuing import ISSUE_NOTICES

JOBS = (job_of(ISSUE_NOTICES),)
