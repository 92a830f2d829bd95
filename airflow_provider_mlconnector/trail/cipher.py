# SPDX-License-Identifier: Apache-2.0
"""How the vault's secrets are encrypted: by a cipher that the caller hands in, so that nothing here looks for a key."""

from __future__ import annotations

from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from airflow_provider_mlconnector.errors import VaultError


class Cipher(Protocol):
    """Encrypts and authenticates small secrets; Airflow's own Fernet is one."""

    def encrypt(self, msg: bytes, /) -> bytes:
        """Encrypt; the result is ASCII."""

    def decrypt(self, msg: bytes, /) -> bytes:
        """Decrypt.

        :raises InvalidToken: when the secret was sealed with another key, or changed.
        """


class FernetCipher:
    """Fernet with rotation: the first key encrypts, each of them decrypts.

    :param keys: Fernet keys separated by commas, newest first, as Airflow writes them in ``[core] fernet_key``.
    :raises VaultError: when there is no key, or one is malformed.
    """

    def __init__(self, keys: str) -> None:
        words = [word.strip() for word in keys.split(",") if word.strip()]
        if not words:
            raise VaultError(
                "There is no key to encrypt Anaplan's tokens with.",
                hint="Set [mlconnector] vault_key or [core] fernet_key.",
            )
        try:
            self._fernet = MultiFernet([Fernet(word) for word in words])
        except ValueError:
            raise VaultError(
                "The vault's key is no Fernet key.", hint="A Fernet key is 32 random bytes in url-safe base64."
            ) from None

    def encrypt(self, msg: bytes, /) -> bytes:
        """Encrypt with the first key."""
        return self._fernet.encrypt(msg)

    def decrypt(self, msg: bytes, /) -> bytes:
        """Decrypt with whichever key fits.

        :raises InvalidToken: when none does.
        """
        return self._fernet.decrypt(msg)


def unseal(cipher: Cipher, sealed: str) -> bytes:
    """Decrypt what the database holds.

    :raises VaultError: when the cipher does not open it.
    """
    try:
        return cipher.decrypt(sealed.encode())
    except InvalidToken:
        raise VaultError(
            "A token in the vault was encrypted with another key.",
            hint="List the former key after the present one in [mlconnector] vault_key or [core] fernet_key. If it is "
            "lost, log in anew: with OAuth by airflow mlconnector login, else by waiting until the token has ended.",
        ) from None
