"""The sentences that tests look for in messages, hints and output, each once: rewording one costs one line here.

An entry with ``{}`` is called with what stands there. An entry holds as much of the sentence as tells it from others.
Tests of behaviour assert exit codes, slugs and fields instead.
"""

# Values, wherever they come from

INVALID_DURATION = "invalid duration '{}'".format
DURATION_TOO_LONG = "duration '{}' is longer than ten years".format
DURATION_EXAMPLES = "use 90, 30s, 5m, 2h, 1d or 1h30m"
INVALID_CHOICE = "invalid value '{}'".format
INVALID_NUMBER_OF_ARCHIVES = "invalid number of archives '{}'".format
INVALID_NUMBER_OF_BACKUPS = "invalid number of backups '{}'".format
ZERO_MEANS_NO_LIMIT = "0 for no limit"
INVALID_DAY = "--day: invalid day '{}'\nhint: choose from {}, every".format
EVERY_WITH_OTHER_DAYS = "--day: every cannot be combined with other days"
ADD_DIRECT = "add --direct to read the backup server without the appliance"
INVALID_MOUNT_POINT = "invalid mount point '{}'".format
INVALID_SYSTEM = "invalid system '{}'".format
INVALID_PART = "invalid part name '{}'".format
COLON_IN_USER_NAME = "a user name cannot contain a colon"
CONTROL_CHARACTER_IN_COMMENT = "the comment contains a control character"
TIMEOUT_TOO_SHORT = "must be longer than 0s"
INTERVAL_TOO_SHORT = "interval must be at least 0.1 s"
MISSING_OPTION = "{} is missing".format
EMPTY_NAME = "the {} name is empty".format
CANNOT_BOTH_BE_GIVEN = "{} and {} cannot both be given".format
EXCLUDE_EACH_OTHER = "{} and {} exclude each other".format
UNKNOWN_VALUE = "{}: unknown value {}, which may match nothing".format
DID_YOU_MEAN = "did you mean {}?".format
WRITE_THE_WHOLE_PATH = "use an absolute path"
UNKNOWN_SIMULATOR_FAULT = "unknown simulator fault '{}'".format
NO_HELP = "no help on '{}'".format
OPTION_IN_FRONT_OF_A_COMMAND = "no such option before `backupctl {}`".format

# Metrics

NOT_A_PROM_FILE = "does not end in .prom"
NO_METRICS_OF_SCHEDULES = "no metrics of schedules: "

# Setting up

KEEP_A_COPY = "keep a copy elsewhere: without it nobody can restore"
NOTHING_WAS_WRITTEN = "Nothing was written."
PROXY_LOGIN_NOT_WRITTEN = "is not written to the file"
NIGHTLY_RUN_NOT_INSTALLED = "not installed; install what is shown above by hand ({})".format
FIX_THE_ERROR_ABOVE = "Fix the error above, then run it again"
NOT_WITH_THE_KEYRING = "not possible: the keyring is locked then"

# Server, proxy and certificate

BLANK_IN_SERVER = "the server contains a space"
INVALID_HOST_NAME = "invalid host name '{}'".format
SERVER_OVER_HTTP = "the server has an http:// URL"
CLEAR_TEXT = "clear text"
USE_USERNAME = "give the user with username and"
USER_IN_SERVER = "the server contains a user name"
NO_TLS = "{} has no TLS".format
INVALID_PROXY_SCHEME = "the proxy must be an http:// or https:// URL"
INVALID_PROXY_HOST = "the proxy has an invalid host name"
NO_PROXY_TO_LOOPBACK = "--proxy cannot be used for "
INVALID_FINGERPRINT = "invalid SHA-256 fingerprint: it does not have 64 hexadecimal digits"
FINGERPRINT_OF_ANOTHER_HASH = "is as long as a {} fingerprint".format
NOT_A_PEM_FILE = "not a PEM certificate file"
UNCHECKED_CERTIFICATE = "cannot pin a certificate without checking it"
INSECURE = "--insecure: certificates are not verified; anyone on the network can read the passwords"
PIN_INSTEAD_OF_INSECURE = "use `backupctl trust pin` instead of --insecure"
KEY_LOG_IN_USE = "SSLKEYLOGFILE: TLS keys are written to {}; anyone who reads it can read the passwords".format
NOT_A_ZIP_FILE = "is not a valid ZIP file"
CERTIFICATE_OF_OTHER_HOSTS = "the certificate is for {}, not for {}".format
CERTIFICATE_SIGNED_BY = "certificate signed by an unknown CA ({}".format
CERTIFICATE_SELF_SIGNED = "self-signed certificate ({}".format
DIFFERS_FROM_THE_GIVEN_FINGERPRINT = "differs from the given fingerprint"
PIN_NOT_PRESENTED = "does not present the pinned certificate"
CHECK_THE_CLOCK = "check the clock of this machine"
VERIFIED_BY_THE_SYSTEM = "must be signed by a CA in the system's CA store"
TRUSTED_BY_THE_SYSTEM = "the certificate is trusted by the system"
UNTRUSTED_BY_THE_SYSTEM = "the certificate is not trusted by the system"
PINNED_CERTIFICATE = "the certificate is pinned"
NOT_THE_PINNED_CERTIFICATE = ", and does not match the pin"
UNKNOWN_HOST_NAME = "cannot resolve the host name"
UNCONFIGURED_NAME = "{} is not configured".format
CHECK_SERVER_AND_NAME_RESOLUTION = "check the host name and DNS"
CONFIGURED_NAMES = "configured: "

# Linked appliances

STARTED_WITHIN = "started within {} of each other".format
STARTED_TOO_FAR_APART = "the backups started {} apart, not within {}".format

# Journal

OPEN_JOURNAL = "every user of this machine can change the journal"
UNREADABLE_JOURNAL = "the journal cannot be read: "
UNREADABLE_JOURNAL_LINES = "the journal has {}".format
NOT_IN_THE_JOURNAL = "this run is not in the journal: "

# Location

LOCATION_WITHOUT_TYPE = "cannot tell the protocol from the location"
ADD_LOCATION_TYPE = "or add location-type"
UNKNOWN_SCHEME = "the location has the unknown scheme {}".format
LOCATION_WITHOUT_HOST = "the location has no host"
UNKNOWN_PLACEHOLDER = "the location has an unknown placeholder {}".format
LOGIN_IN_LOCATION = "the location contains a user name or password"
USE_LOCATION_USER = "give the user with location-user and"
QUOTED_CONTROL_CHARACTER = "the location contains an encoded control character"
WRITE_HOST_AND_PORT = "use HOST or HOST:PORT"
WRITE_IPV6_IN_BRACKETS = "put an IPv6 address in brackets: [::1]"
LOCATION_TOO_LONG = "the location has {} characters, more than 4096".format
INVALID_LOCATION_TYPE = "invalid location type '{}'".format
LOCATION_OF_ANOTHER_TYPE = "the location type is {}, but the location starts with {}".format
STARTS_WITH_DASH = "{} must not start with '-'".format
SERVER_NAME_UNFIT_FOR_LOCATION = "the server name cannot be used in a location"
PASSWORD_OF_ANOTHER_HOST = "the location is on {}, but the password is for {}".format
LOCATION_PASSWORD_IN_THE_SAME_TABLE = "set location-password in the same table"
PASSWORD_SHOWN_TO_HOSTS = "{} is sent to {} and {}".format
LOCATION_PASSWORD_NOT_SET = "; password not set"
LOCATION_PASSWORD_WITHOUT_USER = "a location password needs a location user"
LOCATION_NOT_CHECKED = "backup location: not checked: its password is only in the schedule"

# Configuration file

NO_SUCH_TABLE = "unknown table"
NO_SUCH_KEY = "unknown key"
NO_SUCH_SERVER = "server '{}' not found".format
NO_SUCH_SERVER_IN_GROUP = "{}: unknown server".format
NO_SUCH_GROUP = "group '{}' not found".format
IS_A_GROUP = "'{}' is a group in {}".format
NO_SERVERS_CONFIGURED = "no servers are configured"
NOT_A_TABLE = "{} must be a table".format
KEY_OUTSIDE_OF_TABLES = "{} is outside of all tables".format
KEY_OF_ANOTHER_TABLE = "does not belong in this table"
SERVER_WITHOUT_HOST = "{} has no host".format
DOTS_IN_NAME = "a name with dots"
INVALID_CHARACTERS_IN_NAME = "invalid name '{}'".format
SAME_APPLIANCE = "{} and {} are the same appliance".format
NOT_A_STRING = "must be a string"
NOT_A_LIST_OF_STRINGS = "must be a list of strings"
NOT_A_LIST_OF_NAMES = "must be a list of names"
NOT_A_LIST_OF_WORDS = "must be a list of words"
NOT_A_BOOLEAN = "must be true or false"
NOT_A_VARIABLE_NAME = "must be a variable name"
EMPTY_KEY = "{} is empty".format
IN_QUOTES = "in quotes"
WITHOUT_QUOTES = "without quotes"
ADD_TABLE_OR_REMOVE_IT = "add [{}] or remove it".format
REMOVE_IT = "remove it"
KEEP_ONE = "keep one"
NEVER_FROM_A_FILE = "{} cannot be set in a file".format
NEVER_FROM_THE_ENVIRONMENT = "{} cannot be set in the environment".format
IGNORED_VARIABLE = "{} is ignored: ".format
NO_SUCH_SETTING = "unknown setting"
NOT_SET = "not set: backupctl prompts for it on a terminal and fails elsewhere"
NOT_TOML = "is not valid TOML"
NOT_A_TOML_FILE = "is not a valid TOML file"
NOT_UTF8 = "is not UTF-8 text"
CONFIGURATION_TOO_LARGE = "is larger than 4 MiB"
IS_IT_A_CONFIGURATION = "check the path"
SYSTEM_CONFIGURATION = "is the system's configuration file"
NAME_THE_FILE = "use --config {}".format
USER_CONFIGURATION = "user file"
REPLACED_KEY = "in place of {}".format
ALREADY_EXISTS = "{} already exists".format
NOT_A_REGULAR_FILE = "is a pipe or a device, not a file; save its content in a file"

# Files

UNREADABLE = "cannot be read"
READABLE_BY_OTHERS = "can be read by others"
WRITABLE_BY_OTHERS = "can be changed by others"
REPLACEABLE_BY_OTHERS = "can be replaced by others"
OTHER_OWNER = "belongs to another user (uid {})".format
IS_A_TERMINAL = "is a terminal"
PIPE_NOT_CLOSED_IN_TIME = "did not end in time"

# Secrets

SECRET_IN_CONFIGURATION = "secrets are not allowed in this file"
VARIABLE_NOT_SET = "the variable {} is not set".format
VARIABLE_EMPTY = "{} is set but empty".format
UNSET_EMPTY_VARIABLE = "unset it, or check the command that sets it"
CANNOT_BOTH_BE_SET = "{} and {} cannot both be set".format
CANNOT_BOTH_READ_STDIN = "{} and {} cannot both read standard input".format
UNSET_ALL_BUT_ONE = "unset all but one"
STDIN_ONLY_ON_COMMAND_LINE = "standard input works only on the command"
STDIN_EMPTY = "standard input is empty"
NO_CREDENTIAL = "systemd passed no credential '{}'".format
ADD_LOAD_CREDENTIAL = "add LoadCredential={} to the unit".format
ONLY_IN_A_UNIT = "only a systemd unit has credentials"
NO_KEYRING_ENTRY = "entry '{}' not found in the keyring".format
KEYRING_LOST_SECRET = "the keyring did not keep the secret"
KEYRING_TIMEOUT = "did not respond within {} seconds".format
KEYRING_NOT_ASKED_AGAIN = "not trying again"
KEYRING_BROKEN = "does not work ({})".format
INSTALL_KEYRING = "pip install keyring"
COMMAND_NOT_FOUND = "'{}' not found".format
COMMAND_CANNOT_RUN = "cannot be run"
COMMAND_FAILED = "failed with exit status {}".format
COMMAND_TIMEOUT = "timed out after {} seconds".format
SEVERAL_LINES = "more than one line"
BYTE_ORDER_MARK = "byte order mark"
OPTION_GIVES_ANOTHER_SECRET = "{} is not an option for the secret".format

# Backup password

PASSWORD_BREAKS_RULES = "the backup password does not meet vCenter's requirements"
PASSWORD_EMPTY = "the backup password is empty"
OMIT_FOR_NO_ENCRYPTION = "omit it for no encryption"
PASSWORD_CHARACTERS = "only ASCII letters, digits and symbols (no spaces, no accents)"
PASSWORD_NEEDS_A_DIGIT = "it needs a digit"
PASSWORDS_DIFFER = "Passwords do not match."
NO_BACKUP_PASSWORD = "the backup password is missing"
NOT_ENCRYPTED = "no backup password: backups are not encrypted"
ENCRYPTION_OF_RUNNING_BACKUP_UNKNOWN = "--require-encryption cannot be combined with --if-running attach"
ASK_PASSWORD = "Password of the user"
ASK_LOCATION_USER = "User at {} (leave empty for none)".format
ASK_LOCATION_PASSWORD = "Password for {} at {} (leave empty for none)".format
CHECKING_LOCATION = "{}: checking the location".format
KEEP_THE_BACKUP_PASSWORD = (
    "The backup password encrypts the backups. Keep a copy outside the vCenter: without it nobody can restore them."
)
ASK_BACKUP_PASSWORD = "Backup password (leave empty for no encryption)"
ASK_PASSWORD_OF_ARCHIVE = "Backup password (leave empty if the backup is not encrypted)"
ASK_SSO_PASSWORD = "Password for {} (SSO administrator of the backup)".format

# Several appliances

ONE_APPLIANCE_ONLY = "{} is on one appliance, but {} are selected".format
RESTORE_OF_SEVERAL = "a restore replaces one appliance, but {} are selected".format
READ_ONLY = "{} is read-only; refusing to change it".format
READ_ONLY_FOR_US = "is read-only; refusing to"
LOGIN_SKIPPED = "skipped: {} rejected the same credentials".format
RESULT_CANNOT_BE_SHOWN = "the result of {} could not be shown".format
EVENT_CANNOT_BE_SHOWN = "{}: an event cannot be shown ({})".format

# API

LOCKOUT = "vCenter locks an account after about five failed logins."
WRONG_LOGIN = "wrong user name or password"
NOT_SENDING_ANOTHER_LOGIN = "{} did not respond to {} logins; not sending another".format
ERROR_PAGE = "got an error page"
NO_RESPONSE_IN_TIME = "the request timed out"
SERVICE_NOT_RUNNING = "the service is not running"
NO_VCENTER_LOGIN = "{} has no vCenter login ({})".format
NOT_ON_A_PASSIVE_NODE = "not supported; on a vCenter HA cluster, use the active node"
MAY_STILL_BE_STARTING = "may still be starting"
NO_BACKUP_API = "it has no backup API"
LEAVE_API_OUT = "omit --api"
NOT_FROM_VCENTER = "got HTTP {} from something other than vCenter".format
NOT_SUPPORTED = "its release {} does not support it".format
SINCE_RELEASE = "it needs release {} or later".format
CONNECTION_DROPPED = "connection lost during the"
ANOTHER_JOB_ANSWERED = "expected job {}, got {}".format
UNREADABLE_ENTRIES = "{} of {} {} cannot be read: {}".format
UNREADABLE_JOB_DETAILS = "details of {} of {} backup jobs cannot be read: {}".format
NO_JOB_DETAILS = "no details of the backup jobs"

# Backups

NO_BACKUP_STARTED = "no backup was started"
SAFE_TO_TRY_AGAIN = "safe to try again"
UNKNOWN_WHETHER_STARTED = "unknown whether a backup was started"
STARTED_BEFORE_THE_REQUEST = "started before the request"
NEW_WITHOUT_DETAILS = "backup job {} is new, but has no details yet".format
INTERRUPT_AGAIN = "interrupt again to quit"
NOTHING_CHANGED = "nothing was changed"
NOTHING_SENT = "nothing was sent"
DRY_RUN_OF_EITHER = "dry run: nothing was sent. One of these would be sent"
EITHER = " (/api where it exists, else /rest)"
DRY_RUN = "dry run: nothing was sent. This is what would be sent"
DRY_RUN_OF_CHANGES = "dry run: nothing was sent. This is what would be changed and sent"
DETACHED = "Detached. Backup {} is still running on {}.".format
DETACHED_SEVERAL = "Detached. {} are still running on {}.".format
INTERRUPTED = "interrupted (SIGINT): {}".format
TIMED_OUT = "timed out: backup job {} is still running on {}".format
STILL_RUNNING = "backup job {} was still running on {} at the last check".format
TO_FOLLOW = "follow it with: "
TO_FOLLOW_IT = "Follow it with: "
TO_FOLLOW_THEM = "Follow them with: "
LONGER_TIMEOUT = "a longer --timeout"
RUNNING_BACKUP_UNREADABLE = "cannot read the running job: "
CHECKED_BEFORE_EACH_BACKUP = "(checked before each backup)"
WAITING_FOR_IT = "waiting for it to finish"
OTHER_LOCATION = "goes to the requested location"
NOTHING_TO_CANCEL = "there is nothing to cancel"
ALREADY_ENDED = "already ended as {}".format
NO_PARTS = "{} offers no parts for a backup".format
NO_JOBS = "{} has no backup jobs yet".format
NO_JOB_MATCHES = "no backup job matches (of {})".format
DEFAULT_PARTS = "Parts: common, seat (default)"
ANOTHER_BACKUP_RUNNING = "another backup is running"
ANOTHER_JOB_RUNNING = "another backup or restore is running"
WAITING_FOR_THE_END_OF = "waiting for {} to finish".format
WAITING_TO_STOP = "waiting for it to stop"
QUEUED = "queued"
RESPONSE_LOST = "the response was lost, but the {} started".format
RECOVERED = "recovered: connected again"
SIMULATED = "simulated"

# Schedules

NO_SCHEDULE_NAMED = "schedule '{}' does not exist".format
NOTHING_TO_SET = "nothing to set: schedule '{}' exists".format
IN_ITS_TIME = "(appliance's time)"
NO_TIME_ZONE = "unknown (cannot read the appliance's time zone)"
UNKNOWN_TIME_ZONE = "unknown (no data on the time zone {})".format
ENCRYPTION_UNKNOWN = "unknown (vCenter does not report it)"
NO_OLDER_RUN = "runs before {} cannot be judged: no older regular run is remembered".format
JUDGED_BY_ANOTHER_TIME = (
    "runs until {} are judged by {}, when they started: the schedule was changed since, or they were late"
).format
DAYS_NOT_JUDGED = "{} had no run; not judged, as the day may have been added then".format
NO_REGULAR_RUN = "no regular run of the schedule is known; nothing to compare"
NEVER_RAN = "the schedule has not run yet; one that was created today looks the same"
DISABLED_SCHEDULE = "the schedule is disabled: no run is expected"
DISABLED_SINCE = "the schedule is disabled: no run is expected after the last one, {}".format
UNREADABLE_JOBS = "{} jobs cannot be read: runs that count as missed may be among them".format
UNKNOWN_ZONE = ("no run can be judged: the time zone {} is unknown; the package tzdata may be missing").format
SEVERAL_SCHEDULES = "no run can be judged: there are several schedules, and jobs do not say which one started them"
UNKNOWN_TYPES = "no run can be judged: the types of the backups are unknown"
NO_TIME_OF_SCHEDULE = "no run can be judged: the schedule has no time"
NO_SCHEDULES = "{} has no backup schedule yet".format
SCHEDULE_NOT_CHANGED = "schedule '{}' was not changed".format
SCHEDULE_STILL_EXISTS = "schedule '{}' still exists".format
SCHEDULE_ALREADY_DELETED = "schedule '{}' was already deleted".format
SCHEDULE_VERIFIED = "verified: schedule '{}' matches the request (its passwords cannot be verified)".format
SCHEDULE_DIFFERS = "differs from the request"
SCHEDULE_NOT_VERIFIED = "the change of schedule '{}' was accepted, but not verified".format
SCHEDULE_CHANGE_UNKNOWN = "unknown whether schedule '{}' was changed".format
SCHEDULE_REPORTED_MISSING = "reported that schedule '{}' does not exist (404)".format
PASSWORD_UPDATED = "updated (cannot be verified)"
SAFE_TO_REPEAT = "it is safe to run the command again"
CHANGED_BY_SOMEBODY_ELSE = "another client may have changed it, or a cache"
SCHEDULE_UNCHANGED = "already up to date"
RETAIN_AT_LEAST_ONE = "at least 1"
RECREATE_WITHOUT_RETAIN = "delete the schedule and create it without --retain"

# Confirmation

CONTINUE = "Continue? [y/N]"
NOT_CONFIRMED = "not confirmed; nothing was changed"
WILL_CANCEL = "This will cancel the latest backup:"

# Archives and restores

SEVERAL_SYSTEMS = "the location has {} systems".format
NO_ARCHIVES = "{} finds no such archives at this location".format
NO_SYSTEMS = "{} finds no backups of any system at this location".format
RESTORE_NOT_STARTED = "nothing was started"
WILL_OVERWRITE = "This will overwrite {}. Type its name to confirm".format
RESTORABLE = "the archive can be restored here"
NOT_RESTORABLE = "the archive cannot be restored here"
RESTORABLE_UNKNOWN = "unknown whether the archive fits this appliance"
NEVER_RESTORED = "the response of an appliance that was never restored"
NO_SSO_PASSWORD = "no password for the SSO administrator {}".format

# The monitoring plugin

CHECK_TIMED_OUT = "timed out after {}; missing: {}".format

# Reports

REPORT_FORMATS = "--format {} and -o {} exclude each other".format
EMPTY_PERIOD = "the period is empty or too long"
UNKNOWN_SUFFIX = "cannot tell the format of the report from the suffix {}".format

# Notifications

NOT_SENT = "not sent ({}): ".format
INVALID_PING = "not a valid ping URL"
STOPPED_BY_HOOK = "2 done, 1 stopped by a hook"
NOTHING_REPORTED = "nothing is reported: "
PING_OF_OTHERS_TOO = "success ping not sent: {} uses the same ping URL".format
HOOK_FAILED = "{} hook '{}' {}".format
NO_RECOVERY = "the recovery of a server may not be reported: "
HOOK_TIMED_OUT = "timed out after {}".format
INSTALL_APPRISE = "pip install apprise"
NOTHING_TO_NOTIFY = "no ping and no Apprise URL is configured"

# Reading the location from this host

NOTHING_TO_PIN = "{} has neither a host key nor a certificate to pin".format
NEEDS_HOST_KEY = "{} needs the fingerprint of a host key (SHA256:...)".format
NEEDS_CERTIFICATE = "{} needs the fingerprint of a certificate (sha256:HEX)".format
CANNOT_READ = "cannot read {} locations from this host".format
DOTS_IN_LOCATION = "the location contains '..'"
SYSTEM_OF_ONE = "--system names the folder of one appliance"
FOLDER_OF_ONE_APPLIANCE = "this is the folder of one appliance; give the location above it"
SHARED_FOLDER = "have the same folder {}".format

# Verification

NOTHING_CHECKED = "no file could be decompressed: the archive is encrypted"
FOUND_DAMAGED = "an earlier verification found it damaged"
NOT_COMPARED = "no checksums were recorded before"
NOT_CHECKED = "encrypted or not gzip"
NOT_READ = "contents: not read"
ONLY_RESTORE_VALIDATE = "only `backupctl restore validate` can say more"
VERIFIED_FIRST = "recorded by the first `archive verify`"
AFTER_THE_BACKUP = "recorded after the backup"
PRUNING_FAILED = "backup job {} succeeded, but pruning failed".format
MANIFEST_NOT_RECORDED = "the result was not recorded"
SMALLER_THAN_EARLIER = "earlier archives at least"
DO_NOT_REPEAT_THE_BACKUP = "do not repeat the backup"
WAS_NOT_VERIFIED = "succeeded, but was not verified"
NO_FOLDER_OF_ITS_OWN = "makes no folder for each backup"
