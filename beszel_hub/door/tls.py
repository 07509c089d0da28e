"""TLS of the hub itself: a certificate and its key, looked at before they are used, and read again while serving."""

import logging
import ssl
import stat
from pathlib import Path
from typing import Final

from beszel_hub.errors import StartError

_FORBIDDEN_MODE: Final = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP
"""Of a private key: nothing for others; a group such as `ssl-cert` may read it."""

_log = logging.getLogger(__name__)


class TlsFiles:
    """The context that all connections share; new ones get the certificate that was read last."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raise `StartError` if the files cannot be used."""
        self._certificate = certificate
        self._key = key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._load(self.context)

    def reload(self) -> bool:
        """Read the files again; if they cannot be used, say so, keep what is in use, and return False."""
        try:
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._load(self.context)
        except StartError as error:
            _log.error("the certificate stays as it is: %s", error)
            return False
        _log.info("the certificate %s was read again", self._certificate)
        return True

    def _load(self, context: ssl.SSLContext) -> None:
        try:
            mode = self._key.stat().st_mode
            if mode & _FORBIDDEN_MODE:
                raise StartError(
                    f"the private key {self._key} has mode {stat.S_IMODE(mode):04o}; others could read or change it: "
                    f"chmod 600 {self._key}"
                )
            context.load_cert_chain(self._certificate, self._key, password=_refuse_password)
        except OSError as error:  # ssl.SSLError is one
            reason = error.strerror or getattr(error, "reason", "") or str(error)
            raise StartError(
                f"the certificate {self._certificate} with {self._key} cannot be used: {reason}"
            ) from error


def _refuse_password() -> str:
    """The library would ask on the terminal."""
    raise StartError("the private key needs a passphrase, and the hub has none: store the key without one")
