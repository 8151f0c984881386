"""The configuration that the manual shows, with its secret files and the appliances that it names."""

import shlex
from pathlib import Path
from typing import Any

from tests.support.command_line import PASSWORD, CommandLine, Run, write_private
from tests.support.documents import blocks, text_of

USER = "svc-backup@vsphere.local"
HOSTS = ("vc01.example.com", "vc02.example.com", "lab.example.com")


class DocumentedSetup:
    """The configuration and secret files of ``help configuration`` below ``folder``, and its three appliances."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        secrets = {"vcenter": PASSWORD, "vc01": PASSWORD, "location": "x", "backup": "VMw@re123"}
        for name, secret in secrets.items():
            self.write(f"{name}.password", secret)
        (toml,) = blocks(text_of("configuration"), "toml")
        self.write("pass", f"#!/bin/sh\ncat {folder}/vcenter.password\n")
        (folder / "pass").chmod(0o700)
        self.write("config.toml", toml.replace("/etc/backupctl", str(folder)))
        self.environ = {
            "PATH": f"{folder}:/usr/bin:/bin",
            "BACKUPCTL_CONFIG": str(folder / "config.toml"),
            "BACKUPCTL_PATH_FOR": f"sftp://backup.example.com={folder}",
        }
        appliances: dict[str, dict[str, Any]] = dict.fromkeys(HOSTS, options)
        self.run = CommandLine(environ=self.environ, others=appliances, username=USER, **options)

    def write(self, name: str, text: str) -> None:
        write_private(self.folder / name, text)

    def run_line(self, line: str, **options: Any) -> Run:
        """Run a command line of the manual, without the program's name; a user that it names has a variable."""
        if " -u " in line:  # the password of the file is not for that user
            options.setdefault("environ", self.environ | {"BACKUPCTL_PASSWORD": PASSWORD})
        for path in ("/etc/backupctl", "/var/lib/prometheus/node-exporter"):
            line = line.replace(path, str(self.folder))
        return self.run(*shlex.split(line.replace("%i", "production")), **options)

    def targets(self) -> dict[str, list[Any]]:
        """Return the backup requests of each appliance."""
        return {host: [job.spec for job in appliance.jobs] for host, appliance in self.run.others.items()}

    def assert_production_is_backed_up(self) -> None:
        for host, targets in self.targets().items():
            assert len(targets) == (0 if host.startswith("lab") else 1)
            for target in targets:
                assert target.encrypted
                assert target.location == f"sftp://backup.example.com/vcenter/{host.partition('.')[0]}"
