"""The skew of a group: how far apart the backups of linked appliances started."""

from collections.abc import Iterable
from typing import Final

from backupctl.results.job import Job

LINKED_WINDOW_SECONDS: Final = 300
"""All vCenters of an SSO domain must start within five minutes, so that a restore finds them consistent.

Source: https://docs.vmware.com/en/VMware-Cloud-Foundation/4.5/vcf-admin/GUID-6DC07576-9C53-40F6-9A8B-7E89A1F5DCFD.html.
"""


def skew_seconds(jobs: Iterable[Job | None]) -> int | None:
    """Return the seconds between the first and the last start, None if fewer than two are known.

    Each start is a time of its appliance, so clocks that differ count too.
    """
    starts = [job.start_time for job in jobs if job is not None and job.start_time is not None]
    return int((max(starts) - min(starts)).total_seconds()) if len(starts) > 1 else None
