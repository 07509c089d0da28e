"""Why a registry does not tell what a tag is.

RegistryFailed
├── ImageUnknown        it answers, but not with this image: not there, not for everybody, or senselessly
│   └── RegistryRefused this hub may not ask there
└── RegistryUnwell      it does not answer, or says that it cannot now: what else is there will fare no better
"""

from beszel_hub.errors import HubError


class RegistryFailed(HubError):
    """The root; the message is for the log."""

    code = "registry_failed"


class ImageUnknown(RegistryFailed):
    code = "image_unknown"


class RegistryRefused(ImageUnknown):
    code = "registry_refused"


class RegistryUnwell(RegistryFailed):
    """`retry_after_seconds` as the registry wishes, if it says."""

    code = "registry_unwell"
