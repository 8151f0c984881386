"""The sample file that ``backupctl config init`` writes, with every key commented out."""

from typing import Final

SAMPLE: Final = """\
# Configuration of backupctl: https://toml.io. Uncomment what you need.
#
# Precedence: option, environment variable, table of the server, [defaults].
# This file contains no secrets, only where to find them.
# `backupctl config check` checks it, `backupctl config show` shows where each value comes from.

[defaults]

# The vCenter user, a member of the SSO group SystemConfiguration.Administrators.
# username = "svc-backup@vsphere.local"

# Its password comes from one of these.
# password-file = "/etc/backupctl/vcenter.password"          # chmod 600
# password-command = ["pass", "show", "vcenter/svc-backup"]  # no shell; one line of output
# password-env = "VCENTER_PASSWORD"                          # a variable
# password-credential = "vcenter"                            # LoadCredential= of a systemd unit
# password-keyring = "password"                              # `backupctl config set-secret password`

# The backup location. {server} becomes the server's name, {date} and {time} the start of the backup.
# location = "sftp://backup.example.com/vcenter/{server}"
# location-type = "SFTP"          # only if the location is not a URL
# location-user = "backup"
# location-password-file = "/etc/backupctl/location.password"
# location-password-command = ["pass", "show", "backup"]
# location-password-env = "LOCATION_PASSWORD"
# location-password-credential = "location"
# location-password-keyring = "location-password"

# The password that encrypts backups. It cannot be recovered: keep it elsewhere too.
# require-encryption = true       # do not start a backup without one
# backup-password-file = "/etc/backupctl/backup.password"
# backup-password-command = ["pass", "show", "vcenter/backup"]
# backup-password-env = "BACKUP_PASSWORD"
# backup-password-credential = "backup"
# backup-password-keyring = "backup-password"

# What to back up. Without parts, vCenter selects its default parts.
# parts = ["common", "seat"]
# comment = "nightly"
# fast-backup = true              # 7.0U2 and later

# How to follow a backup.
# preflight = true                # run the checks of `validate` first
# timeout = "6h"                  # stop waiting; the backup keeps running
# stall-timeout = "2h"            # stop waiting after this time without progress
# interval = "30s"                # polling interval (default: adaptive)
# if-running = "wait"             # fail, wait or attach if another backup is running
# cancel-on-interrupt = false     # on Ctrl-C
# parallel = 16                   # backups at once, 0 for no limit

# How to connect to the appliances.
# ca-file = "/etc/backupctl/vcenter-ca.pem"
# proxy = "http://proxy.example.com:3128"   # or "none"; with a password: BACKUPCTL_PROXY
# auth = "session"                # or basic
# api = "auto"                    # or rest, api

# The password of the SSO administrator, for `backupctl restore create`.
# sso-password-file = "/etc/backupctl/sso.password"
# sso-password-command = ["pass", "show", "vcenter/sso"]
# sso-password-env = "SSO_PASSWORD"
# sso-password-credential = "sso"
# sso-password-keyring = "sso-password"

# A table for each appliance: its address, and what differs from the defaults.
# [servers.vc01]
# host = "vc01.example.com"       # HOST, HOST:PORT or a URL

# [servers.vc02]
# host = "vc02.example.com"
# fingerprint = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"   # `backupctl trust pin`
# read-only = true                # do not change this appliance

# Groups, for `backupctl create -g production`.
# [groups]
# production = ["vc01", "vc02"]
"""
