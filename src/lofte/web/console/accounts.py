"""The secrets of a second factor are kept encrypted: a copy of the database alone opens nobody's account."""

import base64
import os

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser

from lofte.kernel.problems import Problem

_NONCE_BYTES = 12


class SealedFactors(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    def encrypt(self, text: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + _cipher().encrypt(nonce, text.encode(), None)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        sealed = base64.b64decode(encrypted_text)
        try:
            return _cipher().decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).decode()
        except InvalidTag as error:
            raise Problem("web.factor-unreadable", "a second factor has another key", status=500) from error

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        return str(user.get_username())


def _cipher() -> AESGCM:
    secret = settings.SECRET_KEY.encode()
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=b"lofte second factor").derive(secret))
