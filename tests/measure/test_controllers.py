"""Management controllers: a server's own meter by IPMI and Redfish, asked for by name."""

import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from joulebook.errors import UnknownName, UsageError
from joulebook.faces.integrations.meters import METERS
from joulebook.faces.integrations.redfish import RedfishReader, milliwatts_of
from joulebook.measure.discover import NAMED, READERS, readers
from joulebook.measure.ipmi import ANSWER, IpmiReader, power_reading, watts_of
from joulebook.measure.polled import Polled
from joulebook.measure.reading import Kind

HERE = Path(__file__).parent
ROOT = "/redfish/v1/Chassis"
RESOURCES = {
    ROOT: {"Members": [{"@odata.id": f"{ROOT}/Rack"}, {"@odata.id": f"{ROOT}/Node"}]},
    f"{ROOT}/Rack": {"Id": "Rack"},
    f"{ROOT}/Node": {"Power": {"@odata.id": f"{ROOT}/Node/Power"}},
    f"{ROOT}/Node/Power": {
        "PowerControl": [{"PowerConsumedWatts": 412.5}],
        "PowerSupplies": [{"LineInputVoltage": 220}],
    },
}


@pytest.fixture(scope="session")
def fake_ipmi(tmp_path_factory) -> Path:
    """The stand-in for the kernel's device, built here against the kernel's own header."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not Path("/usr/include/linux/ipmi.h").exists():
        pytest.skip("no C compiler, or no header of the kernel")
    library = tmp_path_factory.mktemp("ipmi") / "fake_ipmi.so"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, HERE / "fake_ipmi.c", "-ldl"], check=True)
    return library


@pytest.mark.parametrize(
    ("mode", "expected"), [("", 412), ("refused", None), ("not measuring", None), ("silent", None)]
)
def test_ipmi_through_the_kernel_structures(fake_ipmi, tmp_path, mode, expected):
    """The request and the answer are laid out as the kernel's header has them; a refusal or no answer is None."""
    device = tmp_path / "ipmi0"
    os.mkfifo(device)
    script = (
        "import sys; from pathlib import Path; import joulebook.measure.ipmi as ipmi; "
        "ipmi.ANSWER_MS = 5; print(ipmi.power_reading(Path(sys.argv[1])))"
    )
    environment = {**os.environ, "LD_PRELOAD": str(fake_ipmi), "FAKE_IPMI": mode}
    words = [sys.executable, "-c", script, str(device)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{expected}\n"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (ANSWER.pack(0, 0xDC, 350, 100, 500, 300, 0, 1000, 0x40), 350),
        (ANSWER.pack(0, 0xDC, 0, 0, 0, 0, 0, 1000, 0x40), None),
        (ANSWER.pack(0, 0x00, 350, 100, 500, 300, 0, 1000, 0x40), None),
        (ANSWER.pack(0xD4, 0xDC, 350, 100, 500, 300, 0, 1000, 0x40), None),
        (ANSWER.pack(0, 0xDC, 350, 100, 500, 300, 0, 1000, 0x40)[:-1], None),
        (b"", None),
    ],
)
def test_ipmi_answers(answer, expected):
    """An answer counts where it is whole, without error, of this group, and of a running measurement; 0 W is none."""
    assert watts_of(answer) == expected


def test_ipmi_reader(tmp_path):
    """The controller's power is the whole server's; without its device the absence says what to load."""
    reader = IpmiReader(ask=lambda: 412)
    (channel,) = reader.open().channels
    assert (channel.component, channel.kind, channel.scale) == ("node", Kind.AVERAGE, 1.0)
    assert channel.contains == ("gpu", "cpu", "memory")
    assert reader.read() == [412]
    reader.close()
    assert reader.read() == [None]
    assert power_reading(tmp_path / "none") is None
    absence = IpmiReader(tmp_path / "none").open().absences[0]
    assert "ipmi_devintf" in absence.remedy


def test_an_old_answer_is_none():
    """A controller that stops answering is not read on: its last power holds for half a minute and no longer."""
    now, asked = [100.0], threading.Event()

    def ask():
        if now[0] == 100:
            return 7
        asked.set()
        return None

    polled = Polled(ask, every_s=0.001, now=lambda: now[0])
    assert polled.start() == 7
    now[0] = 129.0
    assert asked.wait(30)
    assert polled.value() == 7
    now[0] = 131.0
    assert polled.value() is None
    polled.stop()
    assert Polled(lambda: None).start() is None


class Controller(BaseHTTPRequestHandler):
    """A management controller that wants a name and a password."""

    def do_GET(self):
        """One resource."""
        body = RESOURCES.get(self.path)
        is_known = self.headers.get("Authorization") == "Basic dTpw"
        self.send_response(401 if not is_known else 404 if body is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(body if is_known else {}).encode())

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def controller():
    """Its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Controller) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("path", ["", "/", f"{ROOT}/Node/Power"])
def test_redfish_over_http(controller, monkeypatch, path):
    """By name, the chassis with a power is found and read; a wrong password gives an absence, not an error."""
    monkeypatch.setenv("JOULEBOOK_REDFISH", controller + path)
    monkeypatch.setenv("JOULEBOOK_REDFISH_USER", "u")
    monkeypatch.setenv("JOULEBOOK_REDFISH_PASSWORD", "p")
    (reader,) = readers(["redfish"], METERS)
    (channel,) = reader.open().channels
    assert channel.component == "node"
    assert reader.read() == [412_500]
    assert "u:p" not in json.dumps(channel.as_record())
    reader.close()
    wrong = RedfishReader(controller + path, "u", "wrong")
    assert wrong.open().absences[0].facts == {"address": controller + path}
    wrong.close()


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"PowerControl": [{"PowerConsumedWatts": 412.5}]}, 412_500),
        ({"PowerWatts": {"Reading": 300}}, 300_000),
        ({"PowerControl": [{"PowerConsumedWatts": None}], "PowerWatts": {"Reading": 300}}, 300_000),
        ({"PowerControl": [{"PowerConsumedWatts": 0}]}, None),
        ({"PowerControl": [{}]}, None),
        ({"PowerControl": []}, None),
        ({"PowerControl": "x"}, None),
        ({"PowerWatts": {"Reading": "n/a"}}, None),
        ([], None),
        (None, None),
    ],
)
def test_redfish_documents(document, expected):
    """Power is read from both resources of the schema; what tells none, or 0 W, is unknown."""
    assert milliwatts_of(document) == expected


def test_names_of_meters(monkeypatch):
    """What is asked by name alone comes first, `all` adds the default ones once; a wrong name lists what there is."""
    monkeypatch.delenv("JOULEBOOK_REDFISH", raising=False)
    assert [one.name for one in readers(["all", "ipmi", "rapl", "zeusd"], METERS)] == ["ipmi", "zeusd", *READERS]
    assert not set(NAMED) & set(READERS)
    assert set(NAMED).isdisjoint(one.name for one in readers())
    with pytest.raises(UnknownName, match="redfish"):
        readers(["bmc"], METERS)
    with pytest.raises(UsageError, match="address of a management controller"):
        readers(["redfish"], METERS)
