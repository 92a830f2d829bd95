# SPDX-License-Identifier: Apache-2.0
"""Dynamics GP, on a customer's own servers: SBA's resources where they are installed, else its SOAP web services."""
