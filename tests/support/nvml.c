/* Stands in for NVIDIA's library: tells what the file $STANDIN_SCENE says, and writes down what it was asked.

   Lines of the scene are `<key> <number>`; a key that is missing is not supported by this GPU. Structs and numbers are
   those of the library's public header. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7 };

typedef struct { int is_open; } Device;
typedef struct { unsigned int gpu, memory; } Utilization;
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned int version; unsigned long long total, reserved, free, used; } MemoryV2;
typedef struct { unsigned int pid; unsigned long long used; unsigned int gpu, compute; } Process;

static Device the_device;

static void tell(const char *format, ...) {
    FILE *log = fopen(getenv("STANDIN_LOG"), "a");
    va_list arguments;
    va_start(arguments, format);
    vfprintf(log, format, arguments);
    va_end(arguments);
    fputc('\n', log);
    fclose(log);
}

static int look_up(const char *key, unsigned long long *value) {
    char line[256], name[200];
    unsigned long long number;
    int status = NOT_SUPPORTED;
    FILE *scene = fopen(getenv("STANDIN_SCENE"), "r");
    while (status != SUCCESS && scene && fgets(line, sizeof line, scene))
        if (sscanf(line, "%199s %llu", name, &number) == 2 && strcmp(name, key) == 0) {
            *value = number;
            status = SUCCESS;
        }
    if (scene) fclose(scene);
    return status;
}

static int look_up_uint(const char *key, unsigned int *value) {
    unsigned long long wide = 0;
    int status = look_up(key, &wide);
    *value = (unsigned int)wide;
    return status;
}

const char *nvmlErrorString(int status) { return status == NOT_FOUND ? "Not Found" : "Stand-in Error"; }

int nvmlInitWithFlags(unsigned int flags) {
    unsigned long long status = SUCCESS;
    tell("init %u", flags);
    look_up("init", &status);
    return (int)status;
}

int nvmlShutdown(void) { tell("shutdown"); return SUCCESS; }

int nvmlDeviceGetHandleByPciBusId_v2(const char *address, Device **device) {
    unsigned long long is_there;
    tell("handle %s", address);
    *device = &the_device;
    return look_up("there", &is_there) == SUCCESS ? SUCCESS : NOT_FOUND;
}

int nvmlDeviceGetName(Device *device, char *name, unsigned int length) {
    (void)device;
    snprintf(name, length, "NVIDIA GeForce RTX 4070");
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(Device *device, Utilization *rates) {
    (void)device;
    rates->memory = 0;
    return look_up_uint("gpu", &rates->gpu);
}

int nvmlDeviceGetMemoryInfo(Device *device, Memory *memory) {
    (void)device;
    memory->free = 0;
    look_up("total", &memory->total);
    return look_up("used_with_reserved", &memory->used);
}

int nvmlDeviceGetMemoryInfo_v2(Device *device, MemoryV2 *memory) {
    (void)device;
    if (memory->version != (sizeof *memory | 2 << 24)) return NOT_SUPPORTED;
    look_up("total", &memory->total);
    return look_up("used", &memory->used);
}

int nvmlDeviceGetPowerUsage(Device *device, unsigned int *milliwatts) {
    (void)device;
    return look_up_uint("milliwatts", milliwatts);
}

int nvmlDeviceGetTemperature(Device *device, int sensor, unsigned int *celsius) {
    (void)device;
    return sensor == 0 ? look_up_uint("celsius", celsius) : NOT_SUPPORTED;
}

int nvmlDeviceGetEncoderUtilization(Device *device, unsigned int *percent, unsigned int *period) {
    (void)device;
    *period = 1000;
    return look_up_uint("encoder", percent);
}

int nvmlDeviceGetDecoderUtilization(Device *device, unsigned int *percent, unsigned int *period) {
    (void)device;
    *period = 1000;
    return look_up_uint("decoder", percent);
}

static int list(const char *kind, unsigned int *count, Process *found) {
    char key[64];
    unsigned int room = *count, pid;
    for (*count = 0; *count < 4; ++*count) {
        snprintf(key, sizeof key, "%s_pid%u", kind, *count);
        if (look_up_uint(key, &pid) != SUCCESS) break;
        if (!found || *count >= room) continue;
        memset(&found[*count], 0, sizeof *found);
        found[*count].pid = pid;
        snprintf(key, sizeof key, "%s_used%u", kind, *count);
        if (look_up(key, &found[*count].used) != SUCCESS) found[*count].used = ~0ULL;
    }
    return *count > room ? INSUFFICIENT_SIZE : SUCCESS;
}

#ifdef OLD_DRIVER
#define LISTS(name) name##_v2
#else
#define LISTS(name) name##_v3
#endif

int LISTS(nvmlDeviceGetComputeRunningProcesses)(Device *device, unsigned int *count, Process *found) {
    (void)device;
    return list("compute", count, found);
}

int LISTS(nvmlDeviceGetGraphicsRunningProcesses)(Device *device, unsigned int *count, Process *found) {
    (void)device;
    return list("graphics", count, found);
}
