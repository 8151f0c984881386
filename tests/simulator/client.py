"""An HTTP client of a simulated appliance, independent of ``backupctl.api``."""

from typing import Any

import httpx

from backupctl.simulator.simulated_appliance import SimulatedAppliance
from backupctl.simulator.simulator_transport import SimulatorTransport
from tests.support.clock import FakeClock

USER = "administrator@vsphere.local"
PASSWORD = "VMware1!"
JOB = "/appliance/recovery/backup/job"
CREATED = {"rest": 200, "api": 201}
REQUEST: dict[str, Any] = {
    "parts": ["seat"],
    "location_type": "FTP",
    "location": "ftp://backup.example.com/vc",
    "location_user": "backup",
    "location_password": "secret",
}


class Client:
    """A client of one appliance, in one API family, with its own clock."""

    def __init__(self, family: str = "rest", **options: Any) -> None:
        self.clock = FakeClock()
        self.appliance = SimulatedAppliance(self.clock, **options)
        self.family = family
        transport = SimulatorTransport(self.appliance, self.clock)
        self.http = httpx.Client(transport=transport, base_url="https://vcsa.simulator.test", trust_env=False)
        self.headers: dict[str, str] = {}

    def login(self, user: str = USER, password: str = PASSWORD) -> httpx.Response:
        path = "/rest/com/vmware/cis/session" if self.family == "rest" else "/api/session"
        response = self.http.post(path, auth=(user, password), headers={"vmware-use-header-authn": "true"})
        if response.is_success:
            self.headers = {"vmware-api-session-id": self.value(response)}
        return response

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        options.setdefault("headers", self.headers)
        return self.http.request(method, f"/{self.family}{path}", **options)

    def value(self, response: httpx.Response) -> Any:
        return response.json()["value"] if self.family == "rest" else response.json()

    def create(self, **changes: Any) -> httpx.Response:
        request = REQUEST | changes
        return self.call("POST", JOB, json={"piece": request} if self.family == "rest" else request)

    def start(self, **changes: Any) -> str:
        response = self.create(**changes)
        assert response.status_code == CREATED[self.family], response.text
        return str(self.value(response)["id"])

    def details(self) -> Any:
        """Return the details of all jobs by their ids."""
        value = self.value(self.call("GET", f"{JOB}/details"))
        return {entry["key"]: entry["value"] for entry in value} if self.family == "rest" else value

    def status(self, job_id: str) -> Any:
        return self.value(self.call("GET", f"{JOB}/{job_id}"))


def logged_in(family: str = "rest", **options: Any) -> Client:
    client = Client(family, **options)
    client.login()
    return client
