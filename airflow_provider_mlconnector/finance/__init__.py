# SPDX-License-Identifier: Apache-2.0
"""The words of the field: periods, calendars, money, datasets, code books."""
