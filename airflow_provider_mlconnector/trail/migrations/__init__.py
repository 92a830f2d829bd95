# SPDX-License-Identifier: Apache-2.0
"""Migrations of the trail's schema, run by :mod:`trail.migrate`."""
