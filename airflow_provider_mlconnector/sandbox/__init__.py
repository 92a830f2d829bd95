# SPDX-License-Identifier: Apache-2.0
"""The remote systems as local servers over one generated set of books, with faults to switch on and a virtual clock.

For rehearsing a close, for the demo and for tests. Loopback only; nothing in here is meant to hold real figures.

    python -m airflow_provider_mlconnector.sandbox --systems anaplan,business_central --port 0

prints one JSON line (how to reach and log in to each system), then serves until SIGTERM.
"""
