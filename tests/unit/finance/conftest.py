# SPDX-License-Identifier: Apache-2.0
"""Property tests are not judged by the clock of a busy machine."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
