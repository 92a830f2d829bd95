# SPDX-License-Identifier: Apache-2.0
"""The planning model: its definitions, its contents and its files."""
