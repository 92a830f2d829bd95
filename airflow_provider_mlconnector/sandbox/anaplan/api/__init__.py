# SPDX-License-Identifier: Apache-2.0
"""The HTTP side: Integration API, authentication, OAuth and the sandbox's own control routes."""
