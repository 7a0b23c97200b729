"""Before any test module is imported: PyBaMM must not open a connection."""

import os

os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"
