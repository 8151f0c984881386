"""The simulator with another HTTP client: the loop that the vendor documents, with curl."""

import json
import sys

import pytest

from tests.support.processes import Programs, Simulators, require_program

pytestmark = pytest.mark.real

LOOP = r"""
set -eu
curl() { command curl --silent --show-error --fail --cacert "$CA" "$@"; }
value() { "$PYTHON" -c 'import json, sys; print(eval("json.load(sys.stdin)" + sys.argv[1]))' "$1"; }
mine() { if [ "$BY" = jar ]; then curl -b "$JAR" "$@"; else curl -H "vmware-api-session-id: $SESSION" "$@"; fi; }

if [ "$FAMILY" = rest ]; then
    login=$URL/rest/com/vmware/cis/session base=$URL/rest/appliance/recovery/backup v="['value']"
    body='{"piece": {"location_type": "FTPS", "location": "ftps://backup.example.com/vcenter", "parts": ["common"]}}'
else
    login=$URL/api/session base=$URL/api/appliance/recovery/backup v=
    body='{"location_type": "FTPS", "location": "ftps://backup.example.com/vcenter", "parts": ["common"]}'
fi
SESSION=$(curl -u "$LOGIN" -c "$JAR" -X POST "$login" | value "$v")
id=$(mine -X POST -H 'Content-Type: application/json' -d "$body" "$base/job" | value "$v['id']")
state=INPROGRESS
while [ "$state" = INPROGRESS ]; do
    sleep 0.3
    state=$(mine "$base/job/$id" | value "$v['state']")
    echo "$state" >&2
done
mine "$base/job/details" | "$PYTHON" -c 'import json, sys; print(json.dumps([sys.argv[1], json.load(sys.stdin)]))' "$id"
mine -X DELETE "$login"
! mine "$base/job" 2>/dev/null
"""


@pytest.mark.parametrize("by", ["jar", "header"])
@pytest.mark.parametrize(("family", "release"), [("rest", "6.7U2"), ("rest", "8.0"), ("api", "8.0")])
def test_curl_starts_a_backup_and_polls_it_to_its_end(
    programs: Programs, serve: Simulators, family: str, release: str, by: str
) -> None:
    require_program("curl")
    served = serve("--release", release)
    environ = {
        "PYTHON": sys.executable,
        "URL": served.url,
        "CA": served.ca_file or "",
        "LOGIN": f"{served.username}:{served.password}",
        "JAR": str(programs.home / "jar"),
        "FAMILY": family,
        "BY": by,
    }
    ran = programs.start([require_program("bash"), "-c", LOOP], programs.environ(environ)).wait()
    assert ran.code == 0, ran.err
    assert ran.err.splitlines()[-1] == "SUCCEEDED"
    job_id, details = json.loads(ran.out.splitlines()[0])
    assert job_id in json.dumps(details)
