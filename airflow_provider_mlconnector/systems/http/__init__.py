# SPDX-License-Identifier: Apache-2.0
"""What the clients of all remote systems share."""
