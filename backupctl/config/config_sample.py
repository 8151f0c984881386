"""The sample file that ``backupctl config init`` writes, with every key commented out."""

from typing import Final

SAMPLE: Final = """\
# Configuration of backupctl: https://toml.io. Take the "#" away from what you need.
#
# A value comes from the first of these that has one: option, environment, the table of the server, [defaults].
# No secret stands in this file: it only says where each one is.
# `backupctl config check` judges it, `backupctl config show` tells where each value comes from.

[defaults]

# Who logs in; a member of the SSO group SystemConfiguration.Administrators.
# username = "svc-backup@vsphere.local"

# Where the password of that user is: one of these.
# password-file = "/etc/backupctl/vcenter.password"          # chmod 600
# password-command = ["pass", "show", "vcenter/svc-backup"]  # no shell; one line of output
# password-env = "VCENTER_PASSWORD"                          # a variable
# password-credential = "vcenter"                            # LoadCredential= of a systemd unit
# password-keyring = "password"                              # `backupctl config set-secret password`

# Where backups go; {server} becomes the name of the server, {date} and {time} are those of the start.
# location = "sftp://backup.example.com/vcenter/{server}"
# location-type = "SFTP"          # only where the location is no URL
# location-user = "backup"
# location-password-file = "/etc/backupctl/location.password"
# location-password-command = ["pass", "show", "backup"]
# location-password-env = "LOCATION_PASSWORD"
# location-password-credential = "location"
# location-password-keyring = "location-password"

# The password that encrypts backups. It cannot be recovered: keep it elsewhere too.
# require-encryption = true       # refuse to make a backup without one
# backup-password-file = "/etc/backupctl/backup.password"
# backup-password-command = ["pass", "show", "vcenter/backup"]
# backup-password-env = "BACKUP_PASSWORD"
# backup-password-credential = "backup"
# backup-password-keyring = "backup-password"

# What is backed up: without parts, what the appliance selects by default.
# parts = ["common", "seat"]
# comment = "nightly"
# fast-backup = true              # 7.0U2 and later

# How a backup is followed.
# preflight = true                # check first what `validate` checks
# timeout = "6h"                  # stop waiting; the backup goes on
# stall-timeout = "2h"            # stop waiting after this time without any sign of life
# interval = "30s"                # ask this often, instead of at the pace of the job
# if-running = "wait"             # fail, wait or attach, when another backup runs
# cancel-on-interrupt = false     # on Ctrl-C
# parallel = 16                   # backups at once, 0 for no limit

# How the appliances are reached.
# ca-file = "/etc/backupctl/vcenter-ca.pem"
# proxy = "http://proxy.example.com:3128"   # or "none"; one with a password: BACKUPCTL_PROXY
# auth = "session"                # or basic
# api = "auto"                    # or rest, api

# For `backupctl restore create`, where the password of the SSO administrator is.
# sso-password-file = "/etc/backupctl/sso.password"
# sso-password-command = ["pass", "show", "vcenter/sso"]
# sso-password-env = "SSO_PASSWORD"
# sso-password-credential = "sso"
# sso-password-keyring = "sso-password"

# A table for each appliance: its address, and whatever is different from the defaults.
# [servers.vc01]
# host = "vc01.example.com"       # HOST, HOST:PORT or a URL

# [servers.vc02]
# host = "vc02.example.com"
# fingerprint = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"   # `backupctl trust pin`
# read-only = true                # refuse everything that changes this appliance

# Groups, for `backupctl create -g production`.
# [groups]
# production = ["vc01", "vc02"]
"""
