# SPDX-License-Identifier: Apache-2.0
"""What tasks do to the model: imports, exports, deletions and processes, one at a time."""
