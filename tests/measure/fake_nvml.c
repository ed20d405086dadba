/* A stand-in for libnvidia-ml.so.1 that plays a square wave of known energy through the real Python binding.
 * Settings come from the environment at nvmlInit; time is the machine's, or what fake_set_time says. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, LOST = 15 };
typedef struct { int board; int slice; } Device;
typedef struct { unsigned f, s; long long t, l; int type; int ret; union { double d; int si; unsigned ui; unsigned long ul; unsigned long long ull; long long sll; } v; } Field;
typedef struct { unsigned sm, a, b, c, d, e, gi, ci; unsigned long long memory; } Attributes;
static Device boards[64], slices[64][7];
static int count, mig;
static double low_w, high_w, period_s, lost_at, reset_at, fake_now = -1, grain_s, start_s;
static char has[128], name[96], other[96];

static double number(const char *key, double otherwise) { const char *text = getenv(key); return text && *text ? atof(text) : otherwise; }
void fake_set_time(double seconds) { fake_now = seconds; }
static double now(void) {
    if (fake_now >= 0) return fake_now;
    struct timespec t; clock_gettime(CLOCK_BOOTTIME, &t); return (double)t.tv_sec + (double)t.tv_nsec * 1e-9 - start_s;
}
/* energy from time 0 [J]: high for the first half of every period, low for the second */
static double energy(double t) {
    if (t <= 0) return 0;
    double whole = floor(t / period_s), rest = t - whole * period_s, half = period_s / 2;
    return whole * half * (high_w + low_w) + (rest < half ? rest * high_w : half * high_w + (rest - half) * low_w);
}
static double power(double t) { double rest = t - floor(t / period_s) * period_s; return rest < period_s / 2 ? high_w : low_w; }
double fake_energy(double seconds) { return energy(seconds); }

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    const char *text;
    count = (int)number("FAKE_NVML_BOARDS", 1); mig = (int)number("FAKE_NVML_MIG", 0);
    low_w = number("FAKE_NVML_LOW_W", 50); high_w = number("FAKE_NVML_HIGH_W", 350); period_s = number("FAKE_NVML_PERIOD_S", 1);
    lost_at = number("FAKE_NVML_LOST_AT", 1e18); reset_at = number("FAKE_NVML_RESET_AT", 1e18); grain_s = number("FAKE_NVML_GRAIN_S", 0);
    start_s = number("FAKE_NVML_START_S", 0);
    text = getenv("FAKE_NVML_HAS"); snprintf(has, sizeof has, "%s", text ? text : "energy,average,instant");
    text = getenv("FAKE_NVML_OTHER_NAME"); snprintf(other, sizeof other, "%s", text ? text : "");
    text = getenv("FAKE_NVML_NAME"); snprintf(name, sizeof name, "%s", text ? text : "NVIDIA Fake 350W");
    for (int i = 0; i < 64; i++) { boards[i].board = i; boards[i].slice = -1; for (int j = 0; j < 7; j++) { slices[i][j].board = i; slices[i][j].slice = j; } }
    return number("FAKE_NVML_BROKEN", 0) ? 9 : OK;
}
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlInit(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { return code == OK ? "Success" : code == NOT_SUPPORTED ? "Not Supported" : code == LOST ? "GPU is lost" : code == 9 ? "Driver Not Loaded" : "Error"; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = (unsigned)count; return OK; }
int nvmlDeviceGetCount(unsigned *n) { return nvmlDeviceGetCount_v2(n); }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, Device **d) { if ((int)i >= count) return INVALID; *d = &boards[i]; return OK; }
int nvmlDeviceGetHandleByIndex(unsigned i, Device **d) { return nvmlDeviceGetHandleByIndex_v2(i, d); }
int nvmlDeviceGetUUID(Device *d, char *text, unsigned size) {
    if (d->slice < 0) snprintf(text, size, "GPU-fake-%02d", d->board); else snprintf(text, size, "MIG-fake-%02d-%d", d->board, d->slice);
    return OK;
}
int nvmlDeviceGetName(Device *d, char *text, unsigned size) { snprintf(text, size, "%s", d->board % 2 && *other ? other : name); return OK; }
int nvmlDeviceGetIndex(Device *d, unsigned *i) { *i = (unsigned)d->board; return OK; }
int nvmlDeviceGetMinorNumber(Device *d, unsigned *i) { *i = (unsigned)d->board; return OK; }
static int lost(void) { return now() >= lost_at; }
int nvmlDeviceGetTotalEnergyConsumption(Device *d, unsigned long long *mj) {
    (void)d;
    if (!strstr(has, "energy")) return NOT_SUPPORTED;
    if (lost()) return LOST;
    double t = now(), since = t >= reset_at ? energy(reset_at) : -1000;
    if (grain_s > 0) t = floor(t / grain_s) * grain_s;
    *mj = (unsigned long long)((energy(t) - since) * 1000);
    return OK;
}
int nvmlDeviceGetPowerUsage(Device *d, unsigned *mw) {
    (void)d;
    if (!strstr(has, "instant")) return NOT_SUPPORTED;
    if (lost()) return LOST;
    *mw = (unsigned)(power(now()) * 1000); return OK;
}
int nvmlDeviceGetPowerManagementLimit(Device *d, unsigned *mw) { (void)d; *mw = (unsigned)(high_w * 1000); return OK; }
int nvmlDeviceGetEnforcedPowerLimit(Device *d, unsigned *mw) { return nvmlDeviceGetPowerManagementLimit(d, mw); }
int nvmlDeviceGetFieldValues(Device *d, int n, Field *fields) {
    (void)d;
    for (int i = 0; i < n; i++) {
        Field *f = &fields[i]; f->type = 1; f->ret = OK;
        double t = now(), mean = (energy(t) - energy(t - 1)) / (t < 1 ? (t > 0 ? t : 1) : 1);
        if (lost()) f->ret = LOST;
        else if (f->f == 185 && f->s == 0 && strstr(has, "average")) f->v.ui = (unsigned)(mean * 1000);
        else if (f->f == 185 && f->s == 1 && strstr(has, "module")) f->v.ui = (unsigned)((mean + 100) * 1000);
        else if (f->f == 186 && strstr(has, "instant")) f->v.ui = (unsigned)(power(t) * 1000);
        else f->ret = NOT_SUPPORTED;
    }
    return OK;
}
/* the driver's buffer: the last 120 readings of power, one every 16.7 ms, times in microseconds */
typedef struct { unsigned long long t; union { double d; unsigned ui; unsigned long long ull; } v; } Sample;
int nvmlDeviceGetSamples(Device *d, int type, unsigned long long last, int *kind, unsigned *n, Sample *out) {
    (void)d;
    if (type != 0 || !strstr(has, "samples")) return NOT_SUPPORTED;
    if (lost()) return LOST;
    long long newest = (long long)floor(now() / 0.0167), first = newest - 119;
    unsigned found = 0;
    *kind = 1;
    if (!out) { *n = 120; return OK; }
    for (long long i = first < 0 ? 0 : first; i <= newest && found < *n; i++) {
        unsigned long long t = (unsigned long long)(i * 16700);
        if (t > last) { out[found].t = t; out[found].v.ui = (unsigned)(power((double)i * 0.0167 + 1e-9) * 1000); found++; }
    }
    *n = found;
    return found ? OK : NOT_FOUND;
}
int nvmlDeviceGetMigMode(Device *d, unsigned *current, unsigned *pending) { (void)d; *current = *pending = mig > 0; return OK; }
int nvmlDeviceGetMaxMigDeviceCount(Device *d, unsigned *n) { (void)d; *n = mig ? 7 : 0; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(Device *d, unsigned i, Device **out) { if ((int)i >= mig) return NOT_FOUND; *out = &slices[d->board][i]; return OK; }
int nvmlDeviceGetAttributes_v2(Device *d, Attributes *a) { memset(a, 0, sizeof *a); a->sm = d->slice >= 0 ? 14 : 98; return OK; }
int nvmlDeviceIsMigDeviceHandle(Device *d, unsigned *is) { *is = d->slice >= 0; return OK; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) { snprintf(text, size, "570.00"); return OK; }
int nvmlSystemGetNVMLVersion(char *text, unsigned size) { snprintf(text, size, "12.570.00"); return OK; }
int nvmlSystemGetCudaDriverVersion_v2(int *v) { *v = 12080; return OK; }
int nvmlDeviceGetComputeRunningProcesses_v3(Device *d, unsigned *n, void *p) { (void)d; (void)p; *n = 0; return OK; }
int nvmlDeviceGetArchitecture(Device *d, unsigned *a) { (void)d; *a = 9; return OK; }
typedef struct { unsigned gpu, memory; } Rates;
int nvmlDeviceGetUtilizationRates(Device *d, Rates *r) { (void)d; r->gpu = 50; r->memory = 20; return OK; }
typedef struct { unsigned long long total, free, used; } Memory;
int nvmlDeviceGetMemoryInfo(Device *d, Memory *m) { (void)d; m->total = 1ull << 36; m->free = 1ull << 35; m->used = 1ull << 35; return OK; }
int nvmlDeviceGetTemperature(Device *d, int sensor, unsigned *t) { (void)d; (void)sensor; *t = 50; return OK; }
int nvmlDeviceGetComputeMode(Device *d, int *mode) { (void)d; *mode = 0; return OK; }
int nvmlDeviceGetGraphicsRunningProcesses_v3(Device *d, unsigned *n, void *p) { (void)d; (void)p; *n = 0; return OK; }
int nvmlDeviceGetPowerManagementLimitConstraints(Device *d, unsigned *low, unsigned *high) { (void)d; *low = 100000; *high = (unsigned)(high_w * 1000); return OK; }
int nvmlDeviceGetPersistenceMode(Device *d, unsigned *mode) { (void)d; *mode = 1; return OK; }
