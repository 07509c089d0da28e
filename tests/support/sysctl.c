/* What of the C library of macOS and the BSDs the agent calls, with values as those hosts have them. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

static const int64_t arc_bytes = 6442450944;
static const int32_t nothing_yet = -1;

int sysctlbyname(const char *name, void *old, size_t *old_size, const void *new, size_t new_size) {
    const void *value;
    size_t size;
    if (new != NULL || new_size != 0) {
        errno = EPERM;
        return -1;
    }
    if (strcmp(name, "hw.model") == 0) {
        value = "AMD EPYC 7B13";
        size = strlen(value) + 1;
    } else if (strcmp(name, "kstat.zfs.misc.arcstats.size") == 0) {
        value = &arc_bytes;
        size = sizeof arc_bytes;
    } else if (strcmp(name, "hw.negative") == 0) {
        value = &nothing_yet;
        size = sizeof nothing_yet;
    } else {
        errno = ENOENT;
        return -1;
    }
    if (old != NULL) {
        if (*old_size < size) {
            errno = ENOMEM;
            return -1;
        }
        memcpy(old, value, size);
    }
    *old_size = size;
    return 0;
}

int gethostuuid(unsigned char uuid[16], const struct timespec *wait) {
    if (wait->tv_sec < 0 || wait->tv_nsec != 0) {
        errno = EINVAL;
        return -1;
    }
    for (int i = 0; i < 16; i++) {
        uuid[i] = (unsigned char)(i * 17);
    }
    return 0;
}
