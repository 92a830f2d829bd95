# SPDX-License-Identifier: Apache-2.0
"""The Entra tenant in front of all systems that log in by it: one directory of applications, one login service."""
