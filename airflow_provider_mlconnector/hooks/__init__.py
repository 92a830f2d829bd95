# SPDX-License-Identifier: Apache-2.0
"""Connections to remote systems and to the trail."""
